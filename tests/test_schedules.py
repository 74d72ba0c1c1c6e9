"""Schedules: where they begin and end, and that they are the libraries' own."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st
from libraries import keras
from strategies import log_uniform

from adam_edu import Optimizer, descend
from adam_edu.problems import Bowl
from adam_edu.rules import SGD
from adam_edu.schedules import (
    Constant,
    Cosine,
    Exponential,
    InverseSqrt,
    KerasDecay,
    ReduceOnPlateau,
    Schedule,
    Step,
    Warmup,
)

STEPS = st.integers(1, 500)
SHARE = st.floats(0.01, 1.0)
SCHEDULES = st.one_of(
    st.just(Constant()),
    st.just(InverseSqrt()),
    st.builds(Exponential, SHARE),
    st.builds(Step, STEPS, SHARE),
    st.builds(Cosine, STEPS, SHARE),
    st.builds(KerasDecay, log_uniform(-6, 1)),
    st.builds(ReduceOnPlateau, SHARE, STEPS),
)


@given(schedule=SCHEDULES)
def test_every_schedule_begins_at_one(schedule):
    assert schedule(1) == 1.0


@given(schedule=SCHEDULES, t=st.integers(1, 2000))
def test_no_factor_is_negative_or_above_one_and_none_rises(schedule, t):
    assert 0 <= schedule(t + 1) <= schedule(t) <= 1
    assert type(schedule(t)) is float


@given(schedule=SCHEDULES, steps=STEPS)
def test_warmup_rises_to_one_and_then_hands_over(schedule, steps):
    warmup = Warmup(steps, then=schedule)
    factors = [warmup(t) for t in range(1, steps + 1)]
    assert factors[0] == 1 / steps > 0
    assert factors[-1] == 1.0
    assert np.allclose(np.diff(factors), 1 / steps)
    assert [warmup(steps + t) for t in (1, 2, 77)] == [schedule(t) for t in (1, 2, 77)]


def torchs(make, steps, losses=None):
    """Return the factors of a Torch scheduler at steps 1, 2, ..."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = make(optimizer)
    factors = []
    for t in range(steps):
        factors.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step(*([] if losses is None else [losses[t]]))
    return factors


def ours(schedule, steps):
    return [schedule(t) for t in range(1, steps + 1)]


LR = torch.optim.lr_scheduler


def test_exponential_is_torchs():
    theirs = torchs(lambda o: LR.ExponentialLR(o, 0.9), 50)
    assert ours(Exponential(0.9), 50) == pytest.approx(theirs, rel=1e-12)


def test_step_is_torchs():
    theirs = torchs(lambda o: LR.StepLR(o, 7, 0.3), 50)
    assert ours(Step(7, 0.3), 50) == pytest.approx(theirs, rel=1e-12)


@pytest.mark.parametrize("floor", [0.0, 0.1])
def test_cosine_is_torchs_up_to_its_end_and_then_stays(floor):
    theirs = torchs(lambda o: LR.CosineAnnealingLR(o, 40, floor), 41)
    assert ours(Cosine(40, floor), 41) == pytest.approx(theirs, rel=1e-9, abs=1e-15)
    assert Cosine(40, floor)(41) == Cosine(40, floor)(1000) == floor


def test_warmup_is_torchs():
    theirs = torchs(lambda o: LR.LinearLR(o, start_factor=0.1, total_iters=9), 30)
    assert ours(Warmup(10), 30) == pytest.approx(theirs, rel=1e-12)


def test_inverse_square_root_is_the_papers():
    theirs = torchs(lambda o: LR.LambdaLR(o, lambda i: (i + 1) ** -0.5), 50)
    assert ours(InverseSqrt(), 50) == pytest.approx(theirs, rel=1e-12)


def test_keras_decay_is_inverse_time_decay():
    theirs = keras.optimizers.schedules.InverseTimeDecay(1.0, decay_steps=1, decay_rate=0.01)
    for t in (1, 2, 10, 1000):
        assert KerasDecay(0.01)(t) == pytest.approx(float(theirs(t - 1)), rel=1e-6)


@given(
    losses=st.lists(st.floats(0.01, 10), min_size=60, max_size=60),
    factor=st.floats(0.1, 0.9),
    patience=st.integers(0, 8),
    threshold=st.sampled_from([0.0, 1e-4, 0.1]),
)
def test_reduce_on_plateau_is_torchs(losses, factor, patience, threshold):
    theirs = torchs(
        lambda o: LR.ReduceLROnPlateau(
            o, factor=factor, patience=patience, threshold=threshold, eps=0.0
        ),
        60,
        losses,
    )
    schedule, factors = ReduceOnPlateau(factor, patience, threshold), []
    for t, loss in enumerate(losses, start=1):
        factors.append(schedule(t))
        schedule.observe(loss)
    assert factors == pytest.approx(theirs, rel=1e-12)


def test_torch_counts_a_slightly_worse_negative_loss_as_an_improvement():
    losses = [-1.0, -0.99995, -0.9999, -0.99985, -0.9998]
    theirs = torchs(lambda o: LR.ReduceLROnPlateau(o, factor=0.5, patience=1), 5, losses)
    schedule = ReduceOnPlateau(factor=0.5, patience=1)
    for loss in losses:
        schedule.observe(loss)
    assert theirs[-1] == 1.0
    assert schedule(6) == 0.25


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_reduce_on_plateau_recovers_from_a_bad_first_loss(bad):
    schedule = ReduceOnPlateau(factor=0.5, patience=1)
    for loss in (bad, 3.0, 2.0, 1.0, 0.5):
        schedule.observe(loss)
    assert schedule(6) == 1.0


def test_warmup_passes_losses_on():
    schedule = Warmup(2, then=ReduceOnPlateau(factor=0.5, patience=0))
    for _ in range(3):
        schedule.observe(1.0)
    assert schedule(10) == 0.25


def test_drivers_copy_their_schedule():
    plateau = ReduceOnPlateau(factor=0.5, patience=0)
    trace = descend(SGD(lr=0.0), Bowl(), steps=5, schedule=plateau)
    assert plateau(1) == 1.0
    # A rate of zero never improves the loss; the first one is the best so far.
    assert descend(SGD(lr=1e-9), Bowl(), steps=5, schedule=plateau).lr[-1] < 1e-9
    assert trace.lr[1:].tolist() == [0.0] * 5

    optimizer = Optimizer(SGD(), np.zeros(1), plateau)
    for _ in range(3):
        optimizer.schedule.observe(1.0)
    assert (plateau(1), optimizer.schedule(1)) == (1.0, 0.25)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (
            lambda: Exponential(0.0),
            r"Exponential\(decay=0.0\): decay must be above 0 and at most 1",
        ),
        (lambda: Exponential(1.1), "the learning rate would grow"),
        (lambda: Exponential(math.nan), "decay must be above 0"),
        (lambda: Step(0), r"Step\(every=0\): every must be a whole number, 1 or more"),
        (lambda: Step(1.5), "every must be a whole number"),
        (lambda: Step(True), "every must be a whole number"),
        (lambda: Step(factor=2.0), "factor must be above 0 and at most 1"),
        (lambda: Cosine(-1), "steps must be a whole number, 1 or more"),
        (lambda: Cosine(floor=1.5), "floor must be from 0 to 1"),
        (lambda: KerasDecay(-1.0), "decay must be a finite number, 0 or more"),
        (lambda: KerasDecay(math.inf), "decay must be a finite number, 0 or more"),
        (lambda: Warmup(0), r"Warmup\(steps=0\): steps must be a whole number, 1 or more"),
        (lambda: ReduceOnPlateau(factor=0.0), "factor must be above 0"),
        (lambda: ReduceOnPlateau(patience=-1), "patience must be a whole number, 0 or more"),
        (lambda: ReduceOnPlateau(threshold=1.0), "threshold must be at least 0 and below 1"),
    ],
)
def test_bad_arguments_are_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_warmup_must_be_followed_by_a_schedule():
    with pytest.raises(TypeError, match="then must be a schedule"):
        Warmup(10, then=0.5)


def test_the_base_class_says_what_is_missing():
    with pytest.raises(NotImplementedError):
        Schedule()(1)

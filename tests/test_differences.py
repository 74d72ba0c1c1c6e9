"""Where a library differs from the paper, or from us: each claim of a docstring, shown.

Each test first shows that the two differ, then what would make them agree: so the difference is
exactly the one that is named. Gradients are recorded (see libraries.py), float64, 200 steps.
"""

import inspect
from dataclasses import replace
from functools import partial
from math import sqrt

import adabound
import numpy as np
import optax
import pytest
import torch
from libraries import (
    Path,
    difference,
    keras,
    recording,
    run_keras,
    run_optax,
    run_rule,
    run_sklearn,
    run_torch,
    torch_default_dtype,
)
from sklearn.neural_network._stochastic_optimizers import AdamOptimizer as SklearnAdam

from adam_edu.base import Rule
from adam_edu.rules import (
    AdaBound,
    AdaDelta,
    AdaGrad,
    Adam,
    AdaMax,
    AdamW,
    AMSGrad,
    CenteredRMSProp,
    Momentum,
    NAdam,
    Nesterov,
    RMSProp,
)

XS, GS = recording(seed=2, steps=200)


def apart(ours: Path, theirs: Path) -> bool:
    return difference(ours.x, theirs.x) > 1e-5


def together(ours: Path, theirs: Path) -> bool:
    return difference(ours.x, theirs.x) < 1e-12


def with_hat(rule: Rule, epsilon: float) -> Path:
    """Walk a rule whose epsilon, divided by sqrt(1 - beta2^t), acts as a constant epsilon hat."""
    slots = [np.zeros(XS.shape[1]) for _ in rule.slots]
    rows = []
    for t, (x, g) in enumerate(zip(XS, GS, strict=True), start=1):
        at_t = replace(rule, eps=epsilon / sqrt(1 - rule.beta2**t))
        x, *slots = at_t.update(t, x, g, *slots)
        rows.append(x)
    return Path(np.array(rows))


# Epsilon hat


def test_keras_adam_has_a_constant_epsilon_hat_of_1e_7():
    theirs = run_keras(partial(keras.optimizers.Adam, 1e-3), XS, GS)
    assert apart(run_rule(Adam(eps=1e-7), XS, GS), theirs)
    assert together(with_hat(Adam(), 1e-7), theirs)


def test_sklearn_adam_has_a_constant_epsilon_hat():
    theirs = run_sklearn(SklearnAdam([XS[0]], epsilon=1e-8), XS, GS)
    assert apart(run_rule(Adam(eps=1e-8), XS, GS), theirs)
    assert together(with_hat(Adam(), 1e-8), theirs)


def test_the_efficient_form_is_algorithm_1_where_epsilon_hat_follows_the_correction():
    def follow(t, optimizer):
        optimizer.epsilon = 1e-8 * sqrt(1 - 0.999**t)

    theirs = run_keras(partial(keras.optimizers.Adam, 1e-3), XS, GS, before_step=follow)
    assert together(run_rule(Adam(eps=1e-8), XS, GS), theirs)


def test_at_the_first_step_a_constant_epsilon_hat_acts_as_an_epsilon_32_times_larger():
    g = np.full((1, 1), 1e-7)
    theirs = run_keras(partial(keras.optimizers.Adam, 1e-3, epsilon=1e-8), 0 * g, g).x
    assert theirs == pytest.approx(-1e-3 * 1e-7 / (1e-7 + 31.6228e-8), rel=1e-5)


def test_keras_amsgrad_takes_the_maximum_of_v_and_has_epsilon_hat():
    theirs = run_keras(partial(keras.optimizers.Adam, 1e-3, amsgrad=True), XS, GS)
    assert apart(run_rule(AMSGrad(eps=1e-7), XS, GS), theirs)
    assert together(with_hat(AMSGrad(), 1e-7), theirs)


@pytest.mark.filterwarnings("ignore:This overload of add_ is deprecated")
def test_the_authors_adabound_has_a_constant_epsilon_hat():
    # Bounds so wide that they clip nothing: then only epsilon differs.
    wide = AdaBound(gamma=1e-9, final_lr=1.0)
    make = partial(adabound.AdaBound, gamma=1e-9, final_lr=1.0)
    theirs = run_torch(make, XS, GS)
    assert apart(run_rule(wide, XS, GS), theirs)
    assert together(with_hat(wide, 1e-8), theirs)


# AMSGrad


def test_optax_amsgrad_takes_the_maximum_of_the_corrected_moment():
    falling = np.concatenate([np.full((10, 1), 1.0), np.full((490, 1), 0.5)])
    theirs = run_optax(optax.amsgrad, 0 * falling, falling, learning_rate=1.0)
    ours = run_rule(AMSGrad(lr=1.0), 0 * falling, falling)
    assert apart(ours, theirs)
    # The first v-hat, 1, divides for ever; the maximum of v has not reached it after 500 steps.
    assert theirs.x[-1] == pytest.approx(-0.5, rel=1e-3)
    assert ours.x[-1] < -0.9


def test_optax_amsgrad_without_its_corrections_is_the_papers():
    # Ours at a late t has corrections of 1 as well.
    def optax_paper(lr):
        scale = optax.scale_by_amsgrad(bias_correction_mu=False, bias_correction_nu=False)
        return optax.chain(scale, optax.scale_by_learning_rate(lr))

    slots, rows = [np.zeros(XS.shape[1])] * 3, []
    for x, g in zip(XS, GS, strict=True):
        x, *slots = AMSGrad().update(10**6, x, g, *slots)
        rows.append(x)
    assert together(Path(np.array(rows)), run_optax(optax_paper, XS, GS, lr=1e-3))


# RMSProp and AdaGrad: epsilon inside the root, and a start that is not zero


@pytest.mark.parametrize("library", ["optax", "keras"])
def test_rmsprop_epsilon_is_inside_the_root(library):
    if library == "optax":
        theirs = run_optax(optax.rmsprop, XS, GS, learning_rate=1e-2, decay=0.99, eps=1e-7)
    else:
        make = partial(keras.optimizers.RMSprop, 1e-2, rho=0.99, epsilon=1e-7)
        theirs = run_keras(make, XS, GS)
    ours = run_rule(RMSProp(eps=1e-7), XS, GS)
    assert apart(ours, theirs)
    under_root = np.sqrt(ours.slots["v"] + 1e-7)
    assert together(Path(XS - 1e-2 * GS / under_root), theirs)


@pytest.mark.parametrize("library", ["optax", "keras"])
def test_centered_rmsprop_epsilon_is_inside_the_root_as_in_graves(library):
    if library == "optax":
        theirs = run_optax(optax_centered, XS, GS, lr=1e-2, rho=0.99, eps=1e-7)
    else:
        make = partial(keras.optimizers.RMSprop, 1e-2, rho=0.99, epsilon=1e-7, centered=True)
        theirs = run_keras(make, XS, GS)
    ours = run_rule(CenteredRMSProp(eps=1e-7), XS, GS)
    assert apart(ours, theirs)
    under_root = np.sqrt(ours.slots["v"] - ours.slots["m"] ** 2 + 1e-7)
    assert together(Path(XS - 1e-2 * GS / under_root), theirs)


def optax_centered(lr, rho, eps):
    return optax.rmsprop(lr, rho, eps, centered=True)


@pytest.mark.parametrize("library", ["optax", "keras"])
def test_adagrad_starts_at_a_tenth_with_epsilon_inside_the_root(library):
    if library == "optax":
        theirs = run_optax(optax.adagrad, XS, GS, learning_rate=1e-2)
    else:
        theirs = run_keras(partial(keras.optimizers.Adagrad, 1e-2), XS, GS)
    ours = run_rule(AdaGrad(eps=1e-7), XS, GS)
    assert apart(ours, theirs)
    under_root = np.sqrt(ours.slots["s"] + 0.1 + 1e-7)
    assert together(Path(XS - 1e-2 * GS / under_root), theirs)


def test_torch_centered_rmsprop_is_not_a_number_where_rounding_makes_the_variance_negative():
    # A constant gradient: v and m² meet, and their difference falls below zero by rounding.
    gs = np.full((2000, 1), 0.1)
    make = partial(torch.optim.RMSprop, alpha=0.9, centered=True)
    assert np.isnan(run_torch(make, 0 * gs, gs).x).any()
    assert np.isfinite(run_rule(CenteredRMSProp(rho=0.9), 0 * gs, gs).x).all()


# AdaDelta, AdaMax


def test_adadelta_defaults_of_keras():
    theirs = run_keras(keras.optimizers.Adadelta, XS, GS)
    assert apart(run_rule(AdaDelta(), XS, GS), theirs)
    assert together(run_rule(AdaDelta(lr=1e-3, rho=0.95, eps=1e-7), XS, GS), theirs)


def test_keras_adamax_adds_epsilon_after_the_maximum():
    theirs = run_keras(partial(keras.optimizers.Adamax, 2e-3, epsilon=1e-7), XS, GS)
    ours = run_rule(AdaMax(eps=1e-7), XS, GS)
    assert apart(ours, theirs)
    paper = run_rule(AdaMax(eps=0.0), XS, GS)
    u = paper.slots["u"]
    assert together(Path(XS + (paper.x - XS) * u / (u + 1e-7)), theirs)


# NAdam


def test_keras_nadam_warms_its_momentum_up_250_times_faster():
    theirs = run_keras(partial(keras.optimizers.Nadam, 2e-3, epsilon=1e-8), XS, GS)
    assert apart(run_rule(NAdam(), XS, GS), theirs)
    assert together(run_rule(NAdam(momentum_decay=1.0), XS, GS), theirs)


def test_optax_nadam_has_a_constant_momentum():
    theirs = run_optax(optax.nadam, XS, GS, learning_rate=2e-3)
    assert apart(run_rule(NAdam(), XS, GS), theirs)
    # So fast a warm-up is over at the first step.
    assert together(run_rule(NAdam(momentum_decay=1e6), XS, GS), theirs)


def test_torch_nadam_keeps_its_product_in_float32_by_default():
    ours = run_rule(NAdam(), XS, GS)
    by_dtype = {}
    for dtype in (torch.float32, torch.float64):
        with torch_default_dtype(dtype):
            theirs = run_torch(partial(torch.optim.NAdam, lr=2e-3), XS, GS)
        by_dtype[dtype] = difference(ours.x, theirs.x)
    assert by_dtype[torch.float64] < 1e-12
    assert 1e-9 < by_dtype[torch.float32] < 1e-5


# Weight decay


@pytest.mark.parametrize("library", ["torch", "optax", "keras"])
def test_adamw_decay_is_multiplied_by_the_rate_which_the_papers_is_not(library):
    zero = np.zeros((1, 1))
    lr, decay = 0.1, 0.5
    if library == "torch":
        make = partial(torch.optim.AdamW, lr=lr, weight_decay=decay)
        path = run_torch(make, zero + 2.0, zero)
    elif library == "optax":
        path = run_optax(optax.adamw, zero + 2.0, zero, learning_rate=lr, weight_decay=decay)
    else:
        path = run_keras(partial(keras.optimizers.AdamW, lr, decay), zero + 2.0, zero)
    paper = 2.0 - decay * 2.0
    assert path.x.item() == pytest.approx(2.0 - lr * decay * 2.0)
    assert path.x.item() != pytest.approx(paper)
    assert run_rule(AdamW(lr=lr, weight_decay=decay), zero + 2.0, zero).x.item() == path.x.item()


def test_default_decays():
    def default(function, name):
        return inspect.signature(function).parameters[name].default

    assert default(torch.optim.AdamW, "weight_decay") == AdamW().weight_decay == 1e-2
    assert default(optax.adamw, "weight_decay") == 1e-4
    assert default(keras.optimizers.AdamW, "weight_decay") == 4e-3


# Momentum


@pytest.mark.parametrize("rule", [Momentum(lr=0.1), Nesterov(lr=0.1)], ids=["Momentum", "Nesterov"])
def test_keras_keeps_the_rate_in_the_momentum_buffer(rule):
    nesterov = isinstance(rule, Nesterov)
    make = partial(keras.optimizers.SGD, 0.1, momentum=0.9, nesterov=nesterov)
    assert together(run_rule(rule, XS, GS), run_keras(make, XS, GS))

    slots, rows = [np.zeros(XS.shape[1])], []
    for t, (x, g) in enumerate(zip(XS, GS, strict=True), start=1):
        x, *slots = rule.scaled(1 / t).update(t, x, g, *slots)
        rows.append(x)
    under_schedule = Path(np.array(rows))

    def lower(t, optimizer):
        optimizer.learning_rate = 0.1 / t

    assert apart(under_schedule, run_keras(make, XS, GS, before_step=lower))

    def lower_group(t, group):
        group["lr"] = 0.1 / t

    make = partial(torch.optim.SGD, lr=0.1, momentum=0.9, nesterov=nesterov)
    assert together(under_schedule, run_torch(make, XS, GS, before_step=lower_group))


# Defaults


@pytest.mark.parametrize(
    ("rule", "peer", "names"),
    [
        (AdaGrad(), torch.optim.Adagrad, {"lr": "lr", "eps": "eps"}),
        (RMSProp(), torch.optim.RMSprop, {"lr": "lr", "rho": "alpha", "eps": "eps"}),
        (AdaDelta(), torch.optim.Adadelta, {"lr": "lr", "rho": "rho", "eps": "eps"}),
        (Adam(), torch.optim.Adam, {"lr": "lr", "eps": "eps"}),
        (AdaMax(), torch.optim.Adamax, {"lr": "lr", "eps": "eps"}),
        (
            NAdam(),
            torch.optim.NAdam,
            {"lr": "lr", "eps": "eps", "momentum_decay": "momentum_decay"},
        ),
        (Momentum(), torch.optim.SGD, {"lr": "lr"}),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Rule) else "",
)
def test_defaults_are_those_of_torch(rule, peer, names):
    defaults = peer([torch.zeros(1, requires_grad=True)]).defaults
    assert {ours: defaults[theirs] for ours, theirs in names.items()} == {
        ours: getattr(rule, ours) for ours in names
    }
    if "betas" in defaults:
        assert defaults["betas"] == (rule.beta1, rule.beta2)

"""Every rule against an independent implementation, open loop, in float64.

With its defaults over 1,000 steps; with hyper-parameters drawn at random over fewer, since some
implementations take a millisecond for a step.
"""

from dataclasses import asdict
from functools import partial
from math import sqrt

import adabound
import jax
import numpy as np
import optax
import optax.contrib
import pytest
import pytorch_optimizer
import torch
from hypothesis import given, settings, strategies as st
from libraries import (
    Path,
    difference,
    recording,
    run_optax,
    run_optax_schedule_free,
    run_rule,
    run_torch,
    torch_default_dtype,
)
from strategies import rules

from adam_edu import RULES

TOLERANCE = 1e-12


def adam_arguments(rule):
    return {"lr": rule.lr, "betas": (rule.beta1, rule.beta2), "eps": rule.eps, "foreach": False}


ADAM_SLOTS = {"m": "exp_avg", "v": "exp_avg_sq"}


def torch_sgd(rule, xs, gs):
    return run_torch(partial(torch.optim.SGD, lr=rule.lr), xs, gs)


def torch_momentum(rule, xs, gs, nesterov=False):
    make = partial(torch.optim.SGD, lr=rule.lr, momentum=rule.momentum, nesterov=nesterov)
    return run_torch(make, xs, gs, {"m": "momentum_buffer"})


def torch_adagrad(rule, xs, gs):
    return run_torch(partial(torch.optim.Adagrad, lr=rule.lr, eps=rule.eps), xs, gs, {"s": "sum"})


def torch_rmsprop(rule, xs, gs, centered=False):
    make = partial(torch.optim.RMSprop, lr=rule.lr, alpha=rule.rho, eps=rule.eps, centered=centered)
    slots = {"v": "square_avg"} | ({"m": "grad_avg"} if centered else {})
    return run_torch(make, xs, gs, slots)


def torch_adadelta(rule, xs, gs):
    make = partial(torch.optim.Adadelta, lr=rule.lr, rho=rule.rho, eps=rule.eps)
    return run_torch(make, xs, gs, {"v": "square_avg", "d": "acc_delta"})


def torch_adam(rule, xs, gs, amsgrad=False, **arguments):
    make = partial(torch.optim.Adam, amsgrad=amsgrad, **adam_arguments(rule), **arguments)
    slots = ADAM_SLOTS | ({"w": "max_exp_avg_sq"} if amsgrad else {})
    return run_torch(make, xs, gs, slots)


def torch_adam_l2(rule, xs, gs):
    return torch_adam(rule, xs, gs, weight_decay=rule.weight_decay)


def torch_adamw(rule, xs, gs):
    make = partial(torch.optim.AdamW, weight_decay=rule.weight_decay, **adam_arguments(rule))
    return run_torch(make, xs, gs, ADAM_SLOTS)


def torch_adamax(rule, xs, gs):
    make = partial(torch.optim.Adamax, **adam_arguments(rule))
    return run_torch(make, xs, gs, {"m": "exp_avg", "u": "exp_inf"})


def torch_nadam(rule, xs, gs):
    make = partial(torch.optim.NAdam, momentum_decay=rule.momentum_decay, **adam_arguments(rule))
    with torch_default_dtype(torch.float64):
        return run_torch(make, xs, gs, ADAM_SLOTS)


def torch_late_adam(rule, xs, gs):
    """Torch's Adam whose step count starts so high that both corrections are 1."""

    def make(params):
        optimizer = torch.optim.Adam(params, **adam_arguments(rule))
        zeros = {key: torch.zeros_like(params[0]) for key in ADAM_SLOTS.values()}
        optimizer.state[params[0]] = {"step": torch.tensor(1e9), **zeros}
        return optimizer

    return run_torch(make, xs, gs, ADAM_SLOTS)


def authors_adabound(rule, xs, gs):
    """The package of AdaBound's authors, which has epsilon hat: set at each step to match ours."""

    def epsilon_hat(t, group):
        group["eps"] = rule.eps * sqrt(1 - rule.beta2**t)

    arguments = asdict(rule)
    betas = arguments.pop("beta1"), arguments.pop("beta2")
    make = partial(adabound.AdaBound, betas=betas, **arguments)
    return run_torch(make, xs, gs, ADAM_SLOTS, epsilon_hat)


def optax_sgd(lr):
    return optax.sgd(lr)


def optax_momentum(lr, momentum):
    return optax.sgd(lr, momentum)


def optax_nesterov(lr, momentum):
    return optax.sgd(lr, momentum, nesterov=True)


def optax_rmsprop(lr, rho, eps):
    return optax.rmsprop(lr, rho, eps, eps_in_sqrt=False)


def optax_centered_rmsprop(lr, rho, eps):
    return optax.rmsprop(lr, rho, eps, eps_in_sqrt=False, centered=True)


def optax_adadelta(lr, rho, eps):
    return optax.adadelta(lr, rho, eps)


def optax_adam(lr, beta1, beta2, eps):
    return optax.adam(lr, beta1, beta2, eps)


def optax_adam_l2(lr, beta1, beta2, eps, weight_decay):
    return optax.chain(optax.add_decayed_weights(weight_decay), optax.adam(lr, beta1, beta2, eps))


def optax_adamw(lr, beta1, beta2, eps, weight_decay):
    return optax.adamw(lr, beta1, beta2, eps, weight_decay=weight_decay)


def optax_adamax(lr, beta1, beta2, eps):
    return optax.adamax(lr, beta1, beta2, eps)


def torch_radam(rule, xs, gs):
    """Torch has epsilon hat: set at each step to match ours."""

    def epsilon_hat(t, group):
        group["eps"] = rule.eps * sqrt(1 - rule.beta2**t)

    make = partial(torch.optim.RAdam, **adam_arguments(rule))
    return run_torch(make, xs, gs, ADAM_SLOTS, epsilon_hat)


def optax_lion(lr, beta1, beta2, weight_decay):
    return optax.lion(lr, beta1, beta2, weight_decay=weight_decay)


def optax_schedule_free_sgd(lr, beta):
    return optax.contrib.schedule_free(optax.sgd(lr), lr, beta)


def optax_schedule_free_adamw(lr, beta1, beta2, eps, weight_decay):
    return optax.contrib.schedule_free_adamw(
        lr, b1=beta1, b2=beta2, eps=eps, weight_decay=weight_decay
    )


def optax_yogi(lr, beta1, beta2, eps):
    """Optax's Yogi whose slots start at zero, and so late that both corrections are 1."""
    step = optax.scale_by_yogi(beta1, beta2, eps)

    def init(x):
        late = step.init(x)._replace(count=jax.numpy.asarray(10**9, jax.numpy.int32))
        return late._replace(mu=0 * x, nu=0 * x)

    return optax.chain(optax.GradientTransformation(init, step.update), optax.scale(-lr))


def optax_adabelief(lr, beta1, beta2, eps):
    return optax.adabelief(lr, beta1, beta2, eps, eps)


def optax_adopt(lr, beta1, beta2, eps):
    return optax.contrib.adopt(lr, beta1, beta2, eps)


def optax_ademamix(lr, beta1, beta2, beta3, mix, eps, weight_decay):
    return optax.contrib.ademamix(lr, beta1, beta2, beta3, mix, eps, weight_decay=weight_decay)


def three_betas(rule):
    return rule.beta1, rule.beta2, rule.beta3


def others_adan(rule, xs, gs):
    make = partial(
        pytorch_optimizer.Adan,
        lr=rule.lr,
        betas=three_betas(rule),
        eps=rule.eps,
        weight_decay=rule.weight_decay,
    )
    slots = {"m": "exp_avg", "y": "exp_avg_diff", "v": "exp_avg_sq"}
    return run_torch(make, xs, gs, slots)


def others_ademamix(rule, xs, gs):
    """pytorch-optimizer corrects the slow average as it does the fast one: undone at each step."""

    def uncorrected(t, group):
        group["alpha"] = rule.mix * (1 - rule.beta1**t)

    make = partial(
        pytorch_optimizer.AdEMAMix,
        lr=rule.lr,
        betas=three_betas(rule),
        eps=rule.eps,
        weight_decay=rule.weight_decay,
        weight_decouple=True,
    )
    return run_torch(make, xs, gs, ADAM_SLOTS | {"m2": "exp_avg_slow"}, uncorrected)


def one_weight_each(rule, xs, gs):
    """Cautious AdamW on a tensor for each weight, where its scale, d / (n + 1), is a half.

    It is pytorch-optimizer's AdEMAMix, which can be cautious, without the slow average.
    """

    def make(params):
        return pytorch_optimizer.AdEMAMix(
            params,
            lr=2 * rule.lr,
            betas=(rule.beta1, rule.beta2, 0.9),
            alpha=0.0,
            eps=rule.eps,
            weight_decay=rule.weight_decay / 2,
            weight_decouple=True,
            cautious=True,
        )

    columns = [run_torch(make, xs[:, [i]], gs[:, [i]], ADAM_SLOTS) for i in range(xs.shape[1])]
    slots = {name: np.hstack([one.slots[name] for one in columns]) for name in ADAM_SLOTS}
    return Path(np.hstack([one.x for one in columns]), slots)


def by_optax(make):
    return lambda rule, xs, gs: run_optax(make, xs, gs, **asdict(rule))


def by_optax_schedule_free(make):
    return lambda rule, xs, gs: run_optax_schedule_free(make, xs, gs, **asdict(rule))


# For each rule, the others' implementations that must agree with it. What they do differently is
# in test_differences.py.
PEERS = {
    "SGD": [torch_sgd, by_optax(optax_sgd)],
    "Momentum": [torch_momentum, by_optax(optax_momentum)],
    "Nesterov": [partial(torch_momentum, nesterov=True), by_optax(optax_nesterov)],
    "AdaGrad": [torch_adagrad],
    "RMSProp": [torch_rmsprop, by_optax(optax_rmsprop)],
    "CenteredRMSProp": [
        partial(torch_rmsprop, centered=True),
        by_optax(optax_centered_rmsprop),
    ],
    "AdaDelta": [torch_adadelta, by_optax(optax_adadelta)],
    "Adam": [torch_adam, by_optax(optax_adam)],
    "AdamUncorrected": [torch_late_adam],
    "AdaMax": [torch_adamax, by_optax(optax_adamax)],
    "NAdam": [torch_nadam],
    "AMSGrad": [partial(torch_adam, amsgrad=True)],
    "AdamL2": [torch_adam_l2, by_optax(optax_adam_l2)],
    "AdamW": [torch_adamw, by_optax(optax_adamw)],
    "AdaBound": [authors_adabound],
    "RAdam": [torch_radam],
    "Lion": [by_optax(optax_lion)],
    "ScheduleFreeSGD": [by_optax_schedule_free(optax_schedule_free_sgd)],
    "ScheduleFreeAdamW": [by_optax_schedule_free(optax_schedule_free_adamw)],
    "Yogi": [by_optax(optax_yogi)],
    "AdaBelief": [by_optax(optax_adabelief)],
    "Adan": [others_adan],
    "ADOPT": [by_optax(optax_adopt)],
    "AdEMAMix": [by_optax(optax_ademamix), others_ademamix],
    "CautiousAdamW": [one_weight_each],
}


def disagreement(ours: Path, theirs: Path) -> float:
    """Return the largest relative difference in the points and in the slots that both show."""
    pairs = [(ours.x, theirs.x)] + [(ours.slots[name], theirs.slots[name]) for name in theirs.slots]
    return max(difference(*pair) for pair in pairs)


def test_every_rule_has_a_peer():
    assert list(PEERS) == list(RULES)


@pytest.mark.filterwarnings("ignore:This overload of add_ is deprecated")
@pytest.mark.parametrize("name", RULES)
@settings(max_examples=8)
@given(data=st.data(), seed=st.integers(0, 2**32 - 1))
def test_rule_agrees_with_independent_implementations(name, data, seed):
    rule = data.draw(rules(RULES[name]))
    xs, gs = recording(seed, steps=200)
    ours = run_rule(rule, xs, gs)
    for peer in PEERS[name]:
        assert disagreement(ours, peer(rule, xs, gs)) < TOLERANCE


@pytest.mark.filterwarnings("ignore:This overload of add_ is deprecated")
@pytest.mark.parametrize("name", RULES)
def test_rule_agrees_at_its_defaults(name):
    rule = RULES[name]()
    xs, gs = recording(seed=0)
    for peer in PEERS[name]:
        assert disagreement(run_rule(rule, xs, gs), peer(rule, xs, gs)) < TOLERANCE

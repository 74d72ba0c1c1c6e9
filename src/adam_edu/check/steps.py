"""The exercises that ask for one step of an optimizer. What is right is the package's rule."""

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np

from ..base import Rule, domains
from ..rules import (
    SGD,
    AdaBound,
    AdaDelta,
    AdaGrad,
    Adam,
    AdaMax,
    AdamW,
    AMSGrad,
    Lion,
    Momentum,
    NAdam,
    Nesterov,
    RMSProp,
)
from .algorithm import algorithm_of
from .exercise import Exercise
from .kinds import ARRAYS, FLOATS, LISTS, TENSORS
from .mistake import Mistake, all_hard_coded, hard_coded
from .mistakes import adamax_nadam, buffers, relatives, squares
from .mistakes.adam import ADAM
from .mistakes.lion import LION

# No coordinate comes near zero, where rounding would look like a mistake. The last one's gradient
# is zero at first, as a rare word's is.
START = np.array([2.0, -3.0, 4.0, 2.5, -6.0])
GRADIENTS = np.array(
    [
        [5.0, -3.0, 0.1, 2.0, 0.0],
        [4.0, 1.0, -0.3, 2.5, 0.0],
        [-2.0, -4.0, 0.2, 3.0, 1.0],
    ]
)
STRONG = {"lr": 0.5, "eps": 0.3, "beta1": 0.5, "beta2": 0.6, "rho": 0.6, "momentum": 0.5}
STRONG |= {"weight_decay": 0.2, "momentum_decay": 30.0}
STRONG |= {"final_lr": 0.6, "gamma": 0.5}

PLACES = {
    "change": "the line that computes the new x",
    "x": "the line that computes the new x",
    "denominator": "the denominator of the step",
    "bias1": "the correction of m",
    "bias2": "the correction of v",
    "t": "where t is used",
    "lr": "the line that computes the new x",
    "eps": "the denominator of the step",
    "beta1": "where beta1 and beta2 are used",
    "beta2": "where beta1 and beta2 are used",
    "rho": "where rho is used",
    "momentum": "where momentum is used",
    "weight_decay": "where weight_decay is used",
    "momentum_decay": "where momentum_decay is used",
    "final_lr": "where final_lr is used",
    "gamma": "where gamma is used",
}


def step_exercise(
    name: str,
    rule: type[Rule],
    statement: str,
    mistakes: tuple[Mistake, ...],
    read: str,
    body: str = "...",
    planted: tuple[str, ...] = (),
    more: tuple[Any, ...] = (),
    neutral: tuple[str, ...] = (),
) -> Exercise:
    """Return the exercise to write one step of a rule, with the rule's own names and defaults.

    ``more`` are further gradients to run on, each of shape (steps, 5). ``neutral`` are settings
    whose default acts as if they were missing, which is another mistake.
    """
    defaults = rule()
    usual = {f.name: float(getattr(defaults, f.name)) for f in fields(rule)}
    fixed = [hard_coded(*setting) for setting in usual.items() if setting[0] not in neutral]
    if len(fixed) > 1:
        fixed.append(all_hard_coded(usual))
    values = {f.name: f"{getattr(defaults, f.name):g}".replace("e-0", "e-") for f in fields(rule)}
    hyper = ", ".join(f"{name}={value}" for name, value in values.items())
    arguments = ", ".join(("x", "g", *rule.slots, *(["t"] if _counts(rule) else [])))
    return Exercise(
        signature=f"{name}({arguments}, {hyper})",
        returns=("x", *rule.slots),
        statement=statement,
        lines=algorithm_of(rule),
        probes=tuple(_probes(rule)) + tuple(probe for gs in more for probe in _strong(rule, gs)),
        mistakes=(*mistakes, *fixed),
        read=read,
        kinds=(ARRAYS, FLOATS, LISTS, TENSORS),
        places=PLACES,
        body=body,
        planted=planted,
    )


def _counts(rule: type[Rule]) -> bool:
    """Return whether a rule's step depends on t."""
    return bool(rule().scalars(1))


def _probes(rule: type[Rule]) -> Iterator[dict[str, Any]]:
    """Yield the calls of a few runs: with the defaults but for a rate that can be seen, with
    settings under which every hyper-parameter matters, and with each of these at zero."""
    strong = rule(**{field.name: STRONG[field.name] for field in fields(rule)})
    yield from _run(rule().scaled(10), START, GRADIENTS)
    yield from _strong(rule, GRADIENTS)
    # Nor twice the same: where the two sides of a sign are equal, right answers may differ.
    nowhere_zero = np.where(GRADIENTS == 0, [[0.5], [0.7], [0.9]], GRADIENTS)
    for name, domain in domains(rule).items():  # type: ignore[arg-type]
        if name != "lr" and 0.0 in domain:
            yield from _run(replace(strong, **{name: 0.0}), START, nowhere_zero)


def _strong(rule: type[Rule], gradients: Any) -> Iterator[dict[str, Any]]:
    """Yield the calls of a run with settings under which every hyper-parameter matters."""
    settings = {field.name: STRONG[field.name] for field in fields(rule)}
    yield from _run(rule(**settings), START, gradients)


def _run(rule: Rule, x: Any, gradients: Any) -> Iterator[dict[str, Any]]:
    """Yield the arguments of each step of a run."""
    slots: Sequence[Any] = rule.init(x)
    settings = {field.name: getattr(rule, field.name) for field in fields(rule)}
    for t, g in enumerate(gradients, start=1):
        count = {"t": t} if _counts(type(rule)) else {}
        yield {"x": x, "g": g} | dict(zip(rule.slots, slots, strict=True)) | count | settings
        x, *slots = rule.update(t, x, g, *slots)


sgd_step = step_exercise(
    "sgd_step",
    SGD,
    "Write one step of gradient descent. You are given the parameter x and its gradient g; return "
    "the new x.",
    buffers.SGD,
    "gradient-descent",
)
momentum_step = step_exercise(
    "momentum_step",
    Momentum,
    "Write one step of gradient descent with momentum. You are given the parameter x, its gradient "
    "g and the buffer m, a decaying sum of gradients. Return the new x and m.",
    buffers.MOMENTUM,
    "momentum",
)
nesterov_step = step_exercise(
    "nesterov_step",
    Nesterov,
    "Finish the line of Nesterov's step, in the form of the libraries: the gradient is taken at x "
    "itself, and the step is the one that momentum would take next if this gradient held.",
    buffers.NESTEROV,
    "momentum",
    body="m = momentum * m + g\nx = x - lr * ...\nreturn x, m",
)
adagrad_step = step_exercise(
    "adagrad_step",
    AdaGrad,
    "Write one step of AdaGrad. You are given the parameter x, its gradient g and the sum s of the "
    "squared gradients before. Return the new x and s.",
    squares.ADAGRAD,
    "adagrad",
)
rmsprop_step = step_exercise(
    "rmsprop_step",
    RMSProp,
    "Write one step of RMSProp, with epsilon added to the root. You are given the parameter x, its "
    "gradient g and the average v of the squared gradients. Return the new x and v.",
    squares.RMSPROP,
    "rmsprop-adadelta",
)
adadelta_step = step_exercise(
    "adadelta_step",
    AdaDelta,
    "Write one step of AdaDelta, with epsilon inside both roots. You are given the parameter x, "
    "its gradient g, and the averages v of the squared gradients and d of the squared steps before "
    "they are multiplied by lr. Return the new x, v and d.",
    squares.ADADELTA,
    "rmsprop-adadelta",
    neutral=("lr",),
)
adam_step = step_exercise(
    "adam_step",
    Adam,
    "Write one step of Adam. You are given the parameter x, its gradient g, the moments m and v, "
    "and the number t of the step, 1 for the first. Return the new x, m and v, in this order.",
    ADAM,
    "bias-correction",
)
adamax_step = step_exercise(
    "adamax_step",
    AdaMax,
    "Write one step of AdaMax, with epsilon added to the gradient's size before the maximum is "
    "taken. You are given the parameter x, its gradient g, the moment m, the decaying maximum u "
    "and the step's number t. Return the new x, m and u.",
    adamax_nadam.ADAMAX,
    "adamax-nadam",
)
nadam_step = step_exercise(
    "nadam_step",
    NAdam,
    "Write one step of NAdam, with the mu that warms up: mu_t is beta1 * (1 - 0.5 * 0.96**(t * "
    "momentum_decay)). The products of all mu so far you compute from t. Return the new x, m and "
    "v.",
    adamax_nadam.NADAM,
    "adamax-nadam",
)
amsgrad_step = step_exercise(
    "amsgrad_step",
    AMSGrad,
    "Write one step of AMSGrad in Torch's form: w is the largest v so far, and both it and m are "
    "corrected before they are used. Return the new x, m, v and w.",
    relatives.AMSGRAD,
    "amsgrad",
    # Gradients that become small at once: whether the maximum decays then shows.
    more=(
        np.array(
            [[5.0, -3.0, 4.0, 2.0, 6.0], [0.5, 0.2, -0.3, 0.25, 0.1], [-0.2, 0.4, 0.2, 0.3, -0.4]]
        ),
    ),
)
adamw_step = step_exercise(
    "adamw_step",
    AdamW,
    "Write one step of AdamW from the paper's algorithm 2, with the decay multiplied by the "
    "learning rate, and acting on x as it was before the step. Return the new x, m and v.",
    relatives.ADAMW,
    "adamw",
)
adabound_step = step_exercise(
    "adabound_step",
    AdaBound,
    "Write one step of AdaBound as in its authors' code: the rate lr / (1 - beta1**t) / "
    "(sqrt(v_hat) + eps) is clipped between final_lr * (1 - 1 / (gamma * t + 1)) and final_lr * "
    "(1 + 1 / (gamma * t)), and multiplies m. Return the new x, m and v.",
    relatives.ADABOUND,
    "adabound",
    neutral=("eps",),
)
lion_step = step_exercise(
    "lion_step",
    Lion,
    "Write one step of Lion. Mix c from m and the gradient with beta1, and the new m with beta2. "
    "Move x by the learning rate against the sign of c, and by the weight decay as AdamW does. "
    "Return the new x and m.",
    LION,
    "after-adam",
    # A large gradient, then smaller ones the other way: what the sign is taken of decides.
    more=(
        np.array(
            [[5.0, 5.0, 5.0, -5.0, 5.0], [-0.5, -1.5, -3.0, 1.5, -1.0], [0.3, -2.0, 4.0, 9.0, 1]]
        ),
    ),
)

"""The capstone: write Yogi from its paper, and beat a tuned Adam with it.

Its loss is below a tuned Adam's on that problem since it has no correction: a schedule of its own.
"""
# mypy: allow-untyped-defs

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np

from ...ops import sign
from ...recent_rules import Yogi
from ...rules import Adam
from ..calling import by_name, trial_of
from ..challenge import Challenge, Flaw, is_number
from ..kinds import FLOATS, Array
from ..mistake import wrong
from ..mistakes import moments, returned, steps
from ..steps import step_exercise

STEPS, SEEDS = 1000, 16
CURVATURES = np.geomspace(0.1, 1, 20)
RATES = tuple(10.0 ** (power / 4) for power in range(-14, 1))


@wrong("v")
def yogi_is_adam(v, g, beta2):
    """Your second moment is Adam's: its change is in proportion to v - g squared. Yogi's takes only
    the sign of that, and its size is always that of g squared."""
    return beta2 * v + (1 - beta2) * g * g


@wrong("v")
def yogi_decays(v, g, beta2):
    """Your old v is multiplied by beta2, as Adam's is. Yogi's stays whole, and a share of g squared
    is added to it or taken from it. Yours falls as fast as Adam's when gradients become small, and
    that it should not is what Yogi was made for."""
    return beta2 * v - (1 - beta2) * sign(v - g * g) * g * g


@wrong("v")
def yogi_times_v(v, g, beta2):
    """The step of v is in proportion to v. It is in proportion to g squared; from v = 0 yours never
    begins."""
    return v - (1 - beta2) * sign(v - g * g) * v


yogi_step = step_exercise(
    "yogi_step",
    Yogi,
    "Write one step of Yogi: m as in Adam; v <- v - (1 - beta2) * sign(v - g**2) * g**2; and x <- "
    "x - lr * m / (sqrt(v) + eps), with no bias correction. Return the new x, m and v.",
    (
        yogi_is_adam,
        yogi_decays,
        yogi_times_v,
        *steps.DIRECTION,
        *(
            mistake.on(v_hat="v", m_hat="m")
            for mistake in (
                steps.eps_inside_root,
                steps.root_missing,
                steps.eps_missing,
                steps.eps_added_to_x,
            )
        ),
        *moments.FIRST_MOMENT,
        returned.state_not_returned,
        returned.moments_returned_swapped,
    ),
    "comparing-optimizers",
)


def _losses(update: Callable[..., Any]) -> Array:
    """Return the loss after training, for each seed. ``update`` takes t, x, g and two slots."""
    rng = np.random.default_rng(0)
    x = np.full(SEEDS * len(CURVATURES), 3.0)
    curvatures = np.tile(CURVATURES, SEEDS)
    slots = [np.zeros_like(x), np.zeros_like(x)]
    for t in range(1, STEPS + 1):
        g = curvatures * x + np.sqrt(curvatures) * rng.standard_normal(x.shape)
        x, *slots = update(t, x, g, *slots)
    final: Array = np.sum((curvatures * x * x / 2).reshape(SEEDS, -1), axis=1)
    return final


@cache
def _tuned_adam() -> tuple[float, float]:
    """Return Adam's lowest mean loss over a fine grid of rates, and its rate."""
    return min((float(_losses(Adam(lr).update).mean()), lr) for lr in RATES)


def _measure(step: Callable[..., Any], lr: float, eps: float) -> Mapping[str, Any]:
    settings = {"lr": float(lr), "beta1": 0.9, "beta2": 0.999, "eps": float(eps)}
    function = by_name(yogi_step, step)
    kind = trial_of(yogi_step, function).kind  # of numbers, for which it was written

    def update(t, *state):
        if kind is FLOATS:
            rows = zip(*(array.tolist() for array in state), strict=True)
            names = ("x", "g", "m", "v")
            results = [function(**dict(zip(names, row, strict=True)), **settings) for row in rows]
            return np.array(results, dtype=float).T
        arguments = dict(zip(("x", "g", "m", "v"), state, strict=True)) | settings
        return kind.call(function, arguments, yogi_step.returns)[0]

    adam, adam_lr = _tuned_adam()
    return {
        "loss": float(_losses(update).mean()),
        "smaller": _yogi(float(lr) / 10, float(eps)),
        "larger": _yogi(float(lr) * 10, float(eps)),
        "adam": adam,
        "adam_lr": adam_lr,
        "seeds": SEEDS,
    }


def _yogi(lr: float, eps: float) -> float:
    """Return Yogi's mean loss."""
    return float(_losses(Yogi(lr, eps=eps).update).mean())


@Flaw
def step_is_no_function(step):
    """The first thing to return is your function yogi_step itself, without brackets."""
    return not callable(step)


@Flaw
def lr_is_not_positive(lr):
    """lr, the second thing to return, must be a number above 0."""
    return not is_number(lr) or float(lr) <= 0


@Flaw
def eps_is_not_positive(eps):
    """eps, the third thing to return, must be a number above 0."""
    return not is_number(eps) or float(eps) <= 0


@Flaw
def step_is_not_yogi(step):
    """Your step is not Yogi's yet. check.yogi_step says where it differs."""
    return not yogi_step(step).ok


@Flaw
def yogi_diverges(loss):
    """With these settings the loss grows without bound. Try a smaller rate or a larger epsilon."""
    return not loss < 1e6


@Flaw
def yogi_too_slow(loss, adam, smaller, larger):
    """Your loss is far above Adam's, and your rate is small for this epsilon: after a thousand
    steps you have not arrived. Try a larger one."""
    return loss > 3 * adam and larger <= smaller


@Flaw
def yogi_too_fast(loss, adam, smaller, larger):
    """Your loss is far above Adam's, and your rate is large for this epsilon: the noise keeps it
    up. Try a smaller one."""
    return loss > 3 * adam and smaller < larger


@Flaw
def adam_is_better(loss, adam):
    """You are close, but Adam is still better. Try rates between those that you have tried, and
    another epsilon."""
    return loss >= adam


@Flaw
def not_a_fifth_better(loss, adam):
    """You have beaten Adam, by less than a fifth. Tune a little more."""
    return loss >= 0.8 * adam


beat_adam = Challenge(
    signature="beat_adam()",
    returns=("step", "lr", "eps"),
    statement="Return your yogi_step and the lr and eps with which it ends, on the mean of sixteen "
    "noisy runs, at least a fifth below an Adam whose rate was tuned on a fine grid. The "
    "loss is the sum of c * x**2 / 2 over twenty coordinates, with curvatures c from 0.1 "
    "to 1; each starts at 3, its gradient has noise of variance c, and there are a "
    "thousand steps.",
    read="comparing-optimizers",
    measure=_measure,
    flaws=(
        step_is_no_function,
        lr_is_not_positive,
        eps_is_not_positive,
        step_is_not_yogi,
        yogi_diverges,
        yogi_too_slow,
        yogi_too_fast,
        adam_is_better,
        not_a_fifth_better,
    ),
    said="Your mean loss over {seeds} runs is {loss:.3f}; Adam's, at its best rate {adam_lr:.3f}, "
    "{adam:.3f}.",
)

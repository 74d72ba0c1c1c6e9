"""The capstone: write AdaMod from its paper, and let its bound tame a rate that is too high.

Its bound starts at zero, so that a bound with a long memory is a warm-up and a lower rate at once.
"""
# mypy: allow-untyped-defs

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from ...base import Decay, Epsilon, Rate, Rule
from ...ops import maximum, sqrt
from ...rules import Adam
from ...theory import side_by_side
from ..calling import by_name, trial_of
from ..challenge import Challenge, Flaw, is_number
from ..kinds import FLOATS, Array
from ..mistake import wrong
from ..mistakes import moments, returned, steps
from ..steps import step_exercise

STEPS, SEEDS, RATE = 1000, 16, 0.3
# Few: a step that is written for floats is called for each by itself.
CURVATURES = np.tile(np.geomspace(0.1, 1, 8), SEEDS)
RATES = 10.0 ** (np.arange(-14, 1) / 4)
BETAS = 1 - 10.0 ** (np.arange(-20, -7) / 4)


@dataclass(frozen=True)
class AdaMod(Rule):
    r"""Adam whose rate for each weight may not exceed the average of its rates so far.

    .. math::
        \eta &= \frac{\alpha}{\sqrt{\hat v} + \epsilon} \\
        s &\leftarrow \beta_3 s + (1 - \beta_3)\, \eta \\
        x &\leftarrow x - \min(\eta, s)\, \hat m

    Source: Ding, Ren, Luo and Sun (2019). The authors' code corrects :math:`m` within the rate, so
    that its average has the correction in it.
    """

    lr: Rate = 1e-3
    beta1: Decay = 0.9
    beta2: Decay = 0.999
    beta3: Decay = 0.999
    eps: Epsilon = 1e-8
    slots = ("m", "v", "s")

    def scalars(self, t):
        """Return the corrections of m and v."""
        return 1 - self.beta1**t, 1 - self.beta2**t

    def step(self, x, g, m, v, s, bias1, bias2):
        """Return the change and the new moments and average."""
        m = self.beta1 * m + (1 - self.beta1) * g
        v = self.beta2 * v + (1 - self.beta2) * g * g
        m_hat = m / bias1
        v_hat = v / bias2
        eta = self.lr / (sqrt(v_hat) + self.eps)
        s = self.beta3 * s + (1 - self.beta3) * eta
        return maximum(-eta, -s) * m_hat, m, v, s  # minus the smaller of the two


@wrong("change")
def adamod_is_adam(eta, m_hat):
    """You step by eta itself: that is Adam. AdaMod takes the smaller of eta and its average s."""
    return -eta * m_hat


@wrong("change")
def average_alone(s, m_hat):
    """You step by the average s, whatever eta is. It is a bound only: where eta is smaller, as
    right after a large gradient, the step takes eta."""
    return -s * m_hat


@wrong("change")
def larger_of_both(eta, s, m_hat):
    """You take the larger of eta and s. The average is an upper bound: take the smaller."""
    return -maximum(eta, s) * m_hat


@wrong("change")
def bound_of_before(eta, s_before, m_hat):
    """Your bound is the s that you were given. The new eta goes into the average first; with the
    old one, the first step is zero."""
    return maximum(-eta, -s_before) * m_hat


@wrong("change")
def bound_corrected(eta, s, m_hat, beta3, t):
    """You correct s for the zero that it began with. AdaMod leaves the zero in: it keeps the first
    steps short, as a warm-up does."""
    return maximum(-eta, -s / (1 - beta3**t)) * m_hat


@wrong("s", "change")
def rate_outside(s, eta, m_hat, lr, beta3):
    """You multiply by lr outside the bound, so that s averages rates without it. The step is the
    same as long as lr is; under a schedule the bound would follow lr at once, and it should not."""
    s = beta3 * s + (1 - beta3) * eta / lr
    return s, lr * maximum(-eta / lr, -s) * m_hat


@wrong("returned s")
def bounded_rate_kept(eta, s):
    """You return the bounded rate as the new s. Keep the average itself."""
    return -maximum(-eta, -s)


@wrong("s")
def bounded_rate_averaged(s, eta, beta3):
    """You average the bounded rates. Then s, which starts at zero, bounds itself and stays at zero.
    Average eta as it is, before the bound."""
    return beta3 * s + (1 - beta3) * -maximum(-eta, -s)


@wrong("s", "change")
def quotients_averaged(s, eta, m_hat, beta3):
    """You average and bound whole steps, eta * m_hat. Both are of the rates alone: m_hat, whose
    sign would cancel in the average, is multiplied in last."""
    s = beta3 * s + (1 - beta3) * eta * m_hat
    return s, maximum(-eta * m_hat, -s)


@wrong("s", "change")
def roots_averaged(s, v_hat, m_hat, lr, beta3, eps):
    """You average the denominators. The average is of the rates, lr over the denominator: the mean
    of quotients is not the quotient of means."""
    root = sqrt(v_hat) + eps
    s = beta3 * s + (1 - beta3) * root
    return s, -lr / maximum(root, s) * m_hat


adamod_step = step_exercise(
    "adamod_step",
    AdaMod,
    "Write one step of AdaMod: m, v and their corrections as in Adam; eta = lr / (sqrt(v_hat) + "
    "eps); s <- beta3 * s + (1 - beta3) * eta; and x <- x - min(eta, s) * m_hat. Return the new x, "
    "m, v and s.",
    (
        adamod_is_adam,
        average_alone,
        larger_of_both,
        bound_of_before,
        bound_corrected,
        rate_outside,
        bounded_rate_kept,
        bounded_rate_averaged,
        quotients_averaged,
        roots_averaged,
        *steps.DIRECTION,
        *moments.FIRST_MOMENT,
        *moments.SECOND_MOMENT,
        returned.state_not_returned,
        returned.corrected_returned,
    ),
    "comparing-optimizers",
)


def _noisy() -> Callable[[Any, int], Any]:
    """Return the gradient at x and step t. Its noise is the same for each row of x."""
    rng = np.random.default_rng(0)

    def gradient(x, t):
        return CURVATURES * x + np.sqrt(CURVATURES) * rng.standard_normal(CURVATURES.size)

    return gradient


def _loss(x: Any) -> Array:
    """Return the mean over the seeds, for each row of x."""
    return np.asarray(np.sum(CURVATURES * x * x / 2, axis=-1) / SEEDS)


def _ends(rule: type[Rule], **settings: Any) -> Array:
    """Return where a rule ends with each of the settings, all run side by side."""
    rows = np.broadcast(*settings.values()).size
    columns: dict[str, Any] = {name: np.reshape(value, (-1, 1)) for name, value in settings.items()}
    start = np.full((rows, CURVATURES.size), 3.0)
    *_, x = side_by_side(rule, _noisy(), start, STEPS, **columns)
    return _loss(x)


@cache
def _adams() -> tuple[float, float, float]:
    """Return Adam's lowest mean loss over a fine grid of rates, its rate, and the loss at RATE."""
    *losses, wild = _ends(Adam, lr=[*RATES, RATE])
    best = int(np.argmin(losses))
    return float(losses[best]), float(RATES[best]), float(wild)


@cache
def _best() -> float:
    """Return the beta3 with which AdaMod ends lowest at RATE."""
    return float(BETAS[np.argmin(_ends(AdaMod, lr=RATE, beta3=BETAS))])


def _measure(step: Callable[..., Any], beta3: float) -> Mapping[str, Any]:
    settings = {"lr": RATE, "beta1": 0.9, "beta2": 0.999, "beta3": float(beta3), "eps": 1e-8}
    function = by_name(adamod_step, step)
    kind = trial_of(adamod_step, function).kind  # of numbers, for which it was written
    names = ("x", "g", *AdaMod.slots)

    def update(t, *state):
        if kind is FLOATS:
            rows = zip(*(array.tolist() for array in state), strict=True)
            results = [
                function(**dict(zip(names, row, strict=True)), t=t, **settings) for row in rows
            ]
            return np.array(results, dtype=float).T
        arguments = dict(zip(names, state, strict=True)) | {"t": t} | settings
        return kind.call(function, arguments, adamod_step.returns)[0]

    gradient, x = _noisy(), np.full(CURVATURES.size, 3.0)
    state = [np.zeros_like(x)] * len(AdaMod.slots)
    for t in range(1, STEPS + 1):
        x, *state = update(t, x, gradient(x, t), *state)
    adam, adam_lr, wild = _adams()
    return {
        "loss": float(_loss(x)),
        "best": _best(),
        "adam": adam,
        "adam_lr": adam_lr,
        "wild": wild,
        "rate": RATE,
        "seeds": SEEDS,
    }


@Flaw
def step_is_no_function(step):
    """The first thing to return is your function adamod_step itself, without brackets."""
    return not callable(step)


@Flaw
def beta3_is_no_decay(beta3):
    """beta3, the second thing to return, must be a number from 0 to below 1."""
    return not is_number(beta3) or not 0 <= float(beta3) < 1


@Flaw
def step_is_not_adamod(step):
    """Your step is not AdaMod's yet. check.adamod_step says where it differs."""
    return not adamod_step(step).ok


@Flaw
def bound_is_no_bound(beta3):
    """With a beta3 of 0 the average is the last rate itself: that is Adam, with no bound. Take a
    long memory."""
    return float(beta3) == 0


@Flaw
def bound_too_loose(loss, adam, beta3, best):
    """Your loss is far above that of a tuned Adam, and your bound is too loose: the average has
    forgotten the zero that it began with. Take a beta3 closer to 1."""
    return loss > 3 * adam and beta3 < best


@Flaw
def bound_too_tight(loss, adam, beta3, best):
    """Your loss is far above that of a tuned Adam, and your bound is too tight: after a thousand
    steps you have not arrived. Take a beta3 further from 1."""
    return loss > 3 * adam and beta3 > best


@Flaw
def not_within_twice(loss, adam):
    """You are near, with more than twice the loss of a tuned Adam. Try values between those that
    you have tried: it is 1 - beta3 that counts."""
    return loss > 2 * adam


tame_the_rate = Challenge(
    signature="tame_the_rate()",
    returns=("step", "beta3"),
    statement="The rate is 0.3, thirty times the best one for Adam. Return your adamod_step and "
    "the beta3 with which it still ends, on the mean of sixteen noisy runs, with at most twice the "
    "loss of an Adam whose rate was tuned on a fine grid. The loss is the sum of c * x**2 / 2 over "
    "eight coordinates, with curvatures c from 0.1 to 1; each starts at 3, its gradient has noise "
    "of variance c, and there are a thousand steps.",
    read="comparing-optimizers",
    measure=_measure,
    flaws=(
        step_is_no_function,
        beta3_is_no_decay,
        step_is_not_adamod,
        bound_is_no_bound,
        bound_too_loose,
        bound_too_tight,
        not_within_twice,
    ),
    said="At the rate {rate} your mean loss over {seeds} runs is {loss:.3f}, and Adam's is "
    "{wild:.1f}. At its best rate, {adam_lr:.3f}, Adam's is {adam:.3f}.",
)

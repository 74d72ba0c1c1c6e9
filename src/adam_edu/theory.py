"""What the theorems on Adam bound, and their bounds, computed of a run.

The theorem is that of Kingma and Ba (2015), section 4. Its proof has a flaw (Reddi, Kale and Kumar,
2018), so its bound may be below the regret; those of gradient descent and AdaGrad hold.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .base import Decay, Epsilon, Rate, Rule
from .moments import moving_average
from .ops import sqrt
from .program import BEFORE, program_of
from .schedules import Constant, Schedule

Array = NDArray[np.floating[Any]]


def regret(played: ArrayLike, fixed: ArrayLike) -> float:
    """Return what was lost beyond the best fixed point: the best in hindsight, one for all steps.

    Parameters
    ----------
    played : the loss of each step at the point that was chosen for it, shape (steps,)
    fixed : the losses that some fixed points would have had, shape (steps, points)

    Raises
    ------
    ValueError
        If the shapes do not fit, or there is no point.

    Examples
    --------
    >>> regret([1.0, 1.0, 1.0], fixed=[[0.0, 2.0], [1.0, 0.0], [1.0, 0.0]])
    1.0
    """
    played, fixed = np.asarray(played, dtype=float), np.asarray(fixed, dtype=float)
    if played.ndim != 1 or fixed.ndim != 2 or len(fixed) != len(played) or not fixed.size:
        raise ValueError(
            "played must have shape (steps,) and fixed (steps, points), with a point at least, "
            f"not {played.shape} and {fixed.shape}"
        )
    return float(played.sum() - fixed.sum(axis=0).min())


@dataclass(frozen=True)
class TheoremAdam(Rule):
    r"""Adam as theorem 4.1 has it: :math:`\beta_1` decays by the factor ``decay`` at each step.

    .. math::
        \beta_{1,t} &= \beta_1 \lambda^{t-1} \\
        m &\leftarrow \beta_{1,t}\, m + (1 - \beta_{1,t})\, g \\
        v &\leftarrow \beta_2 v + (1 - \beta_2)\, g^2 \\
        x &\leftarrow x - \alpha \frac{m / (1 - \beta_1^t)}{\sqrt{v / (1 - \beta_2^t)} + \epsilon}

    Source: Kingma and Ba (2015), sections 4 and 10.1, whose correction of m is that of the constant
    :math:`\beta_1`. The rate falls by a schedule: :math:`\alpha_t = \alpha / \sqrt t`.

    Examples
    --------
    >>> rule = TheoremAdam(lr=0.1, decay=0.5)
    >>> [round(rule.scalars(t)[0], 4) for t in (1, 2, 3)]
    [0.9, 0.45, 0.225]
    """

    lr: Rate = 1e-3
    beta1: Decay = 0.9
    beta2: Decay = 0.999
    decay: Decay = 1 - 1e-8
    eps: Epsilon = 1e-8
    slots = ("m", "v")

    def scalars(self, t: Any) -> tuple[Any, ...]:
        """Return beta1 of step ``t``, and what the two averages are divided by."""
        return self.beta1 * self.decay ** (t - 1), 1 - self.beta1**t, 1 - self.beta2**t

    def step(self, x, g, m, v, beta1_t, bias1, bias2):  # type: ignore[no-untyped-def]  # noqa: D102
        m = beta1_t * m + (1 - beta1_t) * g
        v = self.beta2 * v + (1 - self.beta2) * g * g
        m_hat = m / bias1
        v_hat = v / bias2
        return -self.lr * m_hat / (sqrt(v_hat) + self.eps), m, v


def inverse_rates(g: Array, rule: Any) -> Array:
    r"""Return :math:`\sqrt{\hat v_t} / \alpha_t` at each step, shape (steps, n), under
    :math:`\alpha_t = \alpha / \sqrt t`.

    Parameters
    ----------
    g : the gradients, shape (steps, n)
    rule : has ``lr`` and ``beta2``
    """
    t = np.arange(1, len(g) + 1)[:, np.newaxis]
    return np.sqrt(t * moving_average(g * g, rule.beta2, corrected=True)) / rule.lr


def adam_bound(g: Array, rule: TheoremAdam, distance: float, widest: float) -> Array:
    r"""Return the three terms of theorem 4.1 after each step, shape (3, steps).

    .. math::
        \frac{D^2}{2\alpha(1-\beta_1)} \sum_i \sqrt{T \hat v_{T,i}}, \quad
        \frac{\alpha (1+\beta_1) G_\infty}{(1-\beta_1)\sqrt{1-\beta_2}\,(1-\gamma)^2}
        \sum_i \lVert g_{1:T,i} \rVert_2, \quad
        \sum_i \frac{D_\infty^2 G_\infty \sqrt{1-\beta_2}}{2\alpha(1-\beta_1)(1-\lambda)^2}

    with :math:`\gamma = \beta_1^2 / \sqrt{\beta_2}`. Source: Kingma and Ba (2015), section 4.

    Parameters
    ----------
    g : the gradients of a run, shape (steps, n); G is their largest entry
    rule : with what it ran, under a rate that falls as the root of t
    distance : D, the largest distance of two points of the run
    widest : the largest distance in one coordinate

    Raises
    ------
    ValueError
        If the theorem does not speak of such betas.

    Examples
    --------
    >>> rule = TheoremAdam(lr=1.0, beta1=0.0, beta2=0.75, decay=0.0)
    >>> adam_bound(np.array([[1.0], [-1.0]]), rule, distance=2.0, widest=2.0).round(3).tolist()
    [[2.0, 2.828], [2.0, 2.828], [1.0, 1.0]]
    """
    gamma = rule.beta1**2 / rule.beta2**0.5 if rule.beta2 else np.inf
    if not gamma < 1:
        raise ValueError(
            f"beta1 = {rule.beta1:g} and beta2 = {rule.beta2:g}: the theorem asks for "
            f"beta1**2 / sqrt(beta2) below 1, and this is {gamma:.3g}"
        )
    largest, forgets = np.abs(g).max(), 1 - rule.beta2
    first = distance**2 / 2 / (1 - rule.beta1) * inverse_rates(g, rule).sum(axis=1)
    lengths = np.sqrt(np.cumsum(g * g, axis=0)).sum(axis=1)
    second = rule.lr * (1 + rule.beta1) * largest / (1 - rule.beta1) / forgets**0.5 * lengths
    third = g.shape[1] * widest**2 * largest * forgets**0.5
    third /= 2 * rule.lr * (1 - rule.beta1) * (1 - rule.decay) ** 2
    return np.stack([first, second / (1 - gamma) ** 2, np.full(len(g), third)])


def descent_bound(g: Array, lr: float, distance: float) -> Array:
    r"""Return the bound of projected gradient descent with the rate ``lr`` / sqrt(t), after each
    step: :math:`D^2 \sqrt T / 2\alpha + \alpha G^2 \sqrt T`.

    Source: Zinkevich (2003), theorem 1, there with :math:`\alpha = 1`.

    Parameters
    ----------
    g : the gradients, shape (steps, n); G is the length of the longest
    distance : D, the largest distance from the best point

    Examples
    --------
    >>> descent_bound(np.array([[3.0, 4.0]] * 4), lr=0.1, distance=1.0).tolist()[-1]
    15.0
    """
    longest = np.linalg.norm(g, axis=1).max()
    roots = np.sqrt(np.arange(1, len(g) + 1))
    return (distance**2 / (2 * lr) + lr * longest**2) * roots


def adagrad_bound(g: Array, lr: float, widest: float) -> Array:
    r"""Return the bound of AdaGrad after each step:
    :math:`(D_\infty^2 / 2\alpha + \alpha) \sum_i \lVert g_{1:T,i} \rVert_2`.

    Source: Duchi, Hazan and Singer (2011), theorem 5.

    Parameters
    ----------
    g : the gradients, shape (steps, n)
    widest : the largest distance from the best point in one coordinate

    Examples
    --------
    >>> adagrad_bound(np.array([[3.0], [4.0]]), lr=1.0, widest=2.0).tolist()
    [9.0, 15.0]
    """
    return (widest**2 / (2 * lr) + lr) * np.sqrt(np.cumsum(g * g, axis=0)).sum(axis=1)


def side_by_side(
    rule: type[Rule],
    gradient: Callable[[Array, int], Array],
    start: Array,
    steps: int,
    schedule: Schedule | None = None,
    **settings: ArrayLike,
) -> Iterator[Array]:
    """Yield x after each step of a rule whose hyper-parameters are arrays: a map at the cost of a
    run.

    The rule's lines are run on all settings at once (:func:`adam_edu.program.program_of`).

    Parameters
    ----------
    rule : the class
    gradient : what is seen at ``x``, of its shape, at step t
    start : where each begins; ``x`` has its shape
    schedule : the factor on ``lr`` at each step
    settings : the hyper-parameters that are not the usual ones, of shapes that broadcast with x

    Raises
    ------
    TypeError
        If the rule has no such hyper-parameter.

    Examples
    --------
    >>> from adam_edu.rules import SGD
    >>> *_, x = side_by_side(SGD, lambda x, t: x, np.ones(2), 3, lr=np.array([0.5, 1.0]))
    >>> x.tolist()
    [0.125, 0.0]
    """
    program, schedule = program_of(rule), Constant() if schedule is None else schedule
    usual = dict(program.usual)
    if unknown := set(settings) - set(usual):
        raise TypeError(f"{rule.__name__} has no {', '.join(sorted(unknown))}; it has {[*usual]}")
    given = usual | {name: np.asarray(value, dtype=float) for name, value in settings.items()}
    values = {"x": start} | dict.fromkeys(rule.slots, np.zeros_like(start))
    rate = given["lr"]
    for t in range(1, steps + 1):
        given |= {name + BEFORE: values[name] for name in program.results}
        given |= {"g": gradient(values["x"], t), "t": t, "lr": rate * schedule(t)}
        values = program.run(given)
        yield values["x"]

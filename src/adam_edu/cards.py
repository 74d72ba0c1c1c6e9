"""The facts of an optimizer on one card, computed from its rule: for readers who look them up."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

import numpy as np

from .base import Rule
from .descent import steps_of
from .libraries import MEASURABLE, atlas
from .lines import lines_of
from .rules import Adam
from .symbolic import step_latex, symbol

SILENCE = 100_000  # steps without a gradient, after which any average has forgotten its start
AWAKE = 400  # steps with one, until each window of a default has seen enough
GROWTH = np.round(np.arange(0.5, 1.4, 0.01), 2)  # of the gradients, from one step to the next
ENDLESS = 1e3  # learning rates: only gradients that grow for ever lead there
BY_SIZE = "no limit: it grows with the gradients"
BY_GROWTH = "no limit: it grows as long as the gradients grow"  # their size makes no difference


def first_step(rule: Rule, g: float) -> float:
    """Return how far the first step goes, in learning rates, for the gradient ``g`` at ``x = 0``.

    Examples
    --------
    >>> from adam_edu.rules import Adam
    >>> round(first_step(Adam(), 3.0), 6), round(first_step(Adam(), 1e-8), 6)
    (1.0, 0.5)
    """
    unit = _at_rate_one(rule)
    return -float(unit.update(1, 0.0, g, *unit.init(0.0))[0])


def longest_step(rule: Rule) -> float:
    """Return the longest step found, in learning rates, or infinity where larger gradients make it
    longer.

    Gradients that begin at once or after 100,000 steps of silence, and then grow or shrink by a
    factor a step: 90 factors, and the worst for two moving averages, ``beta2 / beta1``, and for a
    maximum that decays, ``beta2``. The chapter *How long can a step be?* proves that for Adam
    nothing is worse.

    Examples
    --------
    >>> from adam_edu.rules import Adam, AdaGrad, SGD
    >>> round(longest_step(Adam()), 2), round(longest_step(AdaGrad()), 2), longest_step(SGD())
    (7.27, 1.0, inf)
    """
    unit = _at_rate_one(rule)
    small, large = (_longest_from(unit, size) for size in (1e3, 1e6))
    return small if large < 1.1 * small < ENDLESS else float("inf")


def _longest_from(rule: Rule, size: float) -> float:
    growth = GROWTH
    beta1, beta2 = getattr(rule, "beta1", 0.0), getattr(rule, "beta2", 0.0)
    if beta1 and beta2:
        growth = np.append(growth, (beta2 / beta1, beta2))
    gradients = size * growth ** np.arange(AWAKE)[:, None]
    steps = [steps_of(rule, gradients, silence) for silence in (0, SILENCE)]
    return float(np.abs(steps).max())


def _at_rate_one(rule: Rule) -> Rule:
    return rule.scaled(1 / rule.lr)  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Card:
    """What :func:`card` shows: a table in a notebook and on the page, lines of text elsewhere."""

    title: str
    rows: tuple[tuple[str, str], ...]

    def __repr__(self) -> str:
        return "\n".join([self.title, *(f"{name}: {fact}" for name, fact in self.rows)])

    def _repr_markdown_(self) -> str:
        head = [f"| {self.title} | the facts |", "| --- | --- |"]
        return "\n".join([*head, *(f"| {name} | {fact} |" for name, fact in self.rows)])


def card(rule: Rule | type[Rule], take: str, leave: str) -> Card:
    """Return the fact card of an optimizer.

    Parameters
    ----------
    rule : with its settings, or a class, for the defaults
    take, leave : when to take it, and when not, in words

    Examples
    --------
    >>> from adam_edu.rules import Adam
    >>> print(card(Adam, "a network is deep", "memory is short"))  # doctest: +ELLIPSIS
    Adam
    step: $x \\leftarrow x - \\frac{\\alpha \\hat m}{\\sqrt{\\hat v} + \\epsilon}$
    defaults: $\\alpha = 0.001$, $\\beta_1 = 0.9$, $\\beta_2 = 0.999$, $\\epsilon = 10^{-8}$
    kept per weight: 2 numbers, $m$ and $v$
    first step: $1.00\\,\\alpha$ for the gradient 1, $0.91\\,\\alpha$ for $10^{-7}$
    longest step: $7.27\\,\\alpha$
    epsilon: added to the root, after the correction, as in 31 libraries of the atlas (among ...
    take it when: a network is deep
    not when: memory is short
    """
    made = rule if isinstance(rule, Rule) else rule()
    rows = [
        ("step", f"${step_latex(made)}$"),
        ("defaults", ", ".join(_settings(type(made)()))),
        ("kept per weight", _kept(made)),
        ("first step", _first(made)),
        ("longest step", _longest(made)),
        *_epsilon(made),
        ("take it when", take),
        ("not when", leave),
    ]
    return Card(type(made).__name__, tuple(rows))


def _settings(rule: Rule) -> Iterator[str]:
    for field in fields(rule):
        yield f"${symbol(field.name)} = {_number(getattr(rule, field.name))}$"


def _number(value: float) -> str:
    digits, _, power = f"{value:g}".partition("e")
    if power:
        mantissa = "" if digits == "1" else rf"{digits} \cdot "
        return f"{mantissa}10^{{{int(power)}}}"
    return digits


def _kept(rule: Rule) -> str:
    names = [f"${symbol(name)}$" for name in rule.slots]
    if len(names) < 2:
        return f"1 number, {names[0]}" if names else "nothing"
    return f"{len(names)} numbers, {', '.join(names[:-1])} and {names[-1]}"


def _first(rule: Rule) -> str:
    one, small = (first_step(rule, g) for g in (1.0, 1e-7))
    return rf"${_steps(one)}\,\alpha$ for the gradient 1, ${_steps(small)}\,\alpha$ for $10^{{-7}}$"


def _steps(length: float) -> str:
    return f"{length:.2f}" if abs(length) >= 0.01 else _number(float(f"{length:.2g}"))


def _longest(rule: Rule) -> str:
    longest = longest_step(rule)
    if np.isinf(longest):
        return BY_SIZE if first_step(rule, 1e6) > 2 * first_step(rule, 1e3) else BY_GROWTH
    return rf"${_steps(longest)}\,\alpha$"


def _epsilon(rule: Rule) -> Iterator[tuple[str, str]]:
    """Yield where epsilon stands, if it is in the denominator alone, and who puts it there."""
    if not hasattr(rule, "eps") or r"\sqrt" not in step_latex(rule):
        return
    # So large that it is the denominator: below the root its root divides, beside the root it does.
    large, larger = (first_step(replace(rule, eps=eps), 1.0) for eps in (1e8, 1e10))  # type: ignore[call-arg]
    places = {100: "added to the root", 10: "below the root"}
    place = places.get(round(large / larger)) if larger else None
    if place is None:
        return
    if {"bias1", "bias2"} <= set(lines_of(type(rule)).factors):
        place += ", after the correction"
    if type(rule) is Adam:
        here, before = (_libraries_with(form) for form in ("Adam", "EpsilonHat"))
        place += f", as in {here}; before it in {before}"
    yield "epsilon", place


def _libraries_with(form: str) -> str:
    """Say in how many libraries of the atlas the Adam, or the first of several, is that rule."""
    adams: dict[str, str] = {}
    for row in atlas():
        if row.kin == "Adam":
            adams.setdefault(row.library, row.rule)
    names = [library for library, rule in adams.items() if rule == form]
    best_known = " and ".join(name for name in MEASURABLE if name in names)
    return f"{len(names)} libraries of the atlas (among them {best_known})"

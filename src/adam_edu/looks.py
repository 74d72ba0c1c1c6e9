"""How each optimizer is drawn, wherever it is: a colour, a marker and a dash of its own."""

from typing import Any, NamedTuple

from .names import lookup


class Style(NamedTuple):
    """How one optimizer is drawn. Colours have a contrast of 3 or more with white."""

    color: str
    marker: str
    dash: str | tuple[int, tuple[int, ...]] = "-"


DOTTED = (0, (1, 1))
DASHED = (0, (4, 2))

STYLE: dict[str, Style] = {
    "SGD": Style("#4d4d4d", "o"),
    "Momentum": Style("#0072b2", "s"),
    "Nesterov": Style("#2f8fc9", "D", DASHED),
    "AdaGrad": Style("#00805e", "^"),
    "RMSProp": Style("#c26200", "v"),
    "CenteredRMSProp": Style("#8f4a00", "<", DASHED),
    "AdaDelta": Style("#8a7300", ">"),
    "Adam": Style("#c8102e", "o"),
    "AdamUncorrected": Style("#d6527a", "X", DASHED),
    "AdaMax": Style("#7b1fa2", "P"),
    "NAdam": Style("#b0479e", "D", DASHED),
    "AMSGrad": Style("#5b3fc4", "<"),
    "AdamL2": Style("#96606f", "d", DOTTED),
    "AdamW": Style("#5c7a00", "*"),
    "AdaBound": Style("#2b7a85", ">"),
    "RAdam": Style("#a8442a", "v", DASHED),
    "Lion": Style("#9a6a00", "D"),
    "ScheduleFreeSGD": Style("#6b6b8f", "s", DASHED),
    "ScheduleFreeAdamW": Style("#3f6fb5", "X"),
    "Yogi": Style("#a06a3a", "^", DASHED),
    "AdaBelief": Style("#1f7a8c", "P", DASHED),
    "Adan": Style("#7a5195", "s"),
    "ADOPT": Style("#00704a", "d"),
    "AdEMAMix": Style("#b5345e", ">"),
    "CautiousAdamW": Style("#4f6d00", "h", DASHED),
    # Rules of whole matrices, see matrix_rules.
    "LAMB": Style("#7d7d2b", "d"),
    "Adafactor": Style("#b8562e", "p", DOTTED),
    "Muon": Style("#008b8b", "^", DASHED),
    "Shampoo": Style("#6a5acd", "p"),
}

# For what is no optimizer, such as a gradient and its two moments.
INK = "#333333"
GRADIENT = "#767676"
FIRST_MOMENT = "#0072b2"
SECOND_MOMENT = "#c26200"

# For several traces of one rule, or for what is no optimizer at all.
SERIES = (
    Style("#0072b2", "o"),
    Style("#c26200", "s"),
    Style("#00805e", "^"),
    Style("#7b1fa2", "D"),
    Style("#c8102e", "v"),
    Style("#4d4d4d", "P"),
)


def line_style(name: str) -> dict[str, Any]:
    """Return the arguments of ``plot`` for a line of the optimizer of that name.

    A variant of it, named after a comma, is dotted.

    >>> line_style("SGD")
    {'color': '#4d4d4d', 'linestyle': '-', 'label': 'SGD'}
    >>> line_style("SGD, averaged")["linestyle"]
    (0, (1, 1))
    """
    optimizer, comma, _ = name.partition(",")
    style = lookup(optimizer, STYLE, "optimizer")
    return {"color": style.color, "linestyle": DOTTED if comma else style.dash, "label": name}


def marker(name: str) -> dict[str, Any]:
    """Return the arguments of ``plot`` for the markers of an optimizer; a variant's are hollow."""
    optimizer, comma, _ = name.partition(",")
    shape = {"marker": lookup(optimizer, STYLE, "optimizer").marker, "markersize": 5}
    return shape | ({"markerfacecolor": "white"} if comma else {})

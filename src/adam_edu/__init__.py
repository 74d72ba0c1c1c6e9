"""Adam, from the ground up: optimizers as rules of a few lines, written once, run everywhere.

``import adam_edu as ae`` loads the rules and their NumPy driver, and needs NumPy alone. Torch,
SciPy, SymPy, Matplotlib and anywidget load with the room that uses them: ``adam_edu.torch``,
``adam_edu.evidence``, ``adam_edu.symbolic``, ``adam_edu.plots``, ``adam_edu.lab``.
"""

from . import problems, schedules
from .base import Rule
from .descent import Optimizer, Trace, descend, steps_of
from .moments import moving_average
from .names import lookup
from .rules import RULES

__version__ = "0.1.0"

__all__ = [
    "RULES",
    "Optimizer",
    "Rule",
    "Trace",
    "descend",
    "moving_average",
    "problems",
    "rule",
    "schedules",
    "steps_of",
]


def rule(name: str, **hyper_parameters: float) -> Rule:
    """Return a rule by its name, whatever its case, with the given hyper-parameters.

    Raises
    ------
    KeyError
        If there is no such rule; the message offers the nearest.

    Examples
    --------
    >>> rule("adam", lr=0.1)
    Adam(lr=0.1, beta1=0.9, beta2=0.999, eps=1e-08)
    """
    return lookup(name, RULES, "rule")(**hyper_parameters)

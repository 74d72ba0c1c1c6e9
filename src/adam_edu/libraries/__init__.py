"""Other people's optimizers: what their Adam is by default, and what any optimizer computes.

:func:`identify` drives an optimizer from outside and says which rule it runs, with which
hyper-parameters. :func:`port` says the settings of one library in the words of another,
:func:`port_schedule` those of a schedule, and :func:`port_state` moves what an optimizer remembers.
:func:`atlas` is the record of all optimizers that were identified so, in some seventy libraries.
The shorter record ``results/library-defaults.json`` says for every library that the course names
what its Adam's defaults are and where epsilon stands; :func:`measure` measures it again.
"""

from ..forms import EpsilonHat
from .atlas import Row, atlas
from .base import Driver, Unusable
from .drive import driver
from .functions import Command
from .identify import Identity, identify
from .measuring import Made, measured
from .port import Ported, port
from .rates import PortedSchedule, port_schedule
from .rules import FORMS
from .state import port_state
from .survey import (
    ALGORITHM_1,
    EPSILON_HAT,
    INSIDE_ROOT,
    MEASURABLE,
    Library,
    as_text,
    defaults,
    epsilon_form,
    measure,
    measure_relatives,
    record,
    recorded,
    remeasure,
)

__all__ = [
    "ALGORITHM_1",
    "EPSILON_HAT",
    "FORMS",
    "INSIDE_ROOT",
    "MEASURABLE",
    "Command",
    "Driver",
    "EpsilonHat",
    "Identity",
    "Library",
    "Made",
    "Ported",
    "PortedSchedule",
    "Row",
    "Unusable",
    "as_text",
    "atlas",
    "defaults",
    "driver",
    "epsilon_form",
    "identify",
    "measure",
    "measure_relatives",
    "measured",
    "port",
    "port_schedule",
    "port_state",
    "record",
    "recorded",
    "remeasure",
]

"""What all rules share: checked hyper-parameters, and one step from t, x and g."""

from dataclasses import dataclass, fields, replace
from functools import cache
from math import inf
from numbers import Real
from typing import Annotated, Any, ClassVar, Self, get_type_hints


@dataclass(frozen=True)
class Domain:
    """The values that a hyper-parameter may take, and why.

    Attributes
    ----------
    words : the domain in words, to end the sentence "... must be"
    why : what goes wrong outside it
    low, high : its ends; ``low`` belongs to it unless ``open_low``, ``high`` never does
    scale : how a slider should be divided: ``"log"``, or ``"log1m"`` for the logarithm of 1 - value
    """

    words: str
    why: str
    low: float = 0.0
    high: float = inf
    open_low: bool = False
    scale: str = "log"

    def __contains__(self, value: float) -> bool:
        return (value > self.low if self.open_low else value >= self.low) and value < self.high


Rate = Annotated[
    float,
    Domain(
        "a finite number, 0 or more",
        "a rate below zero would climb the loss instead of descending it",
    ),
]
Decay = Annotated[
    float,
    Domain(
        "at least 0 and below 1",
        "the average keeps this share of its past, so at 1 it would never see a gradient, "
        "and above 1 it would grow without bound",
        high=1.0,
        scale="log1m",
    ),
]
Epsilon = Annotated[
    float,
    Domain(
        "a finite number, 0 or more",
        "it is there to keep a denominator away from zero, and below zero it would not",
    ),
]
Strength = Annotated[
    float,
    Domain(
        "a finite number, 0 or more",
        "below zero the weights would be pushed away from zero instead of towards it",
    ),
]
Mixture = Annotated[
    float,
    Domain(
        "a finite number, 0 or more",
        "it is what one average counts beside another, and below zero it would be subtracted",
    ),
]
Speed = Annotated[
    float,
    Domain(
        "a finite number above 0",
        "it says how fast something approaches its limit, and at 0 it never would",
        open_low=True,
    ),
]


@cache
def domains(rule: type["Rule"]) -> dict[str, Domain]:
    """Return the domain of each hyper-parameter of a rule, in the order of its arguments."""
    hints = get_type_hints(rule, include_extras=True)
    return {field.name: hints[field.name].__metadata__[0] for field in fields(rule)}


def _checked(owner: str, name: str, value: Any, domain: Domain) -> Any:
    """Return ``value`` as a float; a tensor or a symbol stands for a number and passes as it is."""
    if type(value).__module__.partition(".")[0] in ("torch", "sympy"):
        return value
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(
            f"{owner}({name}={value!r}): {name} must be a number, not {type(value).__name__}"
        )
    # As a Python float, since a np.float64 would turn float32 arrays into float64.
    number = float(value)
    if number not in domain:
        raise ValueError(f"{owner}({name}={number!r}): {name} must be {domain.words}; {domain.why}")
    return number


@dataclass(frozen=True)
class Rule:
    """An optimizer's update, as pure functions of numbers, arrays, tensors or symbols.

    A subclass is a frozen dataclass. Its fields are the hyper-parameters, each annotated with its
    :class:`Domain`; ``slots`` names what it remembers from step to step. It defines

    ``step(x, g, *slots, *scalars)``
        One step: ``x`` the parameter, ``g`` its gradient, and each slot, all of one shape. Returns
        the change of ``x`` and the new slots. Elementwise and pure: only ``+ - * / **``, ``abs``
        and :mod:`adam_edu.ops`, and no branch that looks at a value.
    ``scalars(t)``
        What depends on the step's number alone, ``t`` = 1, 2, ...; most rules have none. It stands
        apart from ``step`` so that it is computed once a step and not once an element, and in
        float64: in float32, ``1 - beta2**t`` has lost three of its seven digits at t = 1.

    Raises
    ------
    TypeError, ValueError
        On construction, if a hyper-parameter is not a number or outside its domain.
    """

    slots: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        for name, domain in domains(type(self)).items():  # type: ignore[arg-type]
            value = _checked(type(self).__name__, name, getattr(self, name), domain)
            object.__setattr__(self, name, value)

    def scalars(self, t: Any) -> tuple[Any, ...]:
        """Return the factors that depend on the step number ``t`` alone."""
        return ()

    def step(self, x: Any, g: Any, *slots_and_scalars: Any) -> tuple[Any, ...]:
        """Return the change of ``x``, then the new slots."""
        raise NotImplementedError(f"{type(self).__name__} does not define step()")

    def update(self, t: int, x: Any, g: Any, *slots: Any) -> tuple[Any, ...]:
        """Return ``x`` and the slots after step number ``t`` = 1, 2, ... with the gradient ``g``.

        Examples
        --------
        >>> from adam_edu.rules import Adam
        >>> x, m, v = Adam(lr=0.1).update(1, 1.0, 5.0, 0.0, 0.0)
        >>> round(x, 6), round(m, 6), round(v, 6)
        (0.9, 0.5, 0.025)
        """
        change, *slots_after = self.step(x, g, *slots, *self.scalars(t))
        return (x + change, *slots_after)

    def init(self, x: Any) -> tuple[Any, ...]:
        """Return the slots before the first step: a zero like ``x`` for each."""
        return tuple(0.0 * x for _ in self.slots)

    def scaled(self, factor: float) -> Self:
        """Return the rule with its learning rate, and any other rate, times ``factor``."""
        table = domains(type(self))  # type: ignore[arg-type]
        rates = [name for name, domain in table.items() if domain is RATE]
        return replace(self, **{name: getattr(self, name) * factor for name in rates})


RATE: Domain = Rate.__metadata__[0]  # type: ignore[attr-defined]

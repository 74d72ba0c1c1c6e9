"""What a parameter group asks for: the variant, and the numbers of each step."""

from collections.abc import Iterable, Mapping
from operator import is_
from typing import Any

from torch import Tensor

from ..base import RATE, Rule, domains
from .arguments import check_options, chosen, hyper_defaults, hyper_of
from .counting import check_countable
from .variant import Variant


class Settings:
    """A group's hyper-parameters as a rule, as long as they hold.

    Attributes
    ----------
    variant : what is computed
    rule : with what numbers; a learning rate that is a tensor on a GPU stays one
    penalty : the factor of x in the gradient or in the step, if the variant has one
    """

    def __init__(self, rule: type[Rule], group: Mapping[str, Any]) -> None:
        check_kinds(rule, group)
        self.names = [name for name in watched(rule) if name in group]
        self.values = self._values(group)
        self.seen = [group[name] for name in self.names]
        # A list or a tensor may say something else next time and be the same object.
        self.fixed = not any(isinstance(value, (Tensor, list)) for value in self.seen)
        lr = _number(group["lr"])
        self.variant = variant(rule, group)
        self.rule = self.variant.rule(**numbers_of(self.variant, group, lr, other_rates(rule)))
        self.penalty = penalty_of(self.variant, group, lr)

    def hold(self, group: Mapping[str, Any]) -> bool:
        """Say whether the group still says the same."""
        same = self.fixed and all(map(is_, map(group.get, self.names), self.seen))
        return same or self.values == self._values(group)

    def _values(self, group: Mapping[str, Any]) -> list[Any]:
        """Return what a group says now, a tensor on a GPU as which it is."""
        found: list[Any] = []
        for value in map(group.get, self.names):
            number = _number(value)
            pair = isinstance(number, (list, tuple))
            found.append(
                [_number(part) for part in number]
                if pair
                else id(number)
                if isinstance(number, Tensor)
                else number
            )
        return found

    def numbers(self, scalars: Iterable[Any]) -> list[Any]:
        """Return the values of ``variant.numbers`` at a step with these scalars of the rule."""
        numbers = [*vars(self.rule).values(), *scalars]
        if self.variant.penalized or self.variant.decoupled:
            numbers.append(self.penalty)
        return numbers


def _number(value: Any) -> Any:
    """Return a tensor on the CPU as a number; from a GPU that would mean to wait for it."""
    return value.item() if isinstance(value, Tensor) and value.is_cpu else value


def watched(rule: type[Rule]) -> tuple[str, ...]:
    """Return the names of the entries of a group that a step depends on."""
    return (*hyper_defaults(rule), "maximize", "capturable", "base_lr")


def numbers_of(
    variant: Variant, group: Mapping[str, Any], lr: Any, others: Iterable[str]
) -> dict[str, Any]:
    """Return the rule's hyper-parameters, with the other rates scaled as ``lr`` has been."""
    hyper = hyper_of(variant.rule, group, lr)
    if "base_lr" in group:
        factor = lr / group["base_lr"] if group["base_lr"] else 1.0
        hyper |= {name: hyper[name] * factor for name in others}
    return hyper


def penalty_of(variant: Variant, group: Mapping[str, Any], lr: Any) -> Any:
    """Return the factor of x: in the gradient the weight decay, beside it times the rate."""
    decay = _number(group["weight_decay"])
    return decay * lr if variant.decoupled else decay


def variant(rule: type[Rule], group: Mapping[str, Any]) -> Variant:
    """Return what a group's options ask for: for equal ones, the same object."""
    found = variant_of(rule, group)
    return _VARIANTS.setdefault(found, found)


def variant_of(rule: type[Rule], group: Mapping[str, Any]) -> Variant:
    """Return what a group's options ask for."""
    rule = chosen(rule, group)
    decays = "weight_decay" not in rule.__match_args__ and bool(group["weight_decay"] != 0)
    decoupled = decays and bool(group.get("decoupled_weight_decay", False))
    return Variant(rule, bool(group["maximize"]), decays and not decoupled, decoupled)


# One object for each, so that comparing two is quick.
_VARIANTS: dict[Variant, Variant] = {}


def check_kinds(rule: type[Rule], group: Mapping[str, Any]) -> None:
    """Check that each option is of a kind that can be read.

    Raises
    ------
    TypeError, ValueError
        If one is text, a tensor of several numbers, or asks for what the class does not do.
    """
    for name in watched(rule):
        value = group.get(name)
        if isinstance(value, str):
            raise TypeError(
                f"{rule.__name__}({name}={value!r}): {name} must be no text; {_advice(value)}"
            )
        parts = value if isinstance(value, (list, tuple)) else [value]
        for part in parts:
            if isinstance(part, Tensor) and part.numel() != 1:
                raise ValueError(
                    f"{rule.__name__}({name}=...): a tensor with {part.numel()} elements, "
                    "where one number belongs; give each parameter group its own"
                )
    check_options(rule, group)


def _advice(text: str) -> str:
    try:
        return f"write {float(text)!r}, a number (YAML reads 1e-3 as text, 1.0e-3 as a number)"
    except ValueError:
        return "write the value itself"


def check_group(rule: type[Rule], group: Mapping[str, Any]) -> None:
    """Check a group's hyper-parameters.

    Raises
    ------
    TypeError, ValueError
        If one is outside its domain.
    """
    check_kinds(rule, group)
    lr = _float("lr", group["lr"])
    asked = variant(rule, group).rule
    asked(**hyper_of(asked, group, lr))
    if not 0.0 <= _float("weight_decay", group["weight_decay"]) < float("inf"):
        raise ValueError(f"weight_decay must be 0 or more, not {group['weight_decay']!r}")
    if group["capturable"]:
        try:
            check_countable(asked())
        except Exception as error:
            raise ValueError(
                f"{asked.__name__} has no capturable=True: its scalars look at what the "
                "step number is, which only the device knows"
            ) from error


def _float(name: str, value: Any) -> float:
    try:
        return float(value)
    except TypeError:
        raise TypeError(f"{name} must be a number, not {type(value).__name__}") from None


def other_rates(rule: type[Rule]) -> tuple[str, ...]:
    """Return the names of rates that follow the learning rate when a schedule moves it."""
    table = domains(rule)  # type: ignore[arg-type]
    return tuple(name for name, domain in table.items() if domain is RATE and name != "lr")

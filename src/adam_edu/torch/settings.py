"""What a parameter group asks for: the variant, and the numbers of each step."""

from collections.abc import Iterable, Mapping
from operator import is_
from typing import Any

from torch import Tensor

from ..base import RATE, Rule, domains
from .arguments import chosen, hyper_of
from .counting import check_countable
from .trace import Variant


class Settings:
    """A group's hyper-parameters as a rule, as long as they hold.

    Attributes
    ----------
    variant : what is computed
    rule : with what numbers; a learning rate that is a tensor on a GPU stays one
    penalty : the strength of the L2 penalty, if the variant has one
    """

    def __init__(self, rule: type[Rule], group: Mapping[str, Any]) -> None:
        self.values = _values(group)
        self.seen = list(group.values())
        self.fixed = not any(isinstance(value, Tensor) for value in self.seen)
        lr = _number(group["lr"])
        self.variant = variant(rule, group)
        self.rule = self.variant.rule(**numbers_of(self.variant, group, lr, other_rates(rule)))
        self.penalty = float(group["weight_decay"])

    def hold(self, group: Mapping[str, Any]) -> bool:
        """Say whether the group still says the same."""
        same = len(group) == len(self.seen) and all(map(is_, group.values(), self.seen))
        return (same and self.fixed) or self.values == _values(group)

    def numbers(self, scalars: Iterable[Any]) -> list[Any]:
        """Return the values of ``variant.numbers`` at a step with these scalars of the rule."""
        numbers = [*vars(self.rule).values(), *scalars]
        if self.variant.penalized:
            numbers.append(self.penalty)
        return numbers


def _number(value: Any) -> Any:
    """Return a tensor on the CPU as a number; from a GPU that would mean to wait for it."""
    return value.item() if isinstance(value, Tensor) and value.is_cpu else value


def _values(group: Mapping[str, Any]) -> list[Any]:
    """Return all that a group holds beside its parameters, a tensor on a GPU as which it is."""
    numbers = (_number(value) for name, value in group.items() if name != "params")
    return [id(number) if isinstance(number, Tensor) else number for number in numbers]


def numbers_of(
    variant: Variant, group: Mapping[str, Any], lr: Any, others: Iterable[str]
) -> dict[str, Any]:
    """Return the rule's hyper-parameters, with the other rates scaled as ``lr`` has been."""
    hyper = hyper_of(variant.rule, group, lr)
    if "base_lr" in group:
        factor = lr / group["base_lr"] if group["base_lr"] else 1.0
        hyper |= {name: hyper[name] * factor for name in others}
    return hyper


def variant(rule: type[Rule], group: Mapping[str, Any]) -> Variant:
    """Return what a group's options ask for: for equal ones, the same object."""
    found = variant_of(rule, group)
    return _VARIANTS.setdefault(found, found)


def variant_of(rule: type[Rule], group: Mapping[str, Any]) -> Variant:
    """Return what a group's options ask for."""
    rule = chosen(rule, group)
    penalized = "weight_decay" not in rule.__match_args__ and group["weight_decay"] != 0
    return Variant(rule, bool(group["maximize"]), bool(penalized))


# One object for each, so that comparing two is quick.
_VARIANTS: dict[Variant, Variant] = {}


def check_group(rule: type[Rule], group: dict[str, Any]) -> None:
    """Check a group's hyper-parameters, and note the rate from which its schedules start.

    Raises
    ------
    TypeError, ValueError
        If one is outside its domain.
    """
    lr = float(group["lr"])
    asked = variant(rule, group).rule
    asked(**hyper_of(asked, group, lr))
    if not 0.0 <= float(group["weight_decay"]) < float("inf"):
        raise ValueError(f"weight_decay must be 0 or more, not {group['weight_decay']!r}")
    if other_rates(rule):
        group.setdefault("base_lr", lr)
    if group["capturable"]:
        try:
            check_countable(asked())
        except Exception as error:
            raise ValueError(
                f"{asked.__name__} has no capturable=True: its scalars look at what the "
                "step number is, which only the device knows"
            ) from error


def other_rates(rule: type[Rule]) -> tuple[str, ...]:
    """Return the names of rates that follow the learning rate when a schedule moves it."""
    table = domains(rule)  # type: ignore[arg-type]
    return tuple(name for name, domain in table.items() if domain is RATE and name != "lr")

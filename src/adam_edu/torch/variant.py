"""What one step computes: a rule, and what Torch's optimizers do around it."""

from dataclasses import dataclass
from typing import Any

from ..base import Rule
from ..lines import Lines, lines_of


@dataclass(frozen=True)
class Variant:
    """A rule, varied by the options of a parameter group.

    Attributes
    ----------
    rule : the algorithm
    maximize : climb instead of descending: the gradient's sign is turned
    penalized : the gradient of an L2 penalty is added, as in ``torch.optim`` for ``weight_decay``
    decoupled : x shrinks by itself, beside the step, as for ``decoupled_weight_decay``
    """

    rule: type[Rule]
    maximize: bool = False
    penalized: bool = False
    decoupled: bool = False

    def gradient(self, x: Any, g: Any, penalty: Any) -> Any:
        """Return the gradient that the rule gets to see."""
        if self.maximize:
            g = -g
        return g + penalty * x if self.penalized else g

    def change(self, x: Any, change: Any, penalty: Any) -> Any:
        """Return the change of x, given the rule's."""
        return change - penalty * x if self.decoupled else change

    @property
    def lines(self) -> Lines:
        """The lines of the rule, so varied."""
        about = {"maximize": self.maximize, "penalized": self.penalized}
        return lines_of(self.rule).variant(**about, decoupled=self.decoupled)

    @property
    def numbers(self) -> tuple[str, ...]:
        """The names of the numbers of one step: hyper-parameters, scalars, and the penalty."""
        return self.lines.numbers

    def with_numbers(self, values: Any) -> tuple[Rule, tuple[Any, ...], Any]:
        """Return the rule, its scalars and the penalty, from the values of ``numbers``.

        They are not checked, so they may be tensors.
        """
        rule: Rule = object.__new__(self.rule)
        # As fields() says, but torch.compile can trace it.
        names: tuple[str, ...] = self.rule.__match_args__
        hyper, factors = values[: len(names)], list(values[len(names) :])
        for name, value in zip(names, hyper, strict=True):
            object.__setattr__(rule, name, value)
        penalty = factors.pop() if self.penalized or self.decoupled else 0.0
        return rule, tuple(factors), penalty

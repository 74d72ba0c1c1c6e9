"""Every rule as a Torch optimizer: ``from adam_edu.torch import Adam``.

There is one class for each rule of the registry, with the constructor arguments of its namesake in
``torch.optim``. Needs Torch: ``pip install adam-edu[torch]``.

With ``capturable=True`` a step counts in tensors and reads no number from one, so that a CUDA graph
can replay it, and ``torch.compile(fullgraph=True)`` can take it into one graph: of
``optimizer.step``, or of a function that calls it. It is compiled once; the first change of a
learning rate that is a number costs a second compilation, and one in a tensor none. A number that
changes within ``betas`` compiles again each time. Torch's schedulers wrap ``step`` in a function
that is not traced: with one, leave ``fullgraph`` out, or compile ``optimizer.step`` before. Without
``capturable``, ``torch.compile`` leaves the step as it is, between two graphs, which is faster on a
CPU.
"""

import inspect
from collections.abc import Iterable
from functools import cache
from typing import Any

try:
    import torch as _torch  # noqa: F401
except ImportError as error:
    raise ImportError("these optimizers need Torch: pip install adam-edu[torch]") from error

from ..base import Rule
from ..names import lookup
from ..rules import RULES
from .arguments import from_rule, signature
from .base import RuleOptimizer

__all__ = ["RuleOptimizer", "optimizer", "optimizer_class", *RULES]


def optimizer(rule: Rule, params: Iterable[Any], **options: Any) -> RuleOptimizer:
    """Return the Torch optimizer of a rule, with the rule's hyper-parameters.

    Parameters
    ----------
    rule : such as ``adam_edu.rule("adam", lr=0.1)``
    params : tensors, or groups of them, as for every Torch optimizer
    options : ``implementation``, ``maximize``, ``state_dtype``

    Examples
    --------
    >>> import torch
    >>> w = torch.tensor([1.0, -2.0], requires_grad=True)
    >>> steps = optimizer(RULES["SGD"](lr=0.1), [w], implementation="eager")
    >>> w.grad = torch.tensor([10.0, 0.0])
    >>> steps.step()
    >>> w.detach()
    tensor([ 0., -2.])
    """
    made = optimizer_class(type(rule))  # type: ignore[arg-type]
    return made(params, **from_rule(rule), **options)


@cache
def optimizer_class(rule: type[Rule]) -> type[RuleOptimizer]:
    """Return the Torch optimizer class of a rule: one of this module's, or a new one.

    Examples
    --------
    >>> optimizer_class(RULES["Adam"]).__name__
    'Adam'
    """
    taken = signature(rule)

    def init(self: RuleOptimizer, *args: Any, **options: Any) -> None:
        if len(args) > len(by_position):
            raise TypeError(
                f"{rule.__name__} takes {', '.join(by_position)} by position, "
                f"and got {len(args)} arguments; name the others"
            )
        for name, value in zip(by_position, args, strict=False):
            if name in options:
                raise TypeError(f"{rule.__name__} got {name} twice")
            options[name] = value
        if "params" not in options:
            raise TypeError(f"{rule.__name__} needs params: the tensors to optimize")
        RuleOptimizer.__init__(self, **options)

    by_position = [
        name for name, p in taken.parameters.items() if p.kind is p.POSITIONAL_OR_KEYWORD
    ]
    # On the function, not the class: a subclass with an __init__ of its own shows that.
    own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    init.__signature__ = taken.replace(parameters=[own, *taken.parameters.values()])  # type: ignore[attr-defined]
    init.__name__, init.__qualname__ = "__init__", f"{rule.__name__}.__init__"
    contents = {
        "rule": rule,
        "__module__": __name__,
        "__qualname__": rule.__name__,
        "__doc__": _doc(rule),
        "__init__": init,
    }
    made = type(rule.__name__, (RuleOptimizer,), contents)
    return made


def _doc(rule: type[Rule]) -> str:
    about = (inspect.getdoc(rule) or "").partition("Examples\n---")[0].strip()
    return f"{about}\n\nThe rule: :class:`{rule.__module__}.{rule.__name__}`."


for _rule in RULES.values():
    globals()[_rule.__name__] = optimizer_class(_rule)  # type: ignore[arg-type]


def __getattr__(name: str) -> type[RuleOptimizer]:
    """Return the class of a rule registered later, or of one spelled as Torch does (RMSprop)."""
    if name.startswith("_"):
        raise AttributeError(name)
    try:
        return optimizer_class(lookup(name, RULES, "optimizer"))  # type: ignore[arg-type]
    except KeyError as error:
        raise AttributeError(error.args[0]) from None

"""``torch.optim.Optimizer`` for any rule: it checks, keeps the state, and has the step computed."""

import ctypes
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor
from torch.optim import Optimizer

from ..base import RATE, Rule, domains
from . import eager, native
from .arguments import TORCH_SLOTS, chosen, hyper_defaults, to_rule
from .trace import Variant

Implementation = Literal["auto", "eager", "compiled", "triton"]
IMPLEMENTATIONS = ("auto", "eager", "compiled", "triton")


@dataclass
class Batch:
    """Tensors that take one and the same step: of one t, device and choice of dtypes."""

    params: list[Tensor] = field(default_factory=list)
    grads: list[Tensor] = field(default_factory=list)
    slots: list[list[Tensor]] = field(default_factory=list)


class RuleOptimizer(Optimizer):
    """A rule as a Torch optimizer. Each class in :mod:`adam_edu.torch` is one of these.

    Attributes
    ----------
    rule : the algorithm, a class of :mod:`adam_edu.rules`
    """

    rule: ClassVar[type[Rule]]

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor | None = None,
        *,
        implementation: Implementation = "auto",
        maximize: bool = False,
        state_dtype: torch.dtype | None = None,
        **hyper: Any,
    ) -> None:
        defaults = hyper_defaults(self.rule) | {"maximize": maximize}
        for name in hyper:
            if name not in defaults:
                raise TypeError(
                    f"{type(self).__name__} has no argument {name!r}; it has params, "
                    f"{', '.join(defaults)}, implementation, state_dtype"
                )
        if implementation not in IMPLEMENTATIONS:
            raise ValueError(
                f"implementation must be one of {', '.join(IMPLEMENTATIONS)}, "
                f"not {implementation!r}"
            )
        self.implementation = implementation
        self.state_dtype = state_dtype
        super().__init__(params, defaults | hyper | ({} if lr is None else {"lr": lr}))

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters, with hyper-parameters of their own where these are given.

        Raises
        ------
        TypeError, ValueError
            If a parameter is not a real floating-point tensor, or a hyper-parameter is outside its
            domain. Nothing has been added then.
        """
        group = {**self.defaults, **param_group}
        variant = self._variant(group)
        lr = float(group["lr"])
        to_rule(variant.rule, group, lr)  # checks them all
        if not 0.0 <= float(group["weight_decay"]) < float("inf"):
            raise ValueError(f"weight_decay must be 0 or more, not {group['weight_decay']!r}")
        if _other_rates(variant.rule):
            group.setdefault("base_lr", lr)
        super().add_param_group(group)
        added = self.param_groups[-1]["params"]
        for i, p in enumerate(added):
            if not p.is_floating_point():
                self.param_groups.pop()
                raise TypeError(
                    f"parameter {i} of the group has dtype {p.dtype}: only real floating point "
                    "can be optimized" + ("; pass torch.view_as_real(z)" if p.is_complex() else "")
                )

    def __getstate__(self) -> dict[str, Any]:
        """Return what a pickle holds."""
        own = {"implementation": self.implementation, "state_dtype": self.state_dtype}
        return super().__getstate__() | own

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over what a pickle or a checkpoint holds."""
        super().__setstate__(state)
        for group in self.param_groups:
            for name, default in self.defaults.items():
                group.setdefault(name, default)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take one step; return what ``closure``, if given, returns.

        Raises
        ------
        TypeError
            If a gradient is sparse. Nothing has been changed then.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        self._take_step()
        return loss

    @torch.compiler.disable
    def _take_step(self) -> None:
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None and p.grad.layout is not torch.strided:
                    raise TypeError(
                        f"{type(self).__name__} needs dense gradients, not {p.grad.layout}: use "
                        "nn.Embedding(sparse=False), grad.to_dense(), or torch.optim.SparseAdam"
                    )
        for group in self.param_groups:
            variant = self._variant(group)
            for (t, *_), batch in self._batches(group, variant.rule).items():
                self._update(group, variant, t, batch)

    def _variant(self, group: Mapping[str, Any]) -> Variant:
        rule = chosen(self.rule, group)
        own_decay = "weight_decay" in domains(rule)  # type: ignore[arg-type]
        penalized = not own_decay and group["weight_decay"] != 0
        return Variant(rule, bool(group["maximize"]), penalized)

    def _batches(self, group: Mapping[str, Any], rule: type[Rule]) -> dict[Any, Batch]:
        """Collect what has a gradient, make missing slots, and count the step."""
        batches: dict[Any, Batch] = {}
        for p in group["params"]:
            g = p.grad
            if g is None:
                continue
            state = self.state[p]
            state["step"] = t = state.get("step", 0) + 1
            for name in rule.slots:
                if name not in state:
                    state[name] = torch.zeros_like(p, dtype=self._slot_dtype(p))
            slots = [state[name] for name in rule.slots]
            x, g, *slots = (_local(tensor) for tensor in (p, g, *slots))
            key = (t, x.device, x.dtype, g.dtype, *(slot.dtype for slot in slots))
            batch = batches.setdefault(key, Batch())
            batch.params.append(x)
            batch.grads.append(g)
            batch.slots.append(slots)
        return batches

    def _slot_dtype(self, p: Tensor) -> torch.dtype:
        if self.state_dtype is not None:
            return self.state_dtype
        return torch.float32 if p.dtype in eager.LOW_PRECISION else p.dtype

    def _update(self, group: Mapping[str, Any], variant: Variant, t: int, batch: Batch) -> None:
        lr = float(group["lr"])
        rule = to_rule(variant.rule, group, lr)
        if "base_lr" in group:
            factor = lr / group["base_lr"]
            others = {name: getattr(rule, name) * factor for name in _other_rates(variant.rule)}
            rule = type(rule)(**{**vars(rule), **others})
        scalars = rule.scalars(t)
        penalty = float(group["weight_decay"])
        if self._wants_native(batch):
            batch = self._native(variant, rule, scalars, penalty, batch)
        for x, g, slots in zip(batch.params, batch.grads, batch.slots, strict=True):
            eager.step(variant, rule, scalars, penalty, x, g, slots)

    def _wants_native(self, batch: Batch) -> bool:
        return self.implementation in ("auto", "compiled") and batch.params[0].is_cpu

    def _native(
        self, variant: Variant, rule: Rule, scalars: Any, penalty: float, batch: Batch
    ) -> Batch:
        """Take the step in one call of the compiled loop; return the tensors it cannot take."""
        dtypes = (
            batch.params[0].dtype,
            batch.grads[0].dtype,
            *(slot.dtype for slot in batch.slots[0]),
        )
        kernel = _kernel(variant, dtypes)
        if kernel is None:
            return batch
        sizes: list[int] = []
        addresses: list[int] = []
        rest = Batch()
        for x, g, slots in zip(batch.params, batch.grads, batch.slots, strict=True):
            # Memory is walked as it lies, in whatever order of axes, if all lie alike.
            strides = x.stride()
            if (
                g.stride() == strides
                and all(slot.stride() == strides for slot in slots)
                and dense(x)
            ):
                sizes.append(x.numel())
                addresses += [x.data_ptr(), g.data_ptr(), *(slot.data_ptr() for slot in slots)]
            else:
                rest.params.append(x)
                rest.grads.append(g)
                rest.slots.append(slots)
        numbers = [*vars(rule).values(), *scalars, *([penalty] if variant.penalized else [])]
        kernel(
            (ctypes.c_int64 * len(sizes))(*sizes),
            (ctypes.c_int64 * len(addresses))(*addresses),
            [float(number) for number in numbers],
            sum(sizes),
        )
        return rest

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from a checkpoint of this optimizer or of its namesake in ``torch.optim``.

        Slots go to each parameter's device and keep the optimizer's own precision: Torch's method
        would turn the float32 state of bfloat16 parameters into bfloat16.

        Raises
        ------
        ValueError, KeyError
            If the state is of another rule or of parameters of other shapes. Nothing has been
            changed then.
        """
        saved = self._checked_state(state_dict)
        super().load_state_dict({**state_dict, "state": {}})
        for p, entries in saved:
            self.state[p] = {
                name: value
                if name == "step"
                else value.detach().to(p.device, self._slot_dtype(p), copy=True)
                for name, value in entries.items()
            }

    def _checked_state(self, state_dict: Mapping[str, Any]) -> list[tuple[Tensor, dict[str, Any]]]:
        groups = state_dict["param_groups"]
        numbers = list(chain.from_iterable(group["params"] for group in groups))
        params = list(chain.from_iterable(group["params"] for group in self.param_groups))
        saved = []
        for number, p in zip(numbers, params, strict=False):
            entries = dict(state_dict["state"].get(number, {}))
            if not entries:
                continue
            entries.pop("mu_product", None)  # NAdam in torch.optim keeps what follows from t
            entries = {TORCH_SLOTS.get(name, name): value for name, value in entries.items()}
            entries["step"] = int(entries.get("step", 0))
            known = {slot for rule in self._rules() for slot in rule.slots}
            for name, value in entries.items():
                if name == "step":
                    continue
                if name not in known:
                    raise ValueError(
                        f"the state has {name!r}, but {type(self).__name__} keeps "
                        f"{', '.join(sorted(known)) or 'nothing'}: is it another optimizer's?"
                    )
                if value.shape != p.shape:
                    raise ValueError(
                        f"{name!r} in the state has shape {tuple(value.shape)}, its parameter "
                        f"{tuple(p.shape)}"
                    )
            saved.append((p, entries))
        return saved

    def _rules(self) -> list[type[Rule]]:
        return [chosen(self.rule, group) for group in self.param_groups]


def _other_rates(rule: type[Rule]) -> list[str]:
    """Return the names of rates that follow the learning rate when a schedule moves it."""
    table = domains(rule)  # type: ignore[arg-type]
    return [name for name, domain in table.items() if domain is RATE and name != "lr"]


def _local(tensor: Tensor) -> Tensor:
    """Return this process's part of a tensor that is spread over several."""
    return tensor.to_local() if hasattr(tensor, "to_local") else tensor


def dense(x: Tensor) -> bool:
    """Say whether a tensor's elements fill one stretch of memory, in any order of its axes."""
    if x.is_contiguous():
        return True
    expected = 1
    for stride, size in sorted(zip(x.stride(), x.shape, strict=True)):
        if size != 1 and stride != expected:
            return False
        expected *= size
    return True


@cache
def _kernel(variant: Variant, dtypes: tuple[torch.dtype, ...]) -> native.Kernel | None:
    try:
        return native.kernel(variant, dtypes)
    except native.NotCompiled as reason:
        _warn(str(reason))
        return None


@cache
def _warn(reason: str) -> None:
    warnings.warn(
        f"{reason}: adam_edu.torch falls back to its eager implementation, which is slower",
        RuntimeWarning,
        stacklevel=2,
    )

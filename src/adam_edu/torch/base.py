"""``torch.optim.Optimizer`` for any rule: it checks, keeps the state, and has the step computed."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from operator import is_
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor
from torch.nn import Parameter
from torch.optim import Optimizer

from ..base import Rule
from . import device, eager, native, traced
from .arguments import hyper_defaults
from .batches import Batch, batches, dense, kernel_for
from .checkpoint import checked_state
from .counting import count_in_tensors
from .plan import Plan
from .settings import Settings, check_group, other_rates, variant

Implementation = Literal["auto", "eager", "compiled", "triton"]
IMPLEMENTATIONS = ("auto", "eager", "compiled", "triton")


class RuleOptimizer(Optimizer):
    """A rule as a Torch optimizer. Each class in :mod:`adam_edu.torch` is one of these.

    Attributes
    ----------
    rule : the algorithm, a class of :mod:`adam_edu.rules`
    other_rates : the names of its rates that follow the learning rate when a schedule moves it
    """

    rule: ClassVar[type[Rule]]
    other_rates: ClassVar[tuple[str, ...]]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.other_rates = other_rates(cls.rule)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor | None = None,
        *,
        implementation: Implementation = "auto",
        maximize: bool = False,
        capturable: bool = False,
        state_dtype: torch.dtype | None = None,
        **hyper: Any,
    ) -> None:
        defaults = hyper_defaults(self.rule)
        defaults |= {"maximize": maximize, "capturable": capturable}
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
        self._forget()
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
        check_group(self.rule, group)
        if self.implementation == "triton":
            from . import kernels

            kernels.check(variant(self.rule, group))
        super().add_param_group(group)
        for i, p in enumerate(self.param_groups[-1]["params"]):
            if not p.is_floating_point():
                self.param_groups.pop()
                advice = "; pass torch.view_as_real(z)" if p.is_complex() else ""
                raise TypeError(
                    f"parameter {i} of the group has dtype {p.dtype}: only real floating point "
                    f"can be optimized{advice}"
                )

    def __getstate__(self) -> dict[str, Any]:
        """Return what a pickle holds."""
        own = {"implementation": self.implementation, "state_dtype": self.state_dtype}
        return super().__getstate__() | own

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over what a pickle or a checkpoint holds."""
        super().__setstate__(state)
        self._forget()
        for group in self.param_groups:
            for name, default in self.defaults.items():
                group.setdefault(name, default)

    def _forget(self) -> None:
        """Drop what was worked out at earlier steps."""
        self._plans: dict[int, Plan] = {}
        self._settings: dict[int, Settings] = {}
        self._states: list[dict[str, Any]] = []

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
        if not torch.compiler.is_compiling():
            self._take_step()
        elif self._traceable():
            traced.step(self)
        else:
            _undisturbed(self)
        return loss

    def _traceable(self) -> bool:
        """Say whether ``torch.compile`` may take the step into its graph.

        Left out of it, the step keeps its plan, and is faster.
        """
        # Not from the groups: while it traces, Torch shows each of them as capturable.
        return self.defaults["capturable"] and self.implementation != "triton"

    def _take_step(self) -> None:
        states = self.state.values()
        if len(states) != len(self._states) or not all(map(is_, states, self._states)):
            self._plans.clear()
        todo = []
        for i, group in enumerate(self.param_groups):
            settings = self._settings.get(i)
            if settings is None or not settings.hold(group):
                settings = self._settings[i] = Settings(self.rule, group)
            plan = self._plans.get(i)
            if plan is None or not plan.ready(settings.variant, group["params"]):
                plan = None
                self._check_gradients(group["params"])
            todo.append((i, group, settings, plan))
        for i, group, settings, plan in todo:
            if plan is not None:
                t = plan.count_step()
                plan.run(settings.numbers(settings.rule.scalars(t)))
            else:
                self._plans.pop(i, None)
                self._long_way(i, group, settings)
                self._states = list(self.state.values())

    def _check_gradients(self, params: list[Tensor]) -> None:
        for p in params:
            if p.grad is not None and p.grad.layout is not torch.strided:
                raise TypeError(
                    f"{type(self).__name__} needs dense gradients, not {p.grad.layout}: use "
                    "nn.Embedding(sparse=False), grad.to_dense(), or torch.optim.SparseAdam"
                )

    @torch.no_grad()
    def _long_way(self, i: int, group: Mapping[str, Any], settings: Settings) -> None:
        """Sort the tensors into batches of one kind, update each, and plan the next step."""
        together = batches(
            group["params"], self.state, settings, self.slot_dtype, group["capturable"]
        )
        for batch in together:
            odd, plain = batch.split(lambda x, g, slots: not dense(x, g, slots))
            odd.eager_step(settings)
            kernel = self._kernel(settings, batch)
            if not plain:
                continue
            if self.implementation == "triton" or (kernel is None and not self._eager(batch)):
                plain.device_step(settings, self._device_step(settings))
            elif kernel is None:
                plain.eager_step(settings)
            else:
                plain.native_step(settings, kernel)
                if len(together) == 1 and not odd:
                    self._plan(i, group["params"], settings, batch, kernel)

    def _eager(self, batch: Batch) -> bool:
        return self.implementation == "eager" or batch.params[0].is_cpu

    def _kernel(self, settings: Settings, batch: Batch) -> native.Kernel | None:
        wanted = self.implementation in ("auto", "compiled") and batch.params[0].is_cpu
        return kernel_for(settings.variant, batch.dtypes) if wanted else None

    def _device_step(self, settings: Settings) -> device.Step:
        if self.implementation == "triton":
            from . import kernels

            return partial(kernels.step, settings.variant)
        return device.compiled(settings.variant)

    def _plan(
        self,
        i: int,
        group: list[Tensor],
        settings: Settings,
        batch: Batch,
        kernel: native.Kernel,
    ) -> None:
        params = [p for p in group if p.grad is not None]
        # A tensor of a class of its own, such as one spread over processes, has no address.
        plain = all(type(p) in (Tensor, Parameter) and p.is_contiguous() for p in params)
        states = [self.state[p] for p in params]
        plain = plain and isinstance(states[0]["step"], int)
        if plain and len(set(batch.dtypes[:2])) == 1:
            self._plans[i] = Plan(settings.variant, kernel, group, params, states)

    def slot_dtype(self, p: Tensor) -> torch.dtype:
        """Return the precision in which a parameter's slots are kept."""
        if self.state_dtype is not None:
            return self.state_dtype
        return torch.float32 if p.dtype in eager.LOW_PRECISION else p.dtype

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
        saved = checked_state(self.rule, self.param_groups, state_dict)
        super().load_state_dict({**state_dict, "state": {}})
        for p, entries in saved:
            slots = {
                name: value.detach().to(p.device, self.slot_dtype(p), copy=True)
                for name, value in entries.items()
                if name != "step"
            }
            self.state[p] = {"step": entries["step"], **slots}
        for group in self.param_groups:
            if group["capturable"]:
                params = [p for p in group["params"] if p in self.state]
                states = [self.state[p] for p in params]
                count_in_tensors(params, states, Settings(self.rule, group).rule)


@torch.compiler.disable
def _undisturbed(optimizer: RuleOptimizer) -> None:
    """Take a step that ``torch.compile`` leaves as it is, between two graphs."""
    optimizer._take_step()

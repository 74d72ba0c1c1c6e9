"""``torch.optim.Optimizer`` for any rule: it checks, keeps the state, and has the step computed."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from operator import is_
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import Parameter
from torch.optim import Optimizer

from ..base import Rule
from ..native import Loop
from . import device, eager
from .arguments import hyper_defaults, torch_slots
from .batches import Batch, batches, check, dense, kernel_for, name_states, not_optimized, observed
from .checkpoint import checked_groups, checked_state, written
from .counting import count_in_tensors, part
from .entries import Entries
from .plan import Plan, TensorGuards
from .settings import Settings, check_group, check_kinds, other_rates, variant

IMPLEMENTATIONS = ("auto", "eager", "compiled", "triton")


class RuleOptimizer(Optimizer):
    """A rule as a Torch optimizer. Each class in :mod:`adam_edu.torch` is one of these.

    ``state[p]`` holds the step number and the rule's slots. They answer to Torch's names as well:
    ``state[p]["exp_avg"]`` is ``state[p]["m"]`` (:class:`adam_edu.torch.entries.Entries`).

    Attributes
    ----------
    rule : the algorithm, a class of :mod:`adam_edu.rules`
    other_rates : the names of its rates that follow the learning rate when a schedule moves it
    """

    rule: ClassVar[type[Rule]]
    other_rates: ClassVar[tuple[str, ...]]
    _loading = False  # whether a checkpoint is being loaded

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.other_rates = other_rates(cls.rule)

    def __init__(
        self,
        params: Iterable[Any],
        *,
        implementation: str = "auto",
        state_dtype: torch.dtype | None = None,
        **options: Any,
    ) -> None:
        defaults = hyper_defaults(self.rule) | {"maximize": False, "capturable": False}
        for name in options:
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
        if state_dtype is not None and not isinstance(state_dtype, torch.dtype):
            raise TypeError(f"state_dtype must be such as torch.float32, not {state_dtype!r}")
        defaults |= options
        check_kinds(self.rule, defaults)
        if implementation == "eager" and (defaults["foreach"] or defaults["fused"]):
            raise ValueError(
                'foreach=True and fused=True ask for implementation="compiled", not "eager"'
            )
        if defaults.get("nesterov") and not defaults["momentum"]:
            raise ValueError("nesterov=True needs a momentum above 0, such as momentum=0.9")
        self.implementation = implementation
        self.state_dtype = state_dtype
        self._forget()
        super().__init__(params, defaults)
        self.state = self._states()

    def _states(self, known: Mapping[Any, Any] | None = None) -> defaultdict[Any, Any]:
        return defaultdict(partial(Entries, torch_slots(self.rule)), known or {})

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters, with hyper-parameters of their own where these are given.

        Raises
        ------
        TypeError, ValueError
            If a parameter is not a real floating-point tensor and not frozen, or a hyper-parameter
            is outside its domain. Nothing has been added then.
        """
        if isinstance(param_group, dict):
            group = {**self.defaults, **param_group}
            check_group(self.rule, group)
            if self.implementation == "triton":
                from . import kernels

                kernels.check(variant(self.rule, group))
        super().add_param_group(param_group)
        for i, p in enumerate(param_group["params"]):
            if p.requires_grad and (reason := not_optimized(p)):
                self.param_groups.pop()
                raise TypeError(f"parameter {i} of the group {reason}")
        if self.other_rates:  # from where the schedules of all rates start
            param_group.setdefault("base_lr", float(param_group["lr"]))

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
            name_states(group["params"], self.state, torch_slots(self.rule))
        loaded = self.__dict__.pop("_loaded", None)
        if loaded is not None:
            self.state = self._states(loaded)
            self._count_in_tensors()

    def _count_in_tensors(self) -> None:
        for group in self.param_groups:
            if group["capturable"]:
                params = [p for p in group["params"] if p in self.state]
                states = [self.state[p] for p in params]
                count_in_tensors(params, states, Settings(self.rule, group).rule)

    def _forget(self) -> None:
        """Drop what was worked out at earlier steps."""
        self._plans: dict[int, Plan] = {}
        self._settings: dict[int, Settings] = {}
        self._known: tuple[list[Any], list[Any]] = [], []

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take one step; return what ``closure``, if given, returns.

        Where it raises an error nothing has been changed.

        Raises
        ------
        TypeError
            If a gradient is sparse, or the parameter is not of real floating-point numbers.
        RuntimeError
            If the sizes of a parameter, its gradient and its state do not match.
        ValueError
            If an option was set to what the class does not do.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        if not torch.compiler.is_compiling():
            self._take_step()
        elif self._traceable():
            from . import traced

            traced.step(self)
        else:
            _left_between_graphs(self)
        return loss

    def _traceable(self) -> bool:
        """Say whether ``torch.compile`` may take the step into its graph.

        Left out of it, the step keeps its plan, and is faster.
        """
        # Not from the groups: while it traces, Torch shows each of them as capturable.
        return self.defaults["capturable"] and self.implementation != "triton"

    def _take_step(self) -> None:
        keys, states = self._known
        if (
            len(self.state) != len(keys)
            or not all(map(is_, self.state, keys))
            or not all(map(is_, self.state.values(), states))
        ):
            self._plans.clear()
        todo = []
        for i, group in enumerate(self.param_groups):
            settings = self._settings.get(i)
            if settings is None or not settings.hold(group):
                settings = self._settings[i] = Settings(self.rule, group)
            plan = self._plans.get(i)
            if plan is None or not plan.ready(settings.variant, group["params"]):
                plan = None
                self.check_tensors(i, group["params"], settings)
            todo.append((i, group, settings, plan))
        for i, group, settings, plan in todo:
            if plan is not None:
                plan.run(settings)
            else:
                self._plans.pop(i, None)
                self._long_way(i, group, settings)
                self._known = list(self.state), list(self.state.values())

    def check_tensors(self, i: int, params: list[Tensor], settings: Settings) -> None:
        """Check that group ``i`` can take a step, before any of it is changed."""
        name_states(params, self.state, torch_slots(self.rule))
        rule = settings.variant.rule
        check(type(self).__name__, i, params, self.state, rule, self.slot_dtype)

    @torch.no_grad()
    def _long_way(self, i: int, group: Mapping[str, Any], settings: Settings) -> None:
        """Sort the tensors into batches of one kind, update each, and plan the next step."""
        together = self.batches(group, settings, group["capturable"])
        watched = observed()
        for batch in together:
            odd, plain = batch.split(lambda x, g, slots: watched or not dense(x, g, slots))
            odd.eager_step(settings)
            if not plain:
                continue
            kernel = self._kernel(settings, plain)
            if self.implementation == "triton" or (kernel is None and not self._eager(plain)):
                plain.device_step(settings, self._device_step(settings))
            elif kernel is None:
                plain.eager_step(settings)
            else:
                plain.native_step(settings, kernel)
                if len(together) == 1 and not odd:
                    self._plan(i, group["params"], settings, plain, kernel)

    def batches(
        self, group: Mapping[str, Any], settings: Settings, capturable: bool
    ) -> list[Batch]:
        """Return a group's tensors, sorted, with a state for each, and the step counted."""
        params, start = group["params"], group.get("initial_accumulator_value", 0.0)
        for p in params:
            if p.grad is not None and p not in self.state:
                self.state[p] = Entries(torch_slots(self.rule))
        if capturable:
            self.part_counters(params)
        return batches(params, self.state, settings, self.slot_dtype, capturable, start)

    def part_counters(self, params: Iterable[Tensor]) -> None:
        """Have no tensor count for these parameters and for some that take no step with them."""
        moving = [self.state[p] for p in params if p.grad is not None]
        mine = set(map(id, moving))
        part([own for own in self.state.values() if id(own) not in mine], moving)

    def _eager(self, batch: Batch) -> bool:
        return self.implementation == "eager" or batch.params[0].device.type in ("cpu", "meta")

    def _kernel(self, settings: Settings, batch: Batch) -> Loop | None:
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
        kernel: Loop,
    ) -> None:
        params = [p for p in group if p.grad is not None]
        # A tensor of a class of its own, such as one spread over processes, has no address.
        plain = all(type(p) in (Tensor, Parameter) for p in params)
        states = [self.state[p] for p in params]
        plain = plain and TensorGuards is not None and isinstance(states[0]["step"], int)
        if plain and len(set(batch.dtypes[:2])) == 1:
            self._plans[i] = Plan(settings.variant, kernel, group, params, states)

    def slot_dtype(self, p: Tensor) -> torch.dtype:
        """Return the precision in which a parameter's slots are kept."""
        if self.state_dtype is not None:
            return self.state_dtype
        return torch.float32 if p.dtype in eager.LOW_PRECISION else p.dtype

    def state_dict(self) -> dict[str, Any]:
        """Return a checkpoint in Torch's form, which the namesake in ``torch.optim`` loads as well.

        Its entries have Torch's names, and the step number is a tensor. It holds the very tensors
        of the state: copy it before you go on.
        """

        def write(_: Optimizer, packed: dict[str, Any]) -> dict[str, Any]:
            names = torch_slots(self.rule)
            state = {
                key: written(self.rule, Entries(names, own)) if isinstance(key, int) else own
                for key, own in packed["state"].items()
            }
            return {**packed, "state": state}

        first = self.register_state_dict_post_hook(write, prepend=True)
        try:
            return super().state_dict()
        finally:
            first.remove()

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from a checkpoint of this optimizer or of its namesake in ``torch.optim``.

        Torch's hooks run as for Torch's optimizers. Slots go to each parameter's device and keep
        the optimizer's own precision: Torch's method would turn the float32 state of bfloat16
        parameters into bfloat16. What is neither a slot nor an option of Torch is taken over.

        Raises
        ------
        ValueError, TypeError, KeyError
            If the state is of another rule or of parameters of other shapes, or asks for what this
            class does not do. Nothing has been changed then.
        """

        def take(_: Optimizer, given: dict[str, Any]) -> dict[str, Any]:
            saved = checked_groups(self.rule, self.param_groups, self.defaults, given)
            found = checked_state(self.rule, self.param_groups, saved, given["state"])
            self._loaded = {
                key: self._taken(key, own) if isinstance(key, Tensor) else own
                for key, own in found.items()
            }
            return {**given, "param_groups": saved, "state": {}}

        if self._loading:  # a hook loads another checkpoint, and finds the same hooks
            super().load_state_dict(state_dict)  # type: ignore[arg-type]
            return
        last = self.register_load_state_dict_pre_hook(take)
        self._loading = True
        try:
            super().load_state_dict(state_dict)  # type: ignore[arg-type]
        finally:
            last.remove()
            self._loading = False
            self.__dict__.pop("_loaded", None)

    def _taken(self, p: Tensor, entries: dict[str, Any]) -> Entries:
        own = Entries(torch_slots(self.rule))
        for name, value in entries.items():
            if name == "products":
                value = tuple(torch.as_tensor(value, dtype=torch.float64).flatten().tolist())
            elif isinstance(value, Tensor) and value.shape == p.shape:
                dtype = self.slot_dtype(p) if value.is_floating_point() else None
                value = value.detach().to(p.device, dtype, copy=True)
            own[name] = value
        return own


@torch._disable_dynamo
def _left_between_graphs(optimizer: RuleOptimizer) -> None:
    """Take a step that ``torch.compile`` leaves as it is, between two graphs."""
    optimizer._take_step()

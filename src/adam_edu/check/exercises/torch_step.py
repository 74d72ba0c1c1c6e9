"""The exercise to write ``step`` for an optimizer of Torch, so that it survives a checkpoint."""
# mypy: allow-untyped-defs

import copy
from collections.abc import Callable, Mapping
from typing import Any

from ..challenge import Challenge, Flaw
from ..kinds import Misfit
from ..remote import inside
from ..situations import arrivals, same

LR, MOMENTUM = 0.1, 0.7
STARTS = ([2.0, -3.0], [4.0, 1.0], [-5.0, 6.0])
# For each parameter, taken in turn. No parameter's gradients are those of another.
GRADIENTS = (([3.0, -1.0], [-2.0, 5.0], [4.0, 1.0]), ([1.0, 2.0], [0.5, -3.0], [-1.0, 2.0]))
Step = Callable[..., Any]


class Training:
    """Three parameters, and an optimizer that steps by a function.

    Raises
    ------
    Misfit
        If Torch is missing.
    """

    def __init__(self, step: Step, rates: tuple[float, float] = (LR, LR)) -> None:
        try:
            import torch
        except ImportError:
            raise Misfit("needs_torch", "This exercise needs Torch: pip install torch.") from None
        self.torch, self.step, self.rates, self.t = torch, step, rates, 0
        self.parameters: list[Any] = [torch.nn.Parameter(torch.tensor(s).double()) for s in STARTS]
        self.optimizer = self._made()

    def _made(self) -> Any:
        """Return an optimizer with two groups: the first parameter, and the other two."""
        groups = self.parameters[:1], self.parameters[1:]
        pairs = zip(groups, self.rates, strict=True)
        return self.torch.optim.Optimizer(
            [{"params": group, "lr": rate} for group, rate in pairs],
            {"lr": LR, "momentum": MOMENTUM},
        )

    def run(self, steps: int, frozen: bool = False) -> "Training":
        """Take steps; if frozen, the second parameter gets no gradient, and the third does."""
        for _ in range(steps):
            for p, gradient in zip(self.parameters, GRADIENTS[self.t % 2], strict=True):
                p.grad = self.torch.tensor(gradient).double()
            if frozen:
                self.parameters[1].grad = None
            self.t += 1
            with self.torch.no_grad():
                self.step(self.optimizer)
        return self

    def decay(self) -> "Training":
        """Divide the rates by ten, as a scheduler does."""
        for group in self.optimizer.param_groups:
            group["lr"] /= 10
        return self

    def resume(self) -> "Training":
        """Go on with other parameters of the same values, and what a checkpoint has kept."""
        state = copy.deepcopy(self.optimizer.state_dict())
        self.parameters = [self.torch.nn.Parameter(p.detach().clone()) for p in self.parameters]
        self.optimizer = self._made()
        self.optimizer.load_state_dict(state)
        return self

    @property
    def values(self) -> list[float]:
        """All weights, one after the other."""
        return [value for p in self.parameters for value in p.detach().tolist()]


SITUATIONS: dict[str, Callable[[Step], Training]] = {
    "plain": lambda step: Training(step).run(4),
    "frozen": lambda step: Training(step).run(2, frozen=True).run(2),
    "grouped": lambda step: Training(step, rates=(LR, LR / 5)).run(4),
    "scheduled": lambda step: Training(step).run(2).decay().run(2),
    "resumed": lambda step: Training(step).run(2).resume().run(2),
}


def step_by(
    formula: Callable[..., tuple[Any, Any]],
    key: Callable[[Any], Any] = lambda p: p,
    groups: slice = slice(None),
) -> Step:
    """Return a step by a formula that gives the change of x and the new buffer."""

    def step(self):
        for group in self.param_groups[groups]:
            for p in group["params"]:
                if p.grad is not None:
                    state = self.state[key(p)]
                    m = state.get("m", 0 * p)
                    change, state["m"] = formula(p.grad, m, group["lr"], group["momentum"])
                    p.add_(change)

    return step


right = step_by(lambda g, m, lr, mu: (-lr * (mu * m + g), mu * m + g))
WRONG = {
    "forgetful": step_by(lambda g, m, lr, mu: (-lr * g, m)),
    "average": step_by(lambda g, m, lr, mu: (-lr * (mu * m + (1 - mu) * g), mu * m + (1 - mu) * g)),
    "bracket": step_by(lambda g, m, lr, mu: (-lr * mu * (m + g), mu * (m + g))),
    "late": step_by(lambda g, m, lr, mu: (-lr * m, mu * m + g)),
    "uphill": step_by(lambda g, m, lr, mu: (lr * (mu * m + g), mu * m + g)),
    "lr_inside": step_by(lambda g, m, lr, mu: (-(mu * m + lr * g), mu * m + lr * g)),
    "shared": step_by(lambda g, m, lr, mu: (-lr * (mu * m + g), mu * m + g), key=lambda p: "all"),
    "first": step_by(lambda g, m, lr, mu: (-lr * (mu * m + g), mu * m + g), groups=slice(1)),
}


def _arrives(step: Step) -> dict[str, list[float]]:
    return arrivals(SITUATIONS, lambda situation: situation(step).values)


def _references() -> Mapping[str, Any]:
    """Return where the right step arrives, and the wrong ones. It loads Torch, which takes time."""
    wrong = {name: _arrives(step) for name, step in WRONG.items()}
    return {"expected": _arrives(right), "wrong": wrong}


def _tried(step: Step) -> dict[str, Any]:
    """Try a step out, where it lives, and return what can be seen of it."""
    training = Training(step).run(1)  # an error here is the student's to read
    pointers = {p.grad.data_ptr() for p in training.parameters}
    buffers = [value for state in training.optimizer.state.values() for value in _tensors(state)]
    training.run(1)
    return {
        "values": training.values,
        "gradients": [p.grad.tolist() for p in training.parameters],
        "aliased": any(buffer.data_ptr() in pointers for buffer in buffers),
        "stateless": not buffers,
        "found": _arrives(step),
    }


def _measure(step: Step, expected: dict[str, list[float]], wrong: Any) -> Mapping[str, Any]:
    seen = inside(step, _tried)
    found = seen["found"]
    return {
        "moved": not same(seen["values"], [value for start in STARTS for value in start]),
        "kept": all(map(same, seen["gradients"], GRADIENTS[1])),
        "aliased": seen["aliased"],
        "stateless": seen["stateless"],
        "agrees": {name: same(found[name], place) for name, place in expected.items()},
        "like": [
            (name, situation)
            for name, places in wrong.items()
            for situation, place in places.items()
            if same(place, found[situation]) and not same(place, expected[situation])
        ],
        "situations": len(found),
    }


def _tensors(state: Any) -> list[Any]:
    values = state.values() if isinstance(state, dict) else [state]
    return [value for value in values if hasattr(value, "data_ptr")]


@Flaw
def weights_not_moved(moved):
    """After two steps the network's weights are what they were. x = x - ... gives the name x to a
    new tensor; write into the old one, by x.sub_(...), x.add_(m, alpha=-lr) or x.copy_(...)."""
    return not moved


@Flaw
def buffer_is_gradient(aliased):
    """Your buffer is the gradient's own tensor under another name. Whoever fills in the next
    gradient overwrites the buffer, or the buffer the gradient. Make it by x.grad.clone(), or by
    torch.zeros_like(x)."""
    return aliased


@Flaw
def gradient_changed(kept):
    """Your step changes x.grad. It belongs to backward(), and others may read it after you."""
    return not kept


@Flaw
def buffer_forgets(like):
    """Your steps are those of plain gradient descent. Either the buffer is made anew in every step,
    or the new one is not put back. Make it when self.state[x] is still empty, and after that change
    it in place or store it again."""
    return ("forgetful", "plain") in like


@Flaw
def buffer_averages(like):
    """Your buffer takes the share 1 - momentum of the gradient. Torch's momentum adds the whole
    gradient: m = momentum * m + g."""
    return ("average", "plain") in like


@Flaw
def gradient_shrunk(like):
    """Your buffer takes the share momentum of the gradient too, m = momentum * (m + g). The whole
    gradient is added: multiply first, then add."""
    return ("bracket", "plain") in like


@Flaw
def buffer_late(like):
    """You step by the buffer of before. Put the new gradient in first."""
    return ("late", "plain") in like


@Flaw
def step_uphill(like):
    """Your step goes up the slope. Subtract it: alpha=-lr."""
    return ("uphill", "plain") in like


@Flaw
def buffer_shared(like):
    """All your parameters share one buffer. Each needs its own: self.state has a dict for each
    parameter, self.state[x]."""
    return ("shared", "plain") in like


@Flaw
def first_group_only(like):
    """Only the parameters of the first group move. self.param_groups is a list: go through all of
    it."""
    return ("first", "plain") in like


@Flaw
def not_momentum(agrees):
    """Where your step leads is not where momentum does. For each x in each group: m is momentum * m
    + x.grad, from zero at first, and x goes by -lr * m. check.momentum_step can tell you more about
    the two lines alone."""
    return not agrees["plain"]


@Flaw
def frozen_not_skipped(agrees):
    """A frozen parameter has no gradient: its x.grad is None. Go on to the next one then, and leave
    its weights and its state alone."""
    return not agrees["frozen"]


@Flaw
def rate_of_another_group(agrees):
    """With two groups of different rates your step goes wrong. Read group["lr"] and
    group["momentum"] inside the loop over the groups."""
    return not agrees["grouped"]


@Flaw
def rate_inside_buffer(like):
    """The rate is inside your buffer, as in Keras. While the rate is constant that is the same. But
    when a schedule lowers it, the old steps go on at their old length. Asked for is Torch's form:
    gradients in the buffer, and the rate in the step."""
    return ("lr_inside", "scheduled") in like


@Flaw
def schedule_ignored(agrees):
    """A scheduler has written a new number to group["lr"], and you still use the old one. Read the
    group at each step, and keep no copy of it."""
    return not agrees["scheduled"]


@Flaw
def buffer_outside_state(agrees, stateless):
    """Interrupted, saved and loaded, your optimizer has forgotten its buffers: self.state is empty
    after a step. What is kept in an attribute, a global variable or a default argument is not in
    state_dict(). Keep each buffer in self.state[x]."""
    return not agrees["resumed"] and stateless


@Flaw
def buffer_lost(agrees):
    """Interrupted, saved and loaded, your optimizer has forgotten its buffers, though self.state
    has something in it. state_dict() can find a parameter's state again only if its key is the
    parameter itself: self.state[x], not self.state[id(x)], and no tensor as a key within."""
    return not agrees["resumed"]


torch_momentum = Challenge(
    signature="torch_momentum(self)",
    returns=("step",),
    statement="Write step() for a Torch optimizer with momentum, m <- momentum * m + g and "
    "x <- x - lr * m. self.param_groups is a list of dicts with 'params', 'lr' and 'momentum'; "
    "self.state[x] is a dict for each parameter, empty at first, and all that a checkpoint keeps. "
    "Gradients are in x.grad; that of a frozen parameter is None. It is called under "
    "torch.no_grad(), and returns nothing.",
    read="torch-optimizer",
    called=False,
    arguments=_references,
    measure=_measure,
    flaws=(
        weights_not_moved,
        buffer_is_gradient,
        gradient_changed,
        buffer_forgets,
        buffer_averages,
        gradient_shrunk,
        buffer_late,
        step_uphill,
        buffer_shared,
        first_group_only,
        not_momentum,
        frozen_not_skipped,
        rate_of_another_group,
        rate_inside_buffer,
        schedule_ignored,
        buffer_outside_state,
        buffer_lost,
    ),
    said="It was tried in {situations} ways: as it is, with a frozen parameter, with two rates, "
    "with a schedule, and with a checkpoint in the middle.",
)

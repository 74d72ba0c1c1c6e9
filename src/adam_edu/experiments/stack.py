"""The fast path: runs that differ only in optimizer and rate, trained side by side.

Such runs start from the same weights and see the same minibatches and the same noise. Their
parameters therefore stack into one tensor with a leading run axis. ``torch.vmap``, or the model
itself if it can, turns each matrix product into one for all runs, and a rule, being elementwise,
updates all its runs at once. On a GPU a whole step is captured as a CUDA graph and replayed, so
that Python is not in the way; on a CPU that is the gain as well, where steps are short.
``train.EagerRun`` says what is computed here; a test holds the two together.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from itertools import groupby
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from ..problems.networks import build, cross_entropy, l2_penalty
from .optimizers import make_rule
from .specs import Spec
from .tasks import Task, groups_of
from .train import EVALUATION_BATCH, epoch_batches, evaluate
from .trials import Curves, Trial


class Block:
    """The rows of a stack that one rule updates.

    Attributes
    ----------
    rows : which they are
    slots : the rule's slots, each (runs, parameters of one run)
    """

    def __init__(self, trials: list[Trial], first: int, x: Tensor) -> None:
        self.rows = slice(first, first + len(trials))
        self.rule = stacked_rule(trials, torch.float32, x.device)
        self.exact_rule = stacked_rule(trials, torch.float64, x.device)
        self.constant = torch.tensor([[t.entrant.constant] for t in trials], device=x.device)
        mine = x.detach()[self.rows]
        self.slots = [torch.zeros_like(mine) for _ in self.rule.slots]
        worth_compiling = x.device.type == "cuda" and mine.numel() >= 2**20
        self.update = torch.compile(self.rule.step) if worth_compiling else self.rule.step

    def step(self, x: Tensor, gradient: Tensor, t: Tensor, factor: Tensor | float) -> None:
        """Take step ``t``, in place; ``factor`` is the schedule's."""
        self.rule.lr.copy_(self.exact_rule.lr * torch.where(self.constant, 1.0, factor))
        scalars = [s.float() for s in self.exact_rule.scalars(t)]
        mine = x[self.rows]
        change, *slots = self.update(mine, gradient[self.rows], *self.slots, *scalars)
        mine += change
        for slot, new in zip(self.slots, slots, strict=True):
            slot.copy_(new)


class Stack:
    """Trials that share seed and dropout, as tensors with a leading run axis.

    Attributes
    ----------
    x : all parameters, (runs, parameters of one run)
    blocks : the runs of each rule, which stand together
    t : number of the step, float64; on the device, since a captured step counts by itself
    """

    def __init__(self, spec: Spec, task: Task, trials: Sequence[Trial]) -> None:
        first = trials[0]
        if any(replace(t, entrant=first.entrant, lr=first.lr) != first for t in trials):
            raise ValueError("the trials of a stack must share seed, dropout and length")
        self.spec, self.task, self.trials = spec, task, trials
        device = task.device
        model = build(lambda: spec.model(task.shape, task.classes, first.dropout), first.seed)
        self.model: Any = model.to(device)
        self.shapes = {name: p.shape for name, p in self.model.named_parameters()}
        flat = torch.cat([p.detach().flatten() for p in self.model.parameters()])
        self.x = flat.repeat(len(trials), 1).requires_grad_()
        self.blocks: list[Block] = []
        row = 0
        for _, same_rule in groupby(trials, lambda trial: trial.entrant.rule):
            mine = list(same_rule)
            self.blocks.append(Block(mine, row, self.x))
            row += len(mine)
        self.t = torch.zeros((), dtype=torch.float64, device=device)
        self.generator = torch.Generator(device).manual_seed(first.seed)
        # Filled anew each epoch.
        self.batches = epoch_batches(spec, task, torch.Generator(device)).clone()
        self.groups = groups_of(task.train_y, spec.groups) if spec.groups else None
        self.cursor = torch.zeros(1, dtype=torch.long, device=device)
        self.total = torch.zeros(len(trials), dtype=torch.float64, device=device)
        self.curves = [Curves() for _ in trials]
        self.step = self.capture() if device.type == "cuda" else self.train_step

    @property
    def epoch(self) -> int:
        """Epochs done."""
        return len(self.curves[0].train)

    def parameters(self, x: Tensor) -> dict[str, Tensor]:
        """Cut one run's vector, or the stack's matrix, into the model's parameters."""
        pieces = x.split([prod(shape) for shape in self.shapes.values()], dim=-1)
        return {
            name: piece.view(*x.shape[:-1], *shape)
            for (name, shape), piece in zip(self.shapes.items(), pieces, strict=True)
        }

    def losses(self, x: Any, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return the loss and the objective of each run on one minibatch, both (runs,)."""
        if side_by_side(self.model):
            parameters = self.parameters(self.x)
            loss = cross_entropies(self.model.side_by_side(parameters, x, self.generator), y)
            return loss, loss + vmap(self.penalty)(parameters) if self.spec.l2 else loss

        def one_run(parameters: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
            def model(*args: Any) -> Tensor:
                return functional_call(self.model, parameters, args)

            loss = self.spec.loss(model, x, y, self.generator)
            return loss, loss + self.penalty(parameters)

        return over_runs(one_run, self.parameters(self.x))

    def penalty(self, parameters: dict[str, Tensor]) -> Tensor | float:
        """Return one run's L2 penalty."""
        return l2_penalty(parameters.values(), self.spec.l2)

    def train_step(self) -> None:
        """Take one step of every run, on the minibatch at the cursor."""
        x, y = self.task.batch(self.batches.index_select(0, self.cursor)[0])
        loss, objective = self.losses(x, y)
        (gradient,) = torch.autograd.grad(objective.sum(), self.x)
        with torch.no_grad():
            self.t += 1
            factor = self.spec.schedule(self.t)
            for block in self.blocks:
                block.step(self.x, gradient, self.t, factor)
            self.total += loss
            self.cursor += 1

    def capture(self) -> Any:
        """Return a function that takes one step by replaying a CUDA graph of it."""
        before = self.state_dict()
        graph = torch.cuda.CUDAGraph()
        graph.register_generator_state(self.generator)
        warm_up = torch.cuda.Stream()
        warm_up.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(warm_up):
            for _ in range(3):
                self.cursor.zero_()
                self.train_step()
        torch.cuda.current_stream().wait_stream(warm_up)
        self.cursor.zero_()
        # "thread_local": what other threads do on their own streams is no part of this capture.
        with torch.cuda.graph(graph, capture_error_mode="thread_local"):
            self.train_step()
        self.load_state_dict(before)
        return graph.replay

    def train_epoch(self) -> None:
        """Go once through the training set in a new order, or as far as an epoch goes; test."""
        self.batches.copy_(epoch_batches(self.spec, self.task, self.generator))
        self.cursor.zero_()
        self.total.zero_()
        for _ in range(len(self.batches)):
            self.step()
        losses = self.total / len(self.batches)
        for curves, loss in zip(self.curves, losses.tolist(), strict=True):
            curves.train.append(loss)
        if self.spec.loss is cross_entropy:
            self.test()

    def test(self) -> None:
        """Add each run's loss and error on the test set to its curves."""
        parameters = self.parameters(self.x.detach())

        def one_run(parameters: dict[str, Tensor]) -> tuple[Tensor, ...]:
            def model(x: Any) -> Tensor:
                return functional_call(self.model, parameters, (x,))

            return evaluate(model, self.task, self.groups)

        if side_by_side(self.model):
            found = evaluate_all(lambda x: self.model.side_by_side(parameters, x), self.task)
        else:
            found = over_runs(one_run, parameters)
        for curves, loss, error, by_group in zip(
            self.curves, *(values.tolist() for values in found), strict=True
        ):
            curves.test_loss.append(loss)
            curves.test_error.append(error)
            if self.spec.groups:
                curves.test_groups.append(by_group)

    def state_dict(self) -> dict[str, Any]:
        """Return the whole state, as copies."""
        return {
            "x": self.x.detach().clone(),
            "slots": [[slot.clone() for slot in block.slots] for block in self.blocks],
            "t": self.t.clone(),
            "generator": self.generator.get_state(),
            "curves": [asdict(curves) for curves in self.curves],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go back to a state, in place: a captured step works on these very tensors."""
        with torch.no_grad():
            self.x.copy_(state["x"])
            for block, slots in zip(self.blocks, state["slots"], strict=True):
                for slot, saved in zip(block.slots, slots, strict=True):
                    slot.copy_(saved)
            self.t.copy_(state["t"])
        self.generator.set_state(state["generator"])
        self.curves = [Curves(**curves) for curves in state["curves"]]


def stacked_rule(trials: Sequence[Trial], dtype: torch.dtype, device: torch.device) -> Any:
    """Return one rule for all trials: where they differ, its field is a column (runs, 1).

    The learning rate is always a column, so that a schedule can write to it.
    """
    rules = [make_rule(trial.entrant, trial.lr) for trial in trials]
    columns = {}
    for name in rules[0].__dataclass_fields__:
        values = [getattr(rule, name) for rule in rules]
        if name == "lr" or len(set(values)) > 1:
            columns[name] = torch.tensor(values, dtype=dtype, device=device).unsqueeze(1)
    return replace(rules[0], **columns)


def over_runs(function: Any, parameters: dict[str, Tensor]) -> Any:
    """Apply ``function`` to each run's parameters, with the same noise, and stack the results.

    A single run goes without ``vmap``, which would turn its convolutions into grouped ones.
    """
    runs = len(next(iter(parameters.values())))
    if runs > 1:
        return vmap(function, randomness="same")(parameters)
    results = function({name: p.squeeze(0) for name, p in parameters.items()})
    return tuple(result.unsqueeze(0) for result in results)


def side_by_side(model: nn.Module) -> bool:
    """Say whether a model computes several runs at once by itself, better than ``vmap`` would."""
    return hasattr(model, "side_by_side")


def cross_entropies(logits: Tensor, y: Tensor) -> Tensor:
    """Return each run's mean negative log likelihood, (runs,), from logits (runs, batch, classes).

    :func:`~adam_edu.problems.networks.cross_entropy` for several runs.
    """
    chosen = y.expand(len(logits), -1).unsqueeze(-1)
    return -logits.log_softmax(-1).gather(-1, chosen).mean((1, 2))


@torch.no_grad()
def evaluate_all(model: Callable[[Any], Tensor], task: Task) -> tuple[Tensor, Tensor, Tensor]:
    """Return each run's test loss and share of errors, as :func:`.train.evaluate` does for one.

    There are no groups, (runs, 0): a model that computes several runs at once has few classes.
    """
    loss = errors = torch.zeros((), dtype=torch.float64, device=task.device)
    for x, y in task.test_batches(EVALUATION_BATCH):
        logits = model(x)
        loss = loss + cross_entropies(logits, y) * len(y)
        errors = errors + (logits.argmax(-1) != y).sum(1)
    return loss / len(task.test_y), errors / len(task.test_y), loss.new_zeros(len(loss), 0)

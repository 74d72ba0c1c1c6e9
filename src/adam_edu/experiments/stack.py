"""The fast path: runs that differ only in hyper-parameters, trained side by side.

Such runs start from the same weights and see the same minibatches and the same noise. Their
parameters therefore stack into one tensor with a leading run axis, ``torch.vmap`` turns each
matrix product into one for all runs, and a rule, being elementwise, updates all of them at once.
On a GPU a whole step is captured as a CUDA graph and replayed, so that Python is not in the way.
``train.EagerRun`` says what is computed here; a test holds the two together.
"""

from dataclasses import asdict, replace
from math import prod
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call, vmap

from ..problems.networks import build, cross_entropy, l2_penalty
from .optimizers import make_rule
from .specs import Spec
from .tasks import Task
from .train import evaluate, shuffled_batches
from .trials import Curves, Trial


class Stack:
    """Trials of one rule that share seed and dropout, as tensors with a leading run axis.

    Attributes
    ----------
    x : all parameters, (runs, parameters of one run)
    slots : the rule's slots, each like ``x``
    t : number of the step, float64; on the device, since a captured step counts by itself
    """

    def __init__(self, spec: Spec, task: Task, trials: list[Trial]) -> None:
        first = trials[0]
        if any(replace(t, entrant=first.entrant, lr=first.lr) != first for t in trials):
            raise ValueError("the trials of a stack must share seed, dropout and length")
        if len({t.entrant.rule for t in trials}) > 1:
            raise ValueError("the trials of a stack must share one rule")
        self.spec, self.task, self.trials = spec, task, trials
        device = task.device
        model = build(lambda: spec.model(task.shape, task.classes, first.dropout), first.seed)
        self.model = model.to(device)
        self.shapes = {name: p.shape for name, p in self.model.named_parameters()}
        flat = torch.cat([p.detach().flatten() for p in self.model.parameters()])
        self.x = flat.repeat(len(trials), 1).requires_grad_()
        self.rule = stacked_rule(trials, torch.float32, device)
        self.exact_rule = stacked_rule(trials, torch.float64, device)
        self.constant = torch.tensor([[t.entrant.constant] for t in trials], device=device)
        self.slots = [torch.zeros_like(self.x, requires_grad=False) for _ in self.rule.slots]
        self.t = torch.zeros((), dtype=torch.float64, device=device)
        self.generator = torch.Generator(device).manual_seed(first.seed)
        self.batches = shuffled_batches(
            len(task.train_x), spec.batch, torch.Generator(device)
        )  # filled anew each epoch
        self.cursor = torch.zeros(1, dtype=torch.long, device=device)
        self.total = torch.zeros(len(trials), dtype=torch.float64, device=device)
        self.curves = [Curves() for _ in trials]
        on_gpu = device.type == "cuda"
        worth_compiling = on_gpu and self.x.numel() >= 2**20
        self.update = torch.compile(self.rule.step) if worth_compiling else self.rule.step
        self.step = self.capture() if on_gpu else self.train_step

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

    def losses(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return the loss and the objective of each run on one minibatch, both (runs,)."""

        def one_run(parameters: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
            def model(*args: Any) -> Tensor:
                return functional_call(self.model, parameters, args)

            loss = self.spec.loss(model, x, y, self.generator)
            return loss, loss + l2_penalty(parameters.values(), self.spec.l2)

        return over_runs(one_run, self.parameters(self.x))

    def train_step(self) -> None:
        """Take one step of every run, on the minibatch at the cursor."""
        x, y = self.task.batch(self.batches.index_select(0, self.cursor)[0])
        loss, objective = self.losses(x, y)
        (gradient,) = torch.autograd.grad(objective.sum(), self.x)
        with torch.no_grad():
            self.t += 1
            factor = torch.where(self.constant, 1.0, self.spec.schedule(self.t))
            self.rule.lr.copy_(self.exact_rule.lr * factor)
            scalars = [s.float() for s in self.exact_rule.scalars(self.t)]
            change, *slots = self.update(self.x.detach(), gradient, *self.slots, *scalars)
            self.x += change
            for slot, new in zip(self.slots, slots, strict=True):
                slot.copy_(new)
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
        """Go once through the training set in a new order, then test."""
        self.batches.copy_(
            shuffled_batches(len(self.task.train_x), self.spec.batch, self.generator)
        )
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

        def one_run(parameters: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
            return evaluate(lambda x: functional_call(self.model, parameters, (x,)), self.task)

        parameters = self.parameters(self.x.detach())
        losses, errors = over_runs(one_run, parameters)
        for curves, loss, error in zip(self.curves, losses.tolist(), errors.tolist(), strict=True):
            curves.test_loss.append(loss)
            curves.test_error.append(error)

    def state_dict(self) -> dict[str, Any]:
        """Return the whole state, as copies."""
        return {
            "x": self.x.detach().clone(),
            "slots": [slot.clone() for slot in self.slots],
            "t": self.t.clone(),
            "generator": self.generator.get_state(),
            "curves": [asdict(curves) for curves in self.curves],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go back to a state, in place: a captured step works on these very tensors."""
        with torch.no_grad():
            self.x.copy_(state["x"])
            for slot, saved in zip(self.slots, state["slots"], strict=True):
                slot.copy_(saved)
            self.t.copy_(state["t"])
        self.generator.set_state(state["generator"])
        self.curves = [Curves(**curves) for curves in state["curves"]]


def stacked_rule(trials: list[Trial], dtype: torch.dtype, device: torch.device) -> Any:
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

"""The plain training loop: one run, one step after the other. The reference for the fast path."""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from ..problems.networks import build, cross_entropy
from .optimizers import make_optimizer, penalized
from .specs import Entrant, Spec
from .tasks import Task, groups_of
from .trials import Curves, Trial

EVALUATION_BATCH = 2500


class EagerRun:
    """One trial: a model, its optimizer, and the generator of its random numbers.

    Everything random in the run, the order of the examples, dropout and sampling, comes from that
    one generator, so that a seed fixes the run and a checkpoint holds all of it.
    """

    def __init__(
        self,
        spec: Spec,
        task: Task,
        trial: Trial,
        make: Callable[[Entrant, Iterable[Any], float], Optimizer] = make_optimizer,
    ) -> None:
        self.spec, self.task, self.trial = spec, task, trial
        device = task.device
        model: Any = build(lambda: spec.model(task.shape, task.classes, trial.dropout), trial.seed)
        # Channels last, a convolution takes two thirds of the time on a CPU.
        layout = torch.channels_last if spec.images else torch.preserve_format
        self.model: nn.Module = model.to(device).to(memory_format=layout)
        parameters = penalized(self.model.parameters(), spec.l2)
        self.optimizer = make(trial.entrant, parameters, trial.lr)
        self.generator = torch.Generator(device).manual_seed(trial.seed)
        self.groups = groups_of(task.train_y, spec.groups) if spec.groups else None
        self.t = 0
        self.curves = [Curves()]

    @property
    def epoch(self) -> int:
        """Epochs done."""
        return len(self.curves[0].train)

    def train_step(self, indices: Tensor) -> Tensor:
        """Take one step on the training examples with these numbers; return their mean loss."""
        x, y = self.task.batch(indices)
        loss = self.spec.loss(self.model, x, y, self.generator)
        self.optimizer.zero_grad()
        loss.backward()
        self.t += 1
        factor = 1.0 if self.trial.entrant.constant else self.spec.schedule(self.t)
        for group in self.optimizer.param_groups:
            group["lr"] = self.trial.lr * factor
        self.optimizer.step()
        return loss.detach()

    def train_epoch(self) -> None:
        """Go once through the training set in a new order, or as far as an epoch goes; test."""
        batches = epoch_batches(self.spec, self.task, self.generator)
        total = torch.zeros((), dtype=torch.float64, device=batches.device)
        for indices in batches:
            total += self.train_step(indices)
        self.curves[0].train.append((total / len(batches)).item())
        if self.spec.loss is cross_entropy:
            loss, error, by_group = evaluate(self.model, self.task, self.groups)
            self.curves[0].test_loss.append(loss.item())
            self.curves[0].test_error.append(error.item())
            if self.spec.groups:
                self.curves[0].test_groups.append(by_group.tolist())

    def state_dict(self) -> dict[str, Any]:
        """Return the whole state: model, optimizer, generator, step and curves."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "generator": self.generator.get_state(),
            "t": self.t,
            "curves": [asdict(curves) for curves in self.curves],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go back to a state that ``state_dict`` returned."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.generator.set_state(state["generator"])
        self.t = state["t"]
        self.curves = [Curves(**curves) for curves in state["curves"]]


def epoch_batches(spec: Spec, task: Task, generator: torch.Generator) -> Tensor:
    """Return the numbers of the examples of an epoch's minibatches, (minibatches, batch)."""
    batches = shuffled_batches(len(task.train_y), spec.batch, generator)
    return batches[: spec.steps] if spec.steps else batches


def shuffled_batches(examples: int, batch: int, generator: torch.Generator) -> Tensor:
    """Return the numbers 0 .. examples - 1 in random order as (batches, batch), the rest left out.

    A training set smaller than a minibatch makes one batch of all of it.
    """
    batch = min(batch, examples)
    order = torch.randperm(examples, generator=generator, device=generator.device)
    return order[: examples // batch * batch].view(-1, batch)


@torch.no_grad()
def evaluate(
    model: Callable[[Any], Tensor], task: Task, groups: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the mean negative log likelihood and the share of errors on the test set.

    Third comes the likelihood by group, (groups,), where ``groups`` says which each class is in,
    (classes,); without it (0,). A group that the test set has nothing of is NaN.
    """
    loss = torch.zeros((), dtype=torch.float64, device=task.device)
    errors = torch.zeros_like(loss)
    by_group = loss.new_zeros(0)
    if groups is not None:
        members = nn.functional.one_hot(groups).double()  # (classes, groups)
        by_group = members.new_zeros(members.shape[1])
    for x, y in task.test_batches(EVALUATION_BATCH):
        logits, labels = model(x).flatten(0, -2), y.flatten()
        errors = errors + (logits.argmax(1) != labels).sum()
        if groups is None:
            loss = loss + nn.functional.cross_entropy(logits, labels, reduction="sum")
        else:
            each = nn.functional.cross_entropy(logits, labels, reduction="none").double()
            loss = loss + each.sum()
            by_group = by_group + each @ members[labels]
    if groups is not None:
        by_group = by_group / members[task.test_y.flatten()].sum(0)
    return loss / task.test_y.numel(), errors / task.test_y.numel(), by_group

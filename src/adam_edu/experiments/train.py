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
from .tasks import Task
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
        """Go once through the training set in a new order, then test."""
        batches = shuffled_batches(len(self.task.train_y), self.spec.batch, self.generator)
        total = torch.zeros((), dtype=torch.float64, device=batches.device)
        for indices in batches:
            total += self.train_step(indices)
        self.curves[0].train.append((total / len(batches)).item())
        if self.spec.loss is cross_entropy:
            loss, error = evaluate(self.model, self.task)
            self.curves[0].test_loss.append(loss.item())
            self.curves[0].test_error.append(error.item())

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


def shuffled_batches(examples: int, batch: int, generator: torch.Generator) -> Tensor:
    """Return the numbers 0 .. examples - 1 in random order as (batches, batch), the rest left out.

    A training set smaller than a minibatch makes one batch of all of it.
    """
    batch = min(batch, examples)
    order = torch.randperm(examples, generator=generator, device=generator.device)
    return order[: examples // batch * batch].view(-1, batch)


@torch.no_grad()
def evaluate(model: Callable[[Any], Tensor], task: Task) -> tuple[Tensor, Tensor]:
    """Return the mean negative log likelihood and the share of errors on the test set."""
    loss = torch.zeros((), dtype=torch.float64, device=task.device)
    errors = torch.zeros_like(loss)
    for x, y in task.test_batches(EVALUATION_BATCH):
        logits = model(x)
        loss = loss + nn.functional.cross_entropy(logits, y, reduction="sum")
        errors = errors + (logits.argmax(1) != y).sum()
    return loss / len(task.test_y), errors / len(task.test_y)

"""A training run of SFO: the training set as a sum of a few minibatches that stay the same."""

from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from ..problems.networks import build, cross_entropy, l2_penalty
from .sfo import SFO
from .specs import Spec
from .tasks import Task
from .train import evaluate, shuffled_batches
from .trials import Curves, Trial

FUNCTIONS = 25  # about sqrt(60,000) / 10, as the authors of SFO advise for that many examples


class SumRun:
    """One trial of SFO, which needs the same gradient at the same place: without dropout.

    An epoch is as many evaluations as there are minibatches; some may be seen more often than
    others in it. The trial's learning rate is the share of a full step to begin with.
    """

    def __init__(self, spec: Spec, task: Task, trial: Trial) -> None:
        if trial.dropout:
            raise ValueError("SFO cannot train with dropout, whose gradients are random")
        self.spec, self.task = spec, task
        self.model = build(lambda: spec.model(task.shape, task.classes, False), trial.seed)
        self.generator = torch.Generator().manual_seed(trial.seed)
        examples = len(task.train_y)
        self.batches = shuffled_batches(examples, max(1, examples // FUNCTIONS), self.generator)
        x = parameters_to_vector(self.model.parameters()).detach()
        self.sfo = SFO(self.objective, x, len(self.batches), self.generator, scale=trial.lr)
        self.losses: list[float] = []
        self.curves = [Curves()]

    @property
    def epoch(self) -> int:
        """Epochs done."""
        return len(self.curves[0].train)

    def objective(self, x: Tensor, i: int) -> tuple[float, Tensor]:
        """Return the objective on one minibatch, and its gradient."""
        parameters = list(self.model.parameters())
        vector_to_parameters(x, parameters)
        loss = self.spec.loss(self.model, *self.task.batch(self.batches[i]), None)
        whole = loss + l2_penalty(parameters, self.spec.l2)
        gradient = torch.autograd.grad(whole, parameters)
        self.losses.append(loss.item())
        return whole.item(), parameters_to_vector(gradient)

    def train_epoch(self) -> None:
        """Evaluate as many minibatches as there are, or a few more after bad steps; then test."""
        self.losses.clear()
        while len(self.losses) < len(self.batches):
            self.sfo.step()
        self.curves[0].train.append(sum(self.losses) / len(self.losses))
        if self.spec.loss is cross_entropy:
            vector_to_parameters(self.sfo.x, self.model.parameters())
            loss, error, _ = evaluate(self.model, self.task)
            self.curves[0].test_loss.append(loss.item())
            self.curves[0].test_error.append(error.item())

    def state_dict(self) -> dict[str, Any]:
        """Return the whole state."""
        return {
            "sfo": self.sfo.state_dict(),
            "generator": self.generator.get_state(),
            "curves": [asdict(curves) for curves in self.curves],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go back to a state that ``state_dict`` returned."""
        self.sfo.load_state_dict(state["sfo"])
        self.generator.set_state(state["generator"])
        self.curves = [Curves(**curves) for curves in state["curves"]]

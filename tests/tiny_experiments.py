"""The paper's experiments, small enough for a test."""

from dataclasses import replace

import torch
from cluster_models import small

from adam_edu.experiments.specs import SPECS
from adam_edu.experiments.tasks import Task

# A thousand units in each layer would train for seconds where milliseconds show the same.
SPEC = replace(SPECS["mlp-mnist"], model=small)


def small_task(spec, examples=300):
    generator = torch.Generator().manual_seed(0)
    if spec.groups:  # running text
        words = (torch.rand(examples, 7, generator=generator) ** 1.5 * 20).int()
        x, y = words[:, :-1], words[:, 1:].long()
        return Task(x, y, x[:100], y[:100])
    shape = (1, 8, 8) if spec.images else (64,)
    y = torch.randint(0, 10, (examples,), generator=generator)
    x = torch.rand(examples, *shape, generator=generator)
    return Task(x, y, x[:100], y[:100])


def tiny(spec):
    return replace(
        spec, grid=spec.grid[1:3], tuning_epochs=min(1, spec.tuning_epochs), epochs=(2, 1)
    )


def without_times(results):
    runs = [{k: v for k, v in run.items() if k != "seconds"} for run in results["runs"]]
    return results | {"runs": runs}


def modest(spec):
    """Return an experiment of fifty short runs."""
    return replace(spec, grid=spec.grid[1:4], tuning_epochs=2, epochs=(4, 2))

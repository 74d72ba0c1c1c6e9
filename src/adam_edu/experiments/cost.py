"""What an optimizer costs: training throughput of the multilayer network, in turns."""

import statistics
import time
from typing import Any

import torch

from .record import circumstances, rounded
from .specs import ADAM, MLP_MNIST, Entrant
from .tasks import Task
from .train import EagerRun, shuffled_batches
from .trials import Trial


def measure_cost(task: Task, *, steps: int = 30, rounds: int = 30) -> dict[str, Any]:
    """Train the network of section 6.2 with each optimizer in turns; return steps a second.

    ``ratio`` is the median, over the rounds, of the time with Torch's fused Adam over that with
    ours: above 1, ours is faster. ``over_adam`` holds, for each other entrant, the quartiles of its
    time over our Adam's. Each round times ``steps`` steps of the plain loop with each, in
    alternating order.
    """
    device = task.device

    def trial(entrant: Entrant) -> Trial:
        return Trial(entrant, 1e-3, dropout=True, seed=0, epochs=1)

    others = [entrant for entrant in MLP_MNIST.entrants if entrant is not ADAM]
    runs = {
        "adam_edu": EagerRun(MLP_MNIST, task, trial(ADAM)),
        "torch fused": EagerRun(
            MLP_MNIST,
            task,
            trial(ADAM),
            make=lambda entrant, params, lr: torch.optim.Adam(params, lr=lr, fused=True),
        ),
    } | {entrant.label: EagerRun(MLP_MNIST, task, trial(entrant)) for entrant in others}
    batches = shuffled_batches(
        len(task.train_y), MLP_MNIST.batch, torch.Generator(device).manual_seed(0)
    )

    def seconds(run: EagerRun) -> float:
        _wait(device)
        started = time.perf_counter()
        for i in range(steps):
            run.train_step(batches[i % len(batches)])
        _wait(device)
        return time.perf_counter() - started

    for run in runs.values():
        seconds(run)  # compiles, warms up
    times: dict[str, list[float]] = {name: [] for name in runs}
    for i in range(rounds):
        for name in sorted(runs, reverse=bool(i % 2)):
            times[name].append(seconds(runs[name]))
    ratios = [b / a for a, b in zip(times["adam_edu"], times["torch fused"], strict=True)]
    return {
        "experiment": "mlp-mnist-cost",
        "steps_per_second": {
            name: rounded(steps / statistics.median(values)) for name, values in times.items()
        },
        "ratio": rounded(statistics.median(ratios), 4),
        "ratios": [rounded(ratio, 4) for ratio in ratios],
        "over_adam": {
            entrant.label: quartiles(times[entrant.label], times["adam_edu"]) for entrant in others
        },
        "steps": steps,
        "rounds": rounds,
        "batch": MLP_MNIST.batch,
    } | circumstances(str(device))


def quartiles(times: list[float], others: list[float]) -> list[float | None]:
    """Return the quartiles of the quotient of two times, round by round."""
    ratios = [a / b for a, b in zip(times, others, strict=True)]
    return [rounded(q, 4) for q in statistics.quantiles(ratios, n=4, method="inclusive")]


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)

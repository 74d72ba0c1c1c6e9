"""Time a step of each Torch optimizer, compiled, against the best of torch.optim.

Three lists of float32 tensors: one of 10 million elements, fifty of 200,000, fifty of 2,000; with
one thread and with all. All sides step the same parameters, since where memory lies makes a
difference of ten per cent by itself; each has its own slots. They take turns within one run, and
each turn gives one ratio, so that whatever else the machine does falls on both sides alike. The
ratio is the time of Torch's fastest implementation (for-loop, foreach or fused, by its median) over
that of ours: above 1, ours is faster. Run: ``python benchmarks/torch_step.py``
"""

import argparse
from collections.abc import Callable
from time import perf_counter, thread_time
from typing import Any

import numpy as np
import torch

import adam_edu.torch as ours

Side = Callable[[], Any]

SHAPES = {"1 x 10 M": (1, 10_000_000), "50 x 200 k": (50, 200_000), "50 x 2 k": (50, 2_000)}

# Our class, Torch's, and arguments for both.
PAIRS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "SGD": ("SGD", "SGD", {"lr": 1e-3}),
    "Momentum": ("SGD", "SGD", {"lr": 1e-3, "momentum": 0.9}),
    "Nesterov": ("SGD", "SGD", {"lr": 1e-3, "momentum": 0.9, "nesterov": True}),
    "AdaGrad": ("AdaGrad", "Adagrad", {}),
    "RMSProp": ("RMSProp", "RMSprop", {}),
    "CenteredRMSProp": ("RMSProp", "RMSprop", {"centered": True}),
    "AdaDelta": ("AdaDelta", "Adadelta", {}),
    "Adam": ("Adam", "Adam", {}),
    "AdaMax": ("AdaMax", "Adamax", {}),
    "NAdam": ("NAdam", "NAdam", {}),
    "AMSGrad": ("Adam", "Adam", {"amsgrad": True}),
    "AdamL2": ("Adam", "Adam", {"weight_decay": 1e-2}),
    "AdamW": ("AdamW", "AdamW", {}),
    "RAdam": ("RAdam", "RAdam", {}),
}


def parameters(count: int, size: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    params = [torch.randn(size, generator=generator).requires_grad_() for _ in range(count)]
    for p in params:
        p.grad = torch.randn(size, generator=generator)
    return params


def torch_sides(
    name: str, arguments: dict[str, Any], params: list[torch.Tensor]
) -> dict[str, Side]:
    """Return the step of each implementation that Torch has of this optimizer on the CPU."""
    sides = {}
    for kind in ({"foreach": False}, {"foreach": True}, {"fused": True}):
        make = getattr(torch.optim, name)
        try:
            optimizer = make(params, **arguments, **kind)
        except (TypeError, RuntimeError):  # it has no fused implementation
            continue
        label = "fused" if "fused" in kind else "foreach" if kind["foreach"] else "for-loop"
        sides[label] = optimizer.step
    return sides


def seconds(side: Side, repeats: int) -> float:
    # With one thread, the processor's time for it, which other programs do not count in.
    clock = thread_time if torch.get_num_threads() == 1 else perf_counter
    begin = clock()
    for _ in range(repeats):
        side()
    return (clock() - begin) / repeats


def race(sides: dict[str, Side], turns: int, repeats: int) -> dict[str, np.ndarray]:
    """Return each side's times over ``turns`` turns, in changing order."""
    names = list(sides)
    rows: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(turns):
        for name in names if turn % 2 else reversed(names):
            rows[name].append(seconds(sides[name], repeats))
    return {name: np.array(values) for name, values in rows.items()}


def compare(name: str, shape: str, turns: int) -> str:
    mine, theirs, arguments = PAIRS[name]
    count, size = SHAPES[shape]
    params = parameters(count, size)
    sides = torch_sides(theirs, arguments, params)
    repeats = 1 if count * size > 1e6 else 50
    step = getattr(ours, mine)(params, implementation="compiled", **arguments).step
    begin = perf_counter()
    step()
    first = perf_counter() - begin  # compiles, unless the cache has it
    for side in (*sides.values(), step):
        seconds(side, 2)
    if repeats == 1 and len(sides) > 1:  # two that are several times slower need no long race
        short = {name: np.median(t) for name, t in race(sides, 3, 1).items()}
        sides = {name: sides[name] for name in short if short[name] < 2 * min(short.values())}
    times = race(sides | {"ours": step}, turns, repeats)
    own = times.pop("ours")
    best = min(times, key=lambda kind: float(np.median(times[kind])))
    low, middle, high = np.percentile(times[best] / own, [25, 50, 75])
    return (
        f"{name:16} {shape:>11}  ours {1e3 * np.median(own):8.3f} ms  {best:8} "
        f"{1e3 * np.median(times[best]):8.3f} ms  ratio {middle:5.2f} ({low:.2f} to {high:.2f})  "
        f"first step {first:.2f} s"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=21)
    parser.add_argument("--optimizers", nargs="*", default=list(PAIRS), choices=list(PAIRS))
    parser.add_argument("--threads", nargs="*", type=int)
    arguments = parser.parse_args()
    counts = arguments.threads or sorted({1, torch.get_num_threads()})
    print(f"torch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}")
    for threads in counts:
        torch.set_num_threads(threads)
        print(f"{threads} thread(s). Time of Torch's best over ours; above 1, ours is faster.")
        for shape in SHAPES:
            for name in arguments.optimizers:
                print(compare(name, shape, arguments.turns), flush=True)


if __name__ == "__main__":
    main()

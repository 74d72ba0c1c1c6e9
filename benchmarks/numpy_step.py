"""Time NumPy's step: the native loop against blocks of NumPy's operations, Torch and scikit-learn.

Two lists of float32 arrays: one of 10 million elements, fifty of 2,000; with one thread and with
all. The sides take turns within one run, and each turn gives one ratio, so that whatever else the
machine does falls on all sides alike. Ours look at each gradient first: a step along a number that
is not finite is refused. The last column is the bytes that a rule has to move, over what a copy
moves in the same time: at 1.0, memory alone sets the pace.

Run: ``python benchmarks/numpy_step.py``
"""

import argparse
from collections.abc import Callable
from time import perf_counter, thread_time

import numpy as np
import torch
from sklearn.neural_network._stochastic_optimizers import AdamOptimizer as SklearnAdam

from adam_edu import RULES, Optimizer, Rule
from adam_edu.array_blocks import BLOCK_BYTES

Side = Callable[[], object]
Arrays = list[np.ndarray]

SHAPES = {"1 x 10 M": (1, 10_000_000), "50 x 2 k": (50, 2_000)}


def arrays(count: int, size: int) -> tuple[Arrays, Arrays]:
    """Return parameters and gradients."""
    rng = np.random.default_rng(0)
    one, other = ([rng.standard_normal(size, dtype=np.float32) for _ in range(count)] for _ in "xg")
    return one, other


def ours(rule: Rule, xs: Arrays, gs: Arrays, engine: str, threads: int) -> Side:
    """Return the driver's step."""
    optimizer = Optimizer(rule, [x.copy() for x in xs], engine=engine, threads=threads)
    return lambda: optimizer.step(gs)


def torch_fused(xs: Arrays, gs: Arrays) -> Side:
    """Return the step of Torch's fused Adam on memory of its own."""
    params = [torch.tensor(x).requires_grad_() for x in xs]
    for p, g in zip(params, gs, strict=True):
        p.grad = torch.tensor(g)
    return torch.optim.Adam(params, fused=True).step


def sklearn_adam(xs: Arrays, gs: Arrays) -> Side:
    """Return the step of scikit-learn's neural networks."""
    params = [x.copy() for x in xs]
    optimizer = SklearnAdam(params)
    return lambda: optimizer.update_params(params, gs)


def copy(xs: Arrays) -> Side:
    """Return a copy of the parameters: what memory can do, with Torch's threads."""
    sources = [torch.tensor(x) for x in xs]
    targets = [torch.empty_like(source) for source in sources]
    return lambda: [to.copy_(source) for to, source in zip(targets, sources, strict=True)]


def seconds(side: Side, repeats: int, threads: int) -> float:
    # With one thread, the processor's time for it, which other programs do not count in.
    clock = thread_time if threads == 1 else perf_counter
    begin = clock()
    for _ in range(repeats):
        side()
    return (clock() - begin) / repeats


def race(sides: dict[str, Side], turns: int, repeats: int, threads: int) -> dict[str, np.ndarray]:
    """Return each side's times, in changing order, after two turns to warm up."""
    names = list(sides)
    rows: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(turns + 2):
        for name in names if turn % 2 else reversed(names):
            rows[name].append(seconds(sides[name], repeats, threads))
    return {name: np.array(values[2:]) for name, values in rows.items()}


def compare(name: str, shape: str, threads: int, turns: int) -> str:
    """Return one line: our time, and that of the others over it."""
    rule, (count, size) = RULES[name](), SHAPES[shape]
    xs, gs = arrays(count, size)
    sides = {
        "native": ours(rule, xs, gs, "native", threads),
        "blocks": ours(rule, xs, gs, "numpy", threads),
        "copy": copy(xs),
    }
    if name == "Adam":
        sides |= {"torch fused": torch_fused(xs, gs), "scikit-learn": sklearn_adam(xs, gs)}
    times = race(sides, turns, 1 if count == 1 else 20, threads)
    own, copied = times.pop("native"), times.pop("copy")
    ratios = "  ".join(
        f"{other} {np.median(t / own):5.2f} ({np.percentile(t / own, 25):.2f} to "
        f"{np.percentile(t / own, 75):.2f})"
        for other, t in times.items()
    )
    # x and the slots are read and written, the gradient is read; a copy reads one and writes one.
    share = np.median(copied / own) * (3 + 2 * len(rule.slots)) / 2
    return f"{name:18}{shape:>9} {1e3 * np.median(own):8.3f} ms  {ratios}  of a copy {share:.2f}"


def main() -> None:
    """Print all lines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=21)
    parser.add_argument("--rules", nargs="*", default=list(RULES), choices=list(RULES))
    parser.add_argument("--threads", nargs="*", type=int)
    arguments = parser.parse_args()
    print(f"blocks of {BLOCK_BYTES:,} bytes, {arguments.turns} turns, float32")
    print("Time of each side over that of the native loop: median (quartiles).")
    for threads in arguments.threads or sorted({1, torch.get_num_threads()}):
        torch.set_num_threads(threads)
        print(f"{threads} thread(s)")
        for shape in SHAPES:
            for name in arguments.rules:
                print(compare(name, shape, threads, arguments.turns), flush=True)


if __name__ == "__main__":
    main()

"""Time one NumPy step on 10 million float32: in blocks, on whole arrays, and scikit-learn's Adam.

The sides take turns within one run, and each turn gives one ratio, so that whatever else the
machine does falls on both sides alike. Run: ``python benchmarks/numpy_step.py``
"""

import argparse
from collections.abc import Callable
from time import perf_counter

import numpy as np
from sklearn.neural_network._stochastic_optimizers import AdamOptimizer as SklearnAdam

from adam_edu import RULES, Optimizer, Rule
from adam_edu.descent import BLOCK_BYTES

Side = Callable[[], None]


def blocked(rule: Rule, x: np.ndarray, g: np.ndarray) -> Side:
    """Return the driver's step."""
    optimizer = Optimizer(rule, x.copy())
    return lambda: optimizer.step(g)


def whole(rule: Rule, x: np.ndarray, g: np.ndarray) -> Side:
    """Return the step as one would write it: the rule's own lines on whole arrays."""
    x, slots, t = x.copy(), [np.zeros_like(x) for _ in rule.slots], 0

    def step() -> None:
        nonlocal x, slots, t
        t += 1
        x, *slots = rule.update(t, x, g, *slots)

    return step


def sklearn_adam(x: np.ndarray, g: np.ndarray) -> Side:
    """Return the step of scikit-learn's neural networks."""
    params = [x.copy()]
    optimizer = SklearnAdam(params)
    return lambda: optimizer.update_params(params, [g])


def seconds(side: Side) -> float:
    """Return how long one step took."""
    begin = perf_counter()
    side()
    return perf_counter() - begin


def race(sides: dict[str, Side], turns: int) -> dict[str, np.ndarray]:
    """Return each side's times over ``turns`` turns, after one to warm up."""
    for side in sides.values():
        side()
    rows = [[seconds(side) for side in sides.values()] for _ in range(turns)]
    return dict(zip(sides, np.array(rows).T, strict=True))


def ratio(times: np.ndarray, reference: np.ndarray) -> str:
    """Return how many times faster ``reference`` is than ``times``: median and quartiles."""
    low, middle, high = np.percentile(times / reference, [25, 50, 75])
    return f"{middle:5.2f}  ({low:.2f} to {high:.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=10_000_000, help="elements (float32)")
    parser.add_argument("--turns", type=int, default=21)
    parser.add_argument("--rules", nargs="*", default=list(RULES), choices=list(RULES))
    arguments = parser.parse_args()

    rng = np.random.default_rng(0)
    x = rng.standard_normal(arguments.size, dtype=np.float32)
    g = rng.standard_normal(arguments.size, dtype=np.float32)
    print(f"{arguments.size:,} float32, {arguments.turns} turns, blocks of {BLOCK_BYTES:,} bytes")
    print("Time of each side over that of Optimizer: median (quartiles); above 1, it is slower.")
    for name in arguments.rules:
        rule = RULES[name]()
        sides = {"Optimizer": blocked(rule, x, g), "whole arrays": whole(rule, x, g)}
        if name == "Adam":
            sides["scikit-learn"] = sklearn_adam(x, g)
        times = race(sides, arguments.turns)
        ours = times.pop("Optimizer")
        others = "   ".join(f"{other} {ratio(t, ours)}" for other, t in times.items())
        print(f"{name:16} {1e3 * np.median(ours):6.1f} ms   {others}", flush=True)


if __name__ == "__main__":
    main()

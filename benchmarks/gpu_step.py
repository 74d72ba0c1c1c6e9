"""Time a step of each optimizer on a CUDA GPU: milliseconds, bytes moved, share of a copy's speed.

Each number of p, g and the slots has to be read once, and each of p and the slots written once. A
device copy of as many bytes says how fast memory is; the optimizer's step is compared with it, with
torch's fused and foreach implementations, in turns within one run. Run:
``python benchmarks/gpu_step.py``, with ``--record`` to keep the result in the package. On
``--device cpu`` it shows that all of it runs, and little else.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import torch
from torch_step import PAIRS

import adam_edu.torch as ours
from adam_edu.torch.arguments import chosen

Side = Callable[[], Any]


def milliseconds(side: Side, device: str) -> float:
    if device == "cpu":
        started = perf_counter()
        side()
        return 1e3 * (perf_counter() - started)
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    begin.record()
    side()
    end.record()
    end.synchronize()
    return begin.elapsed_time(end)


def race(sides: dict[str, Side], turns: int, device: str) -> dict[str, np.ndarray]:
    for side in sides.values():
        for _ in range(3):
            side()
    rows = [[milliseconds(side, device) for side in sides.values()] for _ in range(turns)]
    return dict(zip(sides, np.array(rows).T, strict=True))


def parameter(size: int, device: str) -> torch.Tensor:
    generator = torch.Generator(device).manual_seed(0)
    p = torch.randn(size, device=device, generator=generator).requires_grad_()
    p.grad = torch.randn(size, device=device, generator=generator)
    return p


def copy_of(bytes_moved: int, device: str) -> Side:
    """Return a copy within the device that reads and writes this many bytes in all."""
    source = torch.zeros(bytes_moved // 8, device=device)
    target = torch.empty_like(source)
    return lambda: target.copy_(source)


def measure(name: str, size: int, turns: int, device: str) -> dict[str, Any]:
    mine, theirs, arguments = PAIRS[name]
    made = getattr(ours, mine)([parameter(size, device)], implementation="compiled", **arguments)
    slots = len(chosen(made.rule, made.param_groups[0]).slots)
    moved = (2 + slots + 1 + slots) * 4 * size
    sides: dict[str, Side] = {"copy": copy_of(moved, device), "compiled": made.step}
    if mine in ("Adam", "AdamW") and "amsgrad" not in arguments:
        by_hand = getattr(ours, mine)(
            [parameter(size, device)], implementation="triton", **arguments
        )
        sides["triton"] = by_hand.step
    for kind in ("foreach", "fused"):
        try:
            optimizer = getattr(torch.optim, theirs)(
                [parameter(size, device)], **arguments, **{kind: True}
            )
        except (TypeError, RuntimeError):  # Torch has none
            continue
        sides[kind] = optimizer.step
    times = race(sides, turns, device)
    own, copied = times["compiled"], times["copy"]
    row: dict[str, Any] = {
        "optimizer": name,
        "bytes": moved,
        "bandwidth": moved / 1e-3 / float(np.median(own)),
        "share_of_copy": round(float(np.median(copied / own)), 4),
        "ms": {side: round(float(np.median(t)), 4) for side, t in times.items()},
    }
    for kind in ("foreach", "fused", "triton"):
        if kind in times:
            row[f"ratio_to_{kind}"] = [
                round(float(q), 4) for q in np.percentile(times[kind] / own, [25, 50, 75])
            ]
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=100_000_000, help="elements (float32)")
    parser.add_argument("--turns", type=int, default=31)
    parser.add_argument("--optimizers", nargs="*", default=list(PAIRS), choices=list(PAIRS))
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    parser.add_argument("--record", action="store_true", help="keep the result in the package")
    parser.add_argument("--output", type=Path, metavar="DIR", help="keep the result there instead")
    arguments = parser.parse_args()
    device = arguments.device
    if device == "cuda" and not torch.cuda.is_available():
        print("gpu_step: Torch sees no CUDA device here; nothing was measured.")
        return
    from adam_edu.experiments.record import RESULTS, circumstances, hardware, typed, write_record

    print(f"{hardware(device)}, torch {torch.__version__}, {arguments.size:,} float32")
    rows = []
    for name in arguments.optimizers:
        rows.append(measure(name, arguments.size, arguments.turns, device))
        print(json.dumps(rows[-1]), flush=True)
        if arguments.record or arguments.output:  # after each: what is measured is kept
            record = {"experiment": "gpu-step", "command": typed("gpu_step.py", arguments, parser)}
            record |= {"size": arguments.size, "turns": arguments.turns, "optimizers": rows}
            folder = arguments.output or RESULTS
            write_record(record | circumstances(device), folder / "gpu-step.json")


if __name__ == "__main__":
    main()

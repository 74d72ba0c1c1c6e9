"""Measure the two limits of a GPU: bytes a second of a copy, operations a second of products.

Both limits make the roofline: what does few operations for each byte, as an optimizer's step, is
bound by the first, a large matrix product by the second. Run:
``python benchmarks/gpu_roofline.py --output DIR``; on ``--device cpu`` with a small ``--size`` it
shows that all of it runs.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from gpu_step import Side, copy_of, race

# How float32 operands are multiplied, or the operands' own type.
KINDS = {"float32": torch.float32, "TF32": torch.float32, "bfloat16": torch.bfloat16}


def product(kind: str, size: int, device: str) -> Side:
    """Return a product of two square matrices, (size, size) each."""
    a, b = (torch.randn(size, size, device=device).to(KINDS[kind]) for _ in range(2))
    return lambda: a @ b


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    parser.add_argument("--size", type=int, default=8192, help="of the square matrices")
    parser.add_argument("--bytes", type=int, default=4 * 10**9, help="that a copy moves")
    parser.add_argument("--turns", type=int, default=31)
    parser.add_argument("--output", type=Path, metavar="DIR", help="where the record goes")
    arguments = parser.parse_args()
    if arguments.device == "cuda" and not torch.cuda.is_available():
        print("gpu_roofline: Torch sees no CUDA device here; nothing was measured.")
        return
    from adam_edu.experiments.record import circumstances, typed, write_record

    turns, device = arguments.turns, arguments.device
    copied = race({"copy": copy_of(arguments.bytes, device)}, turns, device)["copy"]
    record = {
        "experiment": "gpu-roofline",
        "command": typed("gpu_roofline.py", arguments, parser),
        "bytes_per_second": float(arguments.bytes / 1e-3 / np.median(copied)),
        "operations_per_second": {},
    }
    for kind in KINDS:
        torch.backends.cuda.matmul.allow_tf32 = kind == "TF32"
        times = race({kind: product(kind, arguments.size, device)}, turns, device)[kind]
        rate = 2 * arguments.size**3 / 1e-3 / float(np.median(times))
        record["operations_per_second"][kind] = rate
        print(f"{kind}: {rate / 1e12:.3g} TFLOP/s", flush=True)
    print(f"copy: {record['bytes_per_second'] / 1e9:.4g} GB/s")
    if arguments.output:
        write_record(record | circumstances(device), arguments.output / "gpu-roofline.json")


if __name__ == "__main__":
    main()

"""The record of an experiment: a small JSON file with every curve and how it came about."""

import json
import math
import platform
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..recorded import RESULTS as RESULTS
from .checkpoint import write_atomically


def rounded(value: float | None, digits: int = 5) -> float | None:
    """Round to so many significant digits; what is not finite (a diverged run) becomes None.

    >>> rounded(0.123456789), rounded(float("nan"))
    (0.12346, None)
    """
    if value is None or not math.isfinite(value):
        return None
    return float(f"{value:.{digits}g}")


def circumstances(device: str) -> dict[str, Any]:
    """Return date, versions and hardware, for a record."""
    import adam_edu

    versions: dict[str, str | None] = {
        "adam_edu": adam_edu.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": torch.__version__,
    }
    if device.startswith("cuda"):
        versions["cuda"] = torch.version.cuda
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": versions,
        "hardware": hardware(device),
    }


def hardware(device: str) -> str:
    """Return what this process computes on, as far as the bits of a result may hang on it."""
    if device.startswith("cuda"):
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    instructions = torch.backends.cpu.get_cpu_capability().replace("_", "-")
    return f"{platform.machine()} CPU ({instructions}), {threads} thread{'s' * (threads > 1)}"


def typed(script: str, arguments: Namespace, parser: ArgumentParser) -> str:
    """Return the command that a script of ``benchmarks/`` was called with, for its record.

    Without the options that were left as they are, and without the folder of the record.
    """
    words = ["python", f"benchmarks/{script}"]
    for name, value in vars(arguments).items():
        if name not in ("output", "record") and value != parser.get_default(name):
            values = value if isinstance(value, list) else [value]
            words += [f"--{name.replace('_', '-')}", *map(str, values)]
    return " ".join(words)


def write_record(record: Mapping[str, Any], path: Path) -> None:
    """Write a record, one line for each run, so that two records can be compared line by line."""
    lines = []
    for key, value in record.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            items = ",\n  ".join(_compact(item) for item in value)
            lines.append(f"{_compact(key)}: [\n  {items}\n ]")
        else:
            lines.append(f"{_compact(key)}: {_compact(value)}")
    text = "{\n " + ",\n ".join(lines) + "\n}\n"
    write_atomically(path, text.encode())


def read_record(path: Path) -> dict[str, Any]:
    """Read a record."""
    return json.loads(path.read_text(encoding="utf-8"))


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)

"""Exercises on memory: what a checkpoint holds, and how long a step has to take."""
# mypy: allow-untyped-defs

from ..formula import formula
from ..mistake import wrong


@wrong("size")
def always_four_bytes(weights, slots):
    """You count four bytes for every number. Half precision has two, and the arguments say which it
    is."""
    return 4 * weights * (1 + slots)


@wrong("size")
def megabytes(weights, slots, weight_bytes, state_bytes):
    """You return megabytes. Asked for is the number of bytes."""
    return weights * (weight_bytes + slots * state_bytes) / 1e6


@wrong("size")
def bits(weights, slots, weight_bytes, state_bytes):
    """That is the number of bits. A byte has eight."""
    return 8 * weights * (weight_bytes + slots * state_bytes)


checkpoint_bytes = formula(
    "checkpoint_bytes(weights, slots, weight_bytes=4, state_bytes=4)",
    "weights * (weight_bytes + slots * state_bytes)",
    returns="size",
    statement="Return the bytes of a checkpoint to go on from: of a model with weights numbers, "
    "and of the optimizer's slots, each as large as the model. A weight takes weight_bytes, and a "
    "number in a slot state_bytes.",
    probes=[
        {"weights": n, "slots": slots, "weight_bytes": p, "state_bytes": s}
        for n, slots, p, s in (
            (1000, 2, 4, 4),
            (1000, 1, 4, 4),
            (500, 0, 4, 4),
            (10**6, 2, 2, 4),
            (700, 3, 4, 2),
        )
    ],
    mistakes=(
        always_four_bytes,
        megabytes,
        bits,
    ),
    read="torch-optimizer",
)


@wrong("time")
def reads_only(weights, slots, bandwidth):
    """You count what is read. The new x and the new slots have to be written as well."""
    return 4 * weights * (2 + slots) / bandwidth


@wrong("time")
def writes_only(weights, slots, bandwidth):
    """You count what is written. Before that, x, g and the slots have to be read."""
    return 4 * weights * (1 + slots) / bandwidth


@wrong("time")
def slots_moved_alone(weights, slots, bandwidth):
    """You count the slots alone. The weight is read and written as well, and the gradient read."""
    return 8 * weights * slots / bandwidth


@wrong("time")
def bits_not_bytes(weights, slots, bandwidth):
    """You count 32 bits for each number. The bandwidth is in bytes: 4."""
    return 32 * weights * (3 + 2 * slots) / bandwidth


step_seconds = formula(
    "step_seconds(weights, slots, bandwidth)",
    "4 * weights * (3 + 2 * slots) / bandwidth",
    returns="time",
    statement="Return the least time in seconds that a step can take in float32, for a rule with "
    "that many slots: memory delivers bandwidth bytes a second, reads and writes together, and "
    "each number is read once and, if it changes, written once.",
    probes=[
        {"weights": n, "slots": slots, "bandwidth": speed}
        for n, slots, speed in (
            (1e6, 2, 2e9),
            (1e6, 0, 2e9),
            (1e8, 1, 3.35e12),
            (7e9, 3, 2e12),
        )
    ],
    mistakes=(
        reads_only,
        writes_only,
        slots_moved_alone,
        bits_not_bytes,
    ),
    read="gpu",
)

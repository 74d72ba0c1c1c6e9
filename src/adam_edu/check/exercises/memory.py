"""Exercises on memory: what a checkpoint holds, and how long a step has to take."""
# mypy: allow-untyped-defs

from ..formula import formula
from ..mistake import wrong


@wrong("size")
def weights_forgotten(weights, slots, state_bytes):
    """You count the state and forget the weights themselves."""
    return weights * slots * state_bytes


@wrong("size")
def state_forgotten(weights, weight_bytes):
    """You count the weights and forget the optimizer's state."""
    return weights * weight_bytes


@wrong("size")
def one_slot(weights, weight_bytes, state_bytes):
    """You count one slot, however many the rule has."""
    return weights * (weight_bytes + state_bytes)


@wrong("size")
def gradient_saved(weights, slots, weight_bytes, state_bytes):
    """You count the gradient. It is not saved: the next step computes a new one."""
    return weights * (2 * weight_bytes + slots * state_bytes)


@wrong("size")
def one_precision(weights, slots, weight_bytes):
    """You count the slots in the precision of the weights. They may have their own."""
    return weights * weight_bytes * (1 + slots)


@wrong("size")
def weights_in_state_precision(weights, slots, state_bytes):
    """You count the weights in the precision of the slots. They may have their own."""
    return weights * state_bytes * (1 + slots)


@wrong("size")
def slots_multiply(weights, slots, weight_bytes, state_bytes):
    """You multiply what should be added: the bytes of a weight and those of its slots."""
    return weights * weight_bytes * slots * state_bytes


@wrong("size")
def slots_of_one_weight(weights, slots, weight_bytes, state_bytes):
    """You count the slots of one weight alone: brackets are missing. Each weight has its own."""
    return weights * weight_bytes + slots * state_bytes


@wrong("size")
def weight_in_each_slot(weights, slots, weight_bytes, state_bytes):
    """You count the weight once for each slot. There is one weight, and beside it the slots."""
    return weights * (weight_bytes + state_bytes) * slots


@wrong("size")
def always_four_bytes(weights, slots):
    """You count four bytes for every number. Half precision has two, and the arguments say which it
    is."""
    return 4 * weights * (1 + slots)


@wrong("size")
def always_two_slots(weights, weight_bytes, state_bytes):
    """You count two slots, as Adam has. Other rules have fewer or more; the argument says how
    many."""
    return weights * (weight_bytes + 2 * state_bytes)


@wrong("size")
def megabytes(weights, slots, weight_bytes, state_bytes):
    """You return megabytes. Asked for is the number of bytes."""
    return weights * (weight_bytes + slots * state_bytes) / 1e6


@wrong("size")
def divided_by_eight(weights, slots, weight_bytes, state_bytes):
    """You divide by eight, as if the arguments were bits. They are bytes already."""
    return weights * (weight_bytes + slots * state_bytes) / 8


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
        weights_forgotten,
        state_forgotten,
        one_slot,
        gradient_saved,
        one_precision,
        weights_in_state_precision,
        slots_multiply,
        slots_of_one_weight,
        weight_in_each_slot,
        always_four_bytes,
        always_two_slots,
        megabytes,
        divided_by_eight,
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
def gradient_not_read(weights, slots, bandwidth):
    """The gradient is missing: it is read, though not written."""
    return 4 * weights * (2 + 2 * slots) / bandwidth


@wrong("time")
def gradient_written(weights, slots, bandwidth):
    """You write the gradient back. A step only reads it."""
    return 4 * weights * (4 + 2 * slots) / bandwidth


@wrong("time")
def slots_written_only(weights, slots, bandwidth):
    """Each slot moves twice: it is read, and its new value is written."""
    return 4 * weights * (3 + slots) / bandwidth


@wrong("time")
def numbers_not_bytes(weights, slots, bandwidth):
    """You count numbers. Each is a float32 of 4 bytes, and the bandwidth is in bytes."""
    return weights * (3 + 2 * slots) / bandwidth


@wrong("time")
def always_adam(weights, bandwidth):
    """You count seven numbers for each weight, as Adam moves. A rule with another number of slots
    moves 3 + 2 * slots."""
    return 28 * weights / bandwidth


@wrong("time")
def slots_moved_alone(weights, slots, bandwidth):
    """You count the slots alone. The weight is read and written as well, and the gradient read."""
    return 8 * weights * slots / bandwidth


@wrong("time")
def one_beside_slots(weights, slots, bandwidth):
    """You count one number beside the slots. There are three: x is read and written, and g read."""
    return 4 * weights * (1 + 2 * slots) / bandwidth


@wrong("time")
def bits_not_bytes(weights, slots, bandwidth):
    """You count 32 bits for each number. The bandwidth is in bytes: 4."""
    return 32 * weights * (3 + 2 * slots) / bandwidth


@wrong("time")
def double_precision(weights, slots, bandwidth):
    """You count 8 bytes for each number, as in float64. A float32 has 4."""
    return 8 * weights * (3 + 2 * slots) / bandwidth


@wrong("time")
def time_upside_down(weights, slots, bandwidth):
    """Your quotient is upside down: that is the number of steps in a second."""
    return bandwidth / (4 * weights * (3 + 2 * slots))


@wrong("time")
def bandwidth_multiplies(weights, slots, bandwidth):
    """You multiply by the bandwidth. More of it makes the step shorter."""
    return 4 * weights * (3 + 2 * slots) * bandwidth


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
        gradient_not_read,
        gradient_written,
        slots_written_only,
        numbers_not_bytes,
        always_adam,
        slots_moved_alone,
        one_beside_slots,
        bits_not_bytes,
        double_precision,
        time_upside_down,
        bandwidth_multiplies,
    ),
    read="gpu",
)

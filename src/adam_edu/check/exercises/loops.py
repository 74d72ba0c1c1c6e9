"""Exercises on the training loop: a gradient from unequal parts, and the steps of a whole run."""
# mypy: allow-untyped-defs

import math

import numpy as np

from ..formula import formula
from ..mistake import wrong

# A gradient from parts


@wrong("g")
def mean_of_means(means):
    """You take the mean of the means. Then an example of a small part counts for more than one of a
    large part. Weight each mean by the size of its part."""
    return np.mean(means)


@wrong("g")
def sum_of_means(means):
    """You add the means up, so that your gradient grows with the number of parts. Weight each by
    its size, and divide by the number of all examples."""
    return np.sum(means)


@wrong("g")
def sum_not_mean(means, sizes):
    """That is the sum over all examples. The gradient of their mean loss is divided by their
    number, sum(sizes)."""
    return np.sum(means * sizes)


@wrong("g")
def divided_by_number_of_parts(means, sizes):
    """You divide by the number of parts. You have the sum over all examples above, so divide by the
    number of examples, sum(sizes)."""
    return np.sum(means * sizes) / len(sizes)


@wrong("g")
def every_part_full(means, sizes):
    """You divide as if every part were as large as the largest. If the last one is smaller, there
    are fewer examples: divide by sum(sizes)."""
    return np.sum(means * sizes) / (len(sizes) * np.max(sizes))


@wrong("g")
def last_part_alone(means):
    """You return the last part's mean: what came before it is overwritten. Add the parts up."""
    return means[-1]


@wrong("g")
def incomplete_part_dropped(means, sizes):
    """You leave out the parts that are not full. Their examples belong to the batch too."""
    full = sizes == np.max(sizes)
    return np.sum(means * sizes * full) / np.sum(sizes * full)


@wrong("g")
def sizes_below(means, sizes):
    """You divide each mean by the size of its part. It has been divided by that already; multiply,
    and you have the sum over the part."""
    return np.sum(means / sizes)


@wrong("g")
def sum_overwritten(means, sizes):
    """You have only the last part's sum above. In a loop, total = ... forgets the parts before;
    total = total + ... adds them up."""
    return means[-1] * sizes[-1] / np.sum(sizes)


@wrong("g")
def returned_in_the_loop(means, sizes):
    """You have only the first part's sum above. Return after the loop, not inside it."""
    return means[0] * sizes[0] / np.sum(sizes)


@wrong("g")
def first_size_for_all(means, sizes):
    """You divide as if every part were as large as the first. Divide by sum(sizes)."""
    return np.sum(means * sizes) / (len(sizes) * sizes[0])


@wrong("g")
def divided_twice(means, sizes):
    """You divide by the number of examples, and by the number of parts as well. The sum over the
    examples is divided once, by their number."""
    return np.sum(means * sizes) / np.sum(sizes) / len(sizes)


accumulated_gradient = formula(
    "accumulated_gradient(means, sizes)",
    "sum(means * sizes) / sum(sizes)",
    returns="g",
    statement="A batch was cut into parts. means has, for each part, the gradient of the mean loss "
    "of its examples with respect to one weight; sizes has the number of its examples. Return the "
    "gradient of the mean loss of the whole batch.",
    probes=[
        {"means": np.array(means), "sizes": np.array(sizes)}
        for means, sizes in (
            ([1.0, -2.0, 4.0], [32, 32, 8]),
            ([0.5, 3.0], [1, 3]),
            ([2.0, -1.0, 0.25, 7.0], [16, 16, 16, 16]),
            ([-3.0], [5]),
        )
    ],
    mistakes=(
        mean_of_means,
        sum_of_means,
        sum_not_mean,
        divided_by_number_of_parts,
        every_part_full,
        last_part_alone,
        incomplete_part_dropped,
        sizes_below,
        sum_overwritten,
        returned_in_the_loop,
        first_size_for_all,
        divided_twice,
    ),
    read="training-loop",
)


# The steps of a run


@wrong("steps")
def parts_counted(examples, batch, epochs):
    """You count parts. The optimizer takes one step for several of them, so your schedule would not
    come to its end."""
    return epochs * math.ceil(examples / batch)


@wrong("steps")
def rounded_over_all_epochs(examples, batch, parts, epochs):
    """You round up once, over all epochs. Each epoch ends with an incomplete step of its own: round
    first, then multiply."""
    return math.ceil(epochs * examples / (batch * parts))


@wrong("steps")
def always_one_more(examples, batch, parts, epochs):
    """You add 1 even if the examples divide evenly. Round up: math.ceil."""
    return epochs * (examples // (batch * parts) + 1)


@wrong("steps")
def left_over_carried_and_dropped(examples, batch, parts, epochs):
    """You divide the parts of all epochs, and round down. Those that are left over in each epoch
    make a step there: round up first, then multiply."""
    return epochs * math.ceil(examples / batch) // parts


@wrong("steps")
def rounded_down_over_all(examples, batch, parts, epochs):
    """You round down once, over all epochs. Round up in each: its last step has fewer examples, but
    it is a step."""
    return epochs * examples // (batch * parts)


total_steps = formula(
    "total_steps(examples, batch, parts, epochs)",
    "epochs * ceil(examples / (batch * parts))",
    also=(
        "parts_in_epoch = ceil(examples / batch)",
        "steps = epochs * ceil(parts_in_epoch / parts)",
    ),
    returns="steps",
    statement="A loader cuts the examples of an epoch into parts of batch, the last of which may "
    "be smaller. Gradients of parts parts are accumulated for one step; what is left at the end of "
    "an epoch makes a step too. Return the number of steps in all epochs: the length of the "
    "schedule.",
    probes=[
        {"examples": examples, "batch": batch, "parts": parts, "epochs": epochs}
        for examples, batch, parts, epochs in (
            (1437, 16, 4, 3),
            (64, 16, 4, 5),
            (100, 16, 3, 7),
            (97, 16, 2, 2),
            (130, 10, 4, 1),
            (40, 64, 1, 10),
            (120, 10, 8, 2),
        )
    ],
    mistakes=(
        parts_counted,
        rounded_over_all_epochs,
        always_one_more,
        left_over_carried_and_dropped,
        rounded_down_over_all,
    ),
    read="training-loop",
)

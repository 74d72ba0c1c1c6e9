"""The exercise to write a step of training, with each line in its place."""
# mypy: allow-untyped-defs

import warnings
from collections.abc import Callable, Mapping
from typing import Any

from ..challenge import Challenge, Flaw
from ..kinds import Misfit
from ..remote import inside
from ..situations import arrivals, same

LR, STEPS = 0.1, 4
Step = Callable[..., Any]


class Training:
    """Two weights, fitted to a line by a step.

    Parameters
    ----------
    cut : the sizes of the parts
    max_norm : where gradients are cut off; all are longer than 1 and shorter than 1000
    scale : of the loss; None for a scaler that does nothing
    spoiled : whether the last batch has an infinite number in it

    Raises
    ------
    Misfit
        If Torch is missing.
    """

    def __init__(self, cut=(5, 1), max_norm=1e3, scale=None, spoiled=False) -> None:
        try:
            import torch
        except ImportError:
            raise Misfit("needs_torch", "This exercise needs Torch: pip install torch.") from None
        self.torch, self.cut, self.max_norm, self.spoiled = torch, cut, max_norm, spoiled
        # Without the random start of a layer: the student's random numbers are left as they are.
        self.model = torch.nn.utils.skip_init(torch.nn.Linear, 1, 1, dtype=torch.float64)
        self.model.load_state_dict({"weight": torch.tensor([[2.0]]), "bias": torch.tensor([-1.0])})
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=LR)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimizer, lambda t: 0.5**t)
        self.scaler = torch.amp.GradScaler("cpu", scale or 1.0, enabled=scale is not None)

    def parts(self, t: int) -> list[Any]:
        """Return the batch of step ``t``, in its parts."""
        inputs = self.torch.arange(6.0).double()[:, None] / 4 + t / 2
        labels = 3 - inputs + self.torch.tensor([2.0, 0, 1, -1, 0, 9])[:, None]
        if self.spoiled and t == STEPS - 1:
            labels[0] = self.torch.inf
        return list(zip(inputs.split(self.cut), labels.split(self.cut), strict=True))

    def run(self, step: Step) -> list[float]:
        """Take the steps, and return the weights."""
        for t in range(STEPS):
            given = self.model, _squares, self.parts(t), self.optimizer, self.schedule, self.scaler
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Torch warns of some wrong orders, and not of most
                step(*given, self.max_norm)
        return [value.item() for value in self.model.parameters()]


def _squares(outputs: Any, labels: Any) -> Any:
    """Return the sum of the losses of a part's examples."""
    return (outputs - labels).square().sum() / 4


SITUATIONS: dict[str, Callable[[], Training]] = {
    "whole": lambda: Training(cut=(6,)),
    "equal": lambda: Training(cut=(3, 3)),
    "unequal": Training,
    "long": lambda: Training(max_norm=0.5),
    "scaled": lambda: Training(max_norm=0.5, scale=1024.0),
    "spoiled": lambda: Training(scale=1024.0, spoiled=True),
}

FOR, SHARE = "    for inputs, labels in parts:\n", " / size"
BACKWARD = "        scaler.scale(loss).backward()\n"
UNSCALE = "    scaler.unscale_(optimizer)\n"
CLIP = "    clip_grad_norm_(model.parameters(), max_norm)\n"
STEP, UPDATE = "    scaler.step(optimizer)\n", "    scaler.update()\n"
SCHEDULE, ZERO = "    schedule.step()\n", "    optimizer.zero_grad()\n"
AFTER = UNSCALE + CLIP + STEP + UPDATE + SCHEDULE + ZERO
# Each is the right step with pieces of its text exchanged.
WRONG: dict[str, tuple[tuple[str, str], ...]] = {
    "kept": ((ZERO, ""),),
    "last part": ((FOR, FOR + "    " + ZERO),),
    "a step for each": ((AFTER, AFTER.replace("    ", " " * 8)),),
    "sum": ((SHARE, ""),),
    "sum of means": ((SHARE, " / len(labels)"),),
    "mean of means": ((SHARE, " / len(labels) / len(parts)"),),
    "by parts": ((SHARE, " / len(parts)"),),
    "first size": ((SHARE, " / len(parts[0][1]) / len(parts)"),),
    "not clipped": ((CLIP, ""),),
    "clipped by value": ((CLIP, CLIP.replace("clip_grad_norm_", "nn.utils.clip_grad_value_")),),
    "parts clipped": ((CLIP, ""), (BACKWARD, BACKWARD + "    " + CLIP)),
    "clipped scaled": ((UNSCALE, ""),),
    "no schedule": ((SCHEDULE, ""),),
    "schedule of parts": ((SCHEDULE, ""), (BACKWARD, BACKWARD + "    " + SCHEDULE)),
    "schedule first": ((SCHEDULE, ""), (FOR, SCHEDULE + FOR)),
}


def _arrives(step: Step) -> dict[str, list[float]]:
    return arrivals(SITUATIONS, lambda situation: situation().run(step))


def _references() -> Mapping[str, Any]:
    """Return where the right step arrives, and the wrong ones."""
    Training()  # says that Torch is missing, if it is
    from ...torch.loop import edited

    wrong = {name: _arrives(edited(*edits)) for name, edits in WRONG.items()}
    return {"expected": _arrives(edited()), "wrong": wrong}


def _tried(step: Step) -> dict[str, list[float]]:
    """Try a step out, where it lives, and return where it arrives."""
    SITUATIONS["unequal"]().run(step)  # an error here is the student's to read
    SITUATIONS["scaled"]().run(step)
    return _arrives(step)


def _measure(step: Step, expected: dict[str, list[float]], wrong: Any) -> Mapping[str, Any]:
    found = inside(step, _tried)

    def like(situations):
        return [
            name
            for name, places in wrong.items()
            if any(not same(places[one], expected[one]) for one in situations)
            and all(same(places[one], found[one]) for one in situations)
        ]

    return {
        "moved": not same(found["whole"], [2.0, -1.0]),
        "agrees": {name: same(found[name], place) for name, place in expected.items()},
        # In all situations, or in those without a scale, beside which something else is wrong.
        "like": like(expected) or like(["whole", "equal", "unequal", "long"]),
        "situations": len(found),
    }


@Flaw
def nothing_moved(moved):
    """After four steps the weights are what they were. The gradients were set to zero between
    backward and the step, or no step was taken."""
    return not moved


@Flaw
def gradients_kept(like):
    """Your gradients of earlier steps are still there, and the new ones are added to them. Call
    optimizer.zero_grad() once in a step: before the first backward, or after the step."""
    return "kept" in like


@Flaw
def last_part_only(like):
    """Your step sees the last part alone: zero_grad() inside the loop throws away the parts before.
    Call it once, outside."""
    return "last part" in like


@Flaw
def step_for_each_part(like):
    """You take a step for each part. The parts are one batch: add their gradients up by several
    calls of backward, then take one step, after the loop."""
    return "a step for each" in like


@Flaw
def sum_not_mean(like):
    """Your gradient is that of the sum over the examples, so it grows with the batch, and clipping
    cuts it down. Divide each part's loss by the number of examples in all parts."""
    return "sum" in like


@Flaw
def means_added(like):
    """You divide each part's loss by its own size, and add such means up: the gradient grows with
    the number of parts. Divide by the number of examples in all parts."""
    return "sum of means" in like


@Flaw
def mean_of_means(like):
    """You take the mean of the parts' means. If a part is smaller, its examples count for more.
    Divide each part's loss by the number of examples in all parts."""
    return "mean of means" in like


@Flaw
def divided_by_parts(like):
    """You divide by the number of parts what is a sum over examples. Divide by the number of
    examples in all parts."""
    return "by parts" in like


@Flaw
def first_size_for_all(like):
    """You divide as if every part were as large as the first. Divide by the number of examples in
    all parts, sum(len(labels) for _, labels in parts)."""
    return "first size" in like


@Flaw
def not_clipped(like):
    """Gradients that are too long reach your step as they are. clip_grad_norm_ belongs between
    backward and the step; after the step it is too late."""
    return "not clipped" in like


@Flaw
def clipped_by_value(like):
    """You cut each coordinate off by itself, which turns the gradient. clip_grad_norm_ shortens it
    and keeps its direction."""
    return "clipped by value" in like


@Flaw
def parts_clipped(like):
    """You clip inside the loop over the parts, when the gradient is not complete. Clip once, after
    the last backward."""
    return "parts clipped" in like


@Flaw
def clipped_before_unscaling(like):
    """You clip gradients that are still multiplied by the scale. All are too long then, and become
    far too short when they are divided by it. Call scaler.unscale_(optimizer) before you clip."""
    return "clipped scaled" in like


@Flaw
def schedule_forgotten(like):
    """The rate never changes. Call schedule.step() once, after the step."""
    return "no schedule" in like


@Flaw
def schedule_of_parts(like):
    """You move the schedule with each part. It counts steps of the optimizer: call it once, after
    the loop."""
    return "schedule of parts" in like


@Flaw
def schedule_first(like):
    """You move the schedule before the step, so that its first rate is never used. Call it after
    the step."""
    return "schedule first" in like


@Flaw
def infinite_step_taken(agrees):
    """One batch had an infinite gradient, and your weights are lost. scaler.step(optimizer) leaves
    out such a step; optimizer.step() takes it."""
    return not agrees["spoiled"] and all(agrees[name] for name in agrees if name != "spoiled")


@Flaw
def wrong_for_a_whole_batch(agrees):
    """Even with the batch in one part, gradients that need no clipping and no scale, your weights
    are not where they should be. Begin there: the mean over the examples, backward, one step, one
    move of the schedule, and no gradient left over."""
    return not agrees["whole"]


@Flaw
def another_step(agrees):
    """Your step is right for a batch in one part, and wrong with several, with long gradients or
    with a scale. For each part: the loss divided by the number of all examples, scaled, backward.
    Then once: unscale, clip, step, update, schedule, zero."""
    return not all(agrees.values())


training_step = Challenge(
    signature="training_step(model, loss_of, parts, optimizer, schedule, scaler, max_norm)",
    returns=("step",),
    statement="Take one step of the optimizer. parts is a list of pairs (inputs, labels) that "
    "together are a batch; loss_of(model(inputs), labels) is the sum of the losses of a part. The "
    "gradient is that of the mean loss of the batch, clipped to the length max_norm. scaler is a "
    "torch.amp.GradScaler, schedule a scheduler of Torch. The next call must find no old gradient. "
    "Return nothing.",
    read="training-loop",
    called=False,
    arguments=_references,
    measure=_measure,
    flaws=(
        nothing_moved,
        gradients_kept,
        last_part_only,
        step_for_each_part,
        sum_not_mean,
        means_added,
        mean_of_means,
        divided_by_parts,
        first_size_for_all,
        not_clipped,
        clipped_by_value,
        parts_clipped,
        clipped_before_unscaling,
        schedule_forgotten,
        schedule_of_parts,
        schedule_first,
        infinite_step_taken,
        wrong_for_a_whole_batch,
        another_step,
    ),
    said="It was tried in {situations} ways: with a whole batch, equal and unequal parts, long "
    "gradients, a scaled loss, and an infinite one.",
)

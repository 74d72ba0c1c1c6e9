"""The arguments of Torch's, Keras's and Optax's optimizers that are no number of a rule."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Option:
    """An argument that a rule does not have.

    Attributes
    ----------
    neutral : the value with which it asks for nothing
    remark : what is to be known where it asks for something that changes no rule, or else ""
    instead : what to do by hand where it changes the rule, and so cannot be carried
    """

    neutral: Any
    remark: str = ""
    instead: str = ""


SPEED = "{} is left out: it changes how a step is computed, not what"
FINE = "{} is left out: it changes how exactly a moment is kept, not the rule"
CLIP = "clip the gradients yourself before the step"
MASK = "leave it out, and give those weights an optimizer, or a group, of their own"
TORCH: Mapping[str, Option] = {
    "params": Option(...),
    **{
        name: Option(neutral, SPEED)
        for name, neutral in {
            **{"foreach": None, "fused": None},
            **{"capturable": False, "differentiable": False},
        }.items()
    },
    "maximize": Option(False, instead="leave it out, and negate the loss"),
    "lr_decay": Option(0, instead="leave it out, and have a schedule divide by 1 + lr_decay * t"),
}
KERAS: Mapping[str, Option] = {
    "name": Option(None, "{} is left out: it computes nothing"),
    "loss_scale_factor": Option(
        None, "{} is left out: it multiplies the loss, and divides the gradients again"
    ),
    "clipnorm": Option(None, instead=CLIP),
    "clipvalue": Option(None, instead=CLIP),
    "global_clipnorm": Option(None, instead=CLIP),
    "use_ema": Option(False, instead="leave it out, and average the weights beside the optimizer"),
    "gradient_accumulation_steps": Option(
        None, instead="leave it out, and average the gradients over so many calls"
    ),
    # Nothing without use_ema, which is refused.
    "ema_momentum": Option(...),
    "ema_overwrite_frequency": Option(...),
}
OPTAX: Mapping[str, Option] = {
    "mu_dtype": Option(None, FINE),
    "accumulator_dtype": Option(None, FINE),
    "eps_root": Option(0, instead="leave it out; eps alone is carried"),
    "mask": Option(None, instead=MASK),
    "weight_decay_mask": Option(None, instead=MASK),
    "threshold": Option(5, instead="leave it out, or write 5.0, as all others have it"),
    "initial_scale": Option(0, instead="leave it out: others begin at 0"),
    "bias_correction": Option(False, instead="leave it out: others do not correct"),
    "bias_correction_mu": Option(True, instead="leave it out: others correct"),
    "bias_correction_nu": Option(True, instead="leave it out: others correct"),
}
OPTIONS: Mapping[str, Mapping[str, Option]] = {"torch": TORCH, "keras": KERAS, "optax": OPTAX}
# Those that are in question only with some optimizers, or have another neutral value there.
OWN: Mapping[tuple[str, str], Mapping[str, Option]] = {
    ("torch", "AdamW"): {
        "decoupled_weight_decay": Option(True, instead="leave it out, or write Adam")
    },
    ("optax", "nadam"): {"nesterov": Option(True, instead="write adam")},
    ("optax", "nadamw"): {"nesterov": Option(True, instead="write adamw")},
    ("optax", "rmsprop"): {"nesterov": Option(False, instead="leave it out")},
    ("optax", "radam"): {"nesterov": Option(False, instead="leave it out")},
}


def without_options(
    given: Mapping[str, Any], library: str, optimizer: str
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the settings that are numbers or choices of a rule, and remarks on the others.

    Raises
    ------
    ValueError
        If an argument changes what is computed in a way that cannot be carried.
    """
    options = {**OPTIONS[library], **OWN.get((library, optimizer), {})}
    kept: dict[str, Any] = {}
    remarks = []
    for key, value in given.items():
        option = options.get(key)
        if option is None:
            kept[key] = value
        elif option.neutral is ... or value is None or _is(value, option.neutral):
            continue
        elif option.remark:
            remarks.append(option.remark.format(key))
        else:
            raise ValueError(f"{key}={value!r} cannot be carried: {option.instead}")
    return kept, tuple(remarks)


def _is(value: Any, neutral: Any) -> bool:
    # Of a tree of masks == would ask each leaf.
    return hasattr(value, "__float__") and np.ndim(value) == 0 and bool(value == neutral)

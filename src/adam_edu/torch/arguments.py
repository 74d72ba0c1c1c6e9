"""The constructor arguments of ``torch.optim`` and the fields of our rules: who is called what."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from ..base import Rule
from ..rules import RULES

# Options with which Torch makes one class do what are two or three rules here.
CHOICES: dict[str, dict[str, Any]] = {
    "SGD": {"momentum": 0.0, "nesterov": False},
    "RMSProp": {"centered": False},
    "Adam": {"amsgrad": False},
}

# A field of these rules has another name in Torch.
RENAMED = {"RMSProp": {"rho": "alpha"}, "CenteredRMSProp": {"rho": "alpha"}}

# Our slot for each entry of the state of Torch's optimizers.
TORCH_SLOTS = {
    "momentum_buffer": "m",
    "exp_avg": "m",
    "grad_avg": "m",
    "exp_avg_sq": "v",
    "square_avg": "v",
    "max_exp_avg_sq": "w",
    "exp_inf": "u",
    "sum": "s",
    "acc_delta": "d",
}


def hyper_defaults(rule: type[Rule]) -> dict[str, Any]:
    """Return the defaults of a rule's class, under Torch's names.

    >>> hyper_defaults(RULES["Adam"])
    {'lr': 0.001, 'betas': (0.9, 0.999), 'eps': 1e-08, 'weight_decay': 0.0, 'amsgrad': False}
    """
    hyper = from_rule(rule())
    return {**hyper, "weight_decay": hyper.get("weight_decay", 0.0), **_choices(rule)}


def _choices(rule: type[Rule]) -> dict[str, Any]:
    return CHOICES.get(rule.__name__, {}) if RULES.get(rule.__name__) is rule else {}


def from_rule(rule: Rule) -> dict[str, Any]:
    """Return a rule's hyper-parameters under Torch's names.

    >>> from_rule(RULES["RMSProp"](lr=0.1))
    {'lr': 0.1, 'alpha': 0.99, 'eps': 1e-08}
    """
    renamed = RENAMED.get(type(rule).__name__, {})
    hyper: dict[str, Any] = {}
    for field in fields(rule):
        value = getattr(rule, field.name)
        if not _is_beta(type(rule), field.name):
            hyper[renamed.get(field.name, field.name)] = value
        elif field.name == "beta1":
            hyper["betas"] = (value, vars(rule)["beta2"])
    return hyper


def _is_beta(rule: type[Rule], name: str) -> bool:
    """Say whether a field is one of the pair that Torch calls ``betas``."""
    pair = {"beta1", "beta2"}
    return name in pair and pair <= set(_names(rule))


def _names(rule: type[Rule]) -> tuple[str, ...]:
    return rule.__match_args__  # as fields(rule) says, but torch.compile can trace it


def chosen(rule: type[Rule], group: Mapping[str, Any]) -> type[Rule]:
    """Return the rule that a group's options ask for.

    >>> chosen(RULES["SGD"], {"momentum": 0.9, "nesterov": True}).__name__
    'Nesterov'
    """
    if not _choices(rule):
        return rule
    if group.get("nesterov"):
        if not group["momentum"]:
            raise ValueError("nesterov=True needs a momentum above 0, such as momentum=0.9")
        return RULES["Nesterov"]
    if rule is RULES["SGD"] and group["momentum"]:
        return RULES["Momentum"]
    if group.get("centered"):
        return RULES["CenteredRMSProp"]
    return RULES["AMSGrad"] if group.get("amsgrad") else rule


def hyper_of(rule: type[Rule], group: Mapping[str, Any], lr: Any) -> dict[str, Any]:
    """Return a rule's hyper-parameters: a group's, and this learning rate."""
    renamed = RENAMED.get(rule.__name__, {})
    values: dict[str, Any] = {"lr": lr}
    for name in _names(rule):
        if name == "lr":
            continue
        if _is_beta(rule, name):
            values[name] = _beta(group, int(name[-1]) - 1)
        else:
            values[name] = group[renamed.get(name, name)]
    return values


def _beta(group: Mapping[str, Any], i: int) -> Any:
    betas = group["betas"]
    if not isinstance(betas, (tuple, list)) or len(betas) != 2:
        raise TypeError(f"betas must be a pair of numbers such as (0.9, 0.999), not {betas!r}")
    return betas[i]

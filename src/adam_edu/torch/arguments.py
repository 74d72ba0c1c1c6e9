"""The constructor arguments of ``torch.optim`` and the fields of our rules: who is called what."""

import inspect
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from ..base import Rule
from ..rules import RULES

# What Torch's classes take: the names before the bar also by position, those after it by name only.
TORCH_ARGUMENTS = {
    "SGD": "lr momentum dampening weight_decay nesterov | maximize foreach differentiable fused",
    "Adagrad": "lr lr_decay weight_decay initial_accumulator_value eps foreach | maximize "
    "differentiable fused",
    "RMSprop": "lr alpha eps weight_decay momentum centered capturable foreach maximize "
    "differentiable |",
    "Adadelta": "lr rho eps weight_decay foreach | capturable maximize differentiable",
    "Adam": "lr betas eps weight_decay amsgrad | foreach maximize capturable differentiable fused "
    "decoupled_weight_decay",
    "AdamW": "lr betas eps weight_decay amsgrad | maximize foreach capturable differentiable fused",
    "Adamax": "lr betas eps weight_decay foreach | maximize differentiable capturable",
    "NAdam": "lr betas eps weight_decay momentum_decay decoupled_weight_decay | foreach maximize "
    "capturable differentiable",
    "RAdam": "lr betas eps weight_decay decoupled_weight_decay | foreach maximize capturable "
    "differentiable",
}

# The class of torch.optim that can be told to compute a rule, and what it has to be told.
TORCH_CLASSES: dict[str, tuple[str, dict[str, Any]]] = {
    "SGD": ("SGD", {}),
    "Momentum": ("SGD", {}),
    "Nesterov": ("SGD", {"nesterov": True}),
    "AdaGrad": ("Adagrad", {}),
    "RMSProp": ("RMSprop", {}),
    "CenteredRMSProp": ("RMSprop", {"centered": True}),
    "AdaDelta": ("Adadelta", {}),
    "Adam": ("Adam", {}),
    "AdamL2": ("Adam", {}),
    "AMSGrad": ("Adam", {"amsgrad": True}),
    "AdamW": ("AdamW", {"decoupled_weight_decay": True}),
    "AdaMax": ("Adamax", {}),
    "NAdam": ("NAdam", {}),
    "RAdam": ("RAdam", {}),
}

# What an option of Torch's classes says when it asks for nothing.
NEUTRAL: dict[str, Any] = {
    "momentum": 0.0,
    "dampening": 0.0,
    "nesterov": False,
    "lr_decay": 0.0,
    "initial_accumulator_value": 0.0,
    "centered": False,
    "amsgrad": False,
    "decoupled_weight_decay": False,
    "differentiable": False,
    "foreach": None,
    "fused": None,
}

# Which of them our classes of these names follow. The others have rules of their own.
FOLLOWED = {
    "SGD": {"momentum", "nesterov"},
    "AdaGrad": {"initial_accumulator_value"},
    "RMSProp": {"centered"},
    "Adam": {"amsgrad", "decoupled_weight_decay"},
    "AdamW": {"amsgrad"},
    "NAdam": {"decoupled_weight_decay"},
    "RAdam": {"decoupled_weight_decay"},
}

# The rules that torch.optim.SGD computes with a buffer.
BUFFERED = ("Momentum", "Nesterov")

# What to write in place of an option that is not followed.
INSTEAD = {
    "momentum": "only the class SGD takes a momentum, or Momentum and Nesterov",
    "dampening": "no rule of the course has one; torch.optim.SGD does",
    "nesterov": "write SGD(momentum=..., nesterov=True), or Nesterov",
    "lr_decay": "write LambdaLR(optimizer, lambda t: 1 / (1 + lr_decay * t))",
    "initial_accumulator_value": "only AdaGrad has one",
    "centered": "write RMSProp(centered=True), or CenteredRMSProp",
    "amsgrad": "write Adam(amsgrad=True), or AMSGrad",
    "decoupled_weight_decay": "write AdamW",
    "differentiable": "call the step() of adam_edu.rule(...), which is a differentiable function",
}

# What to write where a class is told not to do what it is there for.
WITHOUT = {
    "nesterov": "write Momentum",
    "centered": "write RMSProp",
    "amsgrad": "write Adam",
    "decoupled_weight_decay": "write Adam",
}

# A field of these rules has another name in Torch.
RENAMED = {"RMSProp": {"rho": "alpha"}, "CenteredRMSProp": {"rho": "alpha"}}

# Our slot for each entry of the state of Torch's optimizers, and of packages that follow it.
TORCH_SLOTS: dict[str, dict[str, str]] = {
    "SGD": {"momentum_buffer": "m"},
    "Momentum": {"momentum_buffer": "m"},
    "Nesterov": {"momentum_buffer": "m"},
    "AdaGrad": {"sum": "s"},
    "RMSProp": {"square_avg": "v", "grad_avg": "m"},
    "CenteredRMSProp": {"square_avg": "v", "grad_avg": "m"},
    "AdaDelta": {"square_avg": "v", "acc_delta": "d"},
    "Adam": {"exp_avg": "m", "exp_avg_sq": "v", "max_exp_avg_sq": "w"},
    "AdamUncorrected": {"exp_avg": "m", "exp_avg_sq": "v"},
    "AdamL2": {"exp_avg": "m", "exp_avg_sq": "v"},
    "AdamW": {"exp_avg": "m", "exp_avg_sq": "v", "max_exp_avg_sq": "w"},
    "AMSGrad": {"exp_avg": "m", "exp_avg_sq": "v", "max_exp_avg_sq": "w"},
    "AdaMax": {"exp_avg": "m", "exp_inf": "u"},
    "NAdam": {"exp_avg": "m", "exp_avg_sq": "v", "mu_product": "products"},
    "RAdam": {"exp_avg": "m", "exp_avg_sq": "v"},
    "AdaBound": {"exp_avg": "m", "exp_avg_sq": "v"},
    "Lion": {"exp_avg": "m"},
    "ScheduleFreeAdamW": {"exp_avg_sq": "v"},
    "Yogi": {"exp_avg": "m", "exp_avg_sq": "v"},
    "AdaBelief": {"exp_avg": "m", "exp_avg_var": "s"},
    "Adan": {"exp_avg": "m", "exp_avg_diff": "y", "exp_avg_sq": "v"},
    "ADOPT": {"exp_avg": "m", "exp_avg_sq": "v"},
    "AdEMAMix": {"exp_avg": "m", "exp_avg_sq": "v", "exp_avg_slow": "m2"},
    "CautiousAdamW": {"exp_avg": "m", "exp_avg_sq": "v"},
}


def is_ours(rule: type[Rule]) -> bool:
    """Say whether a rule is one of the course, not another of the same name."""
    return RULES.get(rule.__name__) is rule


def torch_slots(rule: type[Rule]) -> dict[str, str]:
    """Return our name for each entry of the state that Torch keeps for this rule.

    >>> torch_slots(RULES["AdaMax"])
    {'exp_avg': 'm', 'exp_inf': 'u'}
    """
    return TORCH_SLOTS.get(rule.__name__, {}) if is_ours(rule) else {}


def entries_needed(rule: type[Rule]) -> set[str]:
    """Return what the state of a parameter that has begun must have to go on.

    >>> sorted(entries_needed(RULES["Adam"])), entries_needed(RULES["Momentum"])
    (['m', 'step', 'v'], set())
    """
    if is_ours(rule) and rule.__name__ in BUFFERED:
        return set()  # the buffer begins when there is a momentum, as Torch's does
    return {"step", *rule.slots} if rule.scalars is not Rule.scalars else set(rule.slots)


def hyper_defaults(rule: type[Rule]) -> dict[str, Any]:
    """Return the defaults of a rule's class, under Torch's names and with Torch's options.

    >>> [name for name, value in hyper_defaults(RULES["Adam"]).items() if value]
    ['lr', 'betas', 'eps']
    """
    hyper = from_rule(rule())
    return {**options_of(rule), **hyper, "weight_decay": hyper.get("weight_decay", 0.0)}


def options_of(rule: type[Rule]) -> dict[str, Any]:
    """Return the options of Torch's class for a rule, at the values that mean this rule."""
    torchs, told = TORCH_CLASSES.get(rule.__name__, ("", {})) if is_ours(rule) else ("", {})
    names = {*TORCH_ARGUMENTS.get(torchs, "").split(), "differentiable", "foreach", "fused", *told}
    return {name: told.get(name, value) for name, value in NEUTRAL.items() if name in names}


def signature(rule: type[Rule]) -> inspect.Signature:
    """Return the arguments of a rule's class: those of its namesake in their order, then our own.

    >>> print(signature(RULES["AdaDelta"]).replace(parameters=[
    ...     p for p in signature(RULES["AdaDelta"]).parameters.values() if p.kind != p.KEYWORD_ONLY
    ... ]))
    (params, lr=1.0, rho=0.9, eps=1e-06, weight_decay=0.0, foreach=None)
    """
    torchs = TORCH_CLASSES[rule.__name__][0] if rule.__name__ in TORCH_CLASSES else ""
    names, _, _ = TORCH_ARGUMENTS.get(torchs if is_ours(rule) else "", "lr").partition("|")
    defaults = hyper_defaults(rule) | {"maximize": False, "capturable": False}
    ordered = {name: defaults[name] for name in names.split() if name in defaults} | defaults
    ordered |= {"implementation": "auto", "state_dtype": None}
    by_name = inspect.Parameter.KEYWORD_ONLY
    either = inspect.Parameter.POSITIONAL_OR_KEYWORD
    return inspect.Signature(
        [
            inspect.Parameter("params", either),
            *(
                inspect.Parameter(name, either if name in names.split() else by_name, default=value)
                for name, value in ordered.items()
            ),
        ]
    )


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
            hyper["betas"] = tuple(vars(rule)[name] for name in _betas(type(rule)))
    return hyper


def _is_beta(rule: type[Rule], name: str) -> bool:
    """Say whether a field is one of those that Torch calls ``betas``."""
    return name in _betas(rule)


def _betas(rule: type[Rule]) -> tuple[str, ...]:
    """Return the fields that are ``betas`` in Torch: two or, in some rules' own packages, three."""
    found = tuple(name for name in _names(rule) if name in ("beta1", "beta2", "beta3"))
    return found if len(found) > 1 else ()


def _names(rule: type[Rule]) -> tuple[str, ...]:
    return rule.__match_args__  # as fields(rule) says, but torch.compile can trace it


def chosen(rule: type[Rule], group: Mapping[str, Any]) -> type[Rule]:
    """Return the rule that a group's options ask for.

    >>> chosen(RULES["SGD"], {"momentum": 0.9, "nesterov": True}).__name__
    'Nesterov'
    """
    if not is_ours(rule):
        return rule
    follows = FOLLOWED.get(rule.__name__, ())
    if rule.__name__ in BUFFERED and group.get("momentum", 0.9) == 0:
        return RULES["SGD"]  # and the buffer rests, as Torch's does
    if "momentum" in follows and group.get("momentum"):
        return RULES["Nesterov" if group.get("nesterov") else "Momentum"]
    if "centered" in follows and group.get("centered"):
        return RULES["CenteredRMSProp"]
    return RULES["AMSGrad"] if "amsgrad" in follows and group.get("amsgrad") else rule


def check_options(rule: type[Rule], group: Mapping[str, Any]) -> None:
    """Check that a group asks for nothing that its class does not do.

    Raises
    ------
    TypeError, ValueError
        If an option is of another kind, or asks for what this class cannot follow.
    """
    own = options_of(rule)
    for name, neutral in NEUTRAL.items():
        value = group.get(name, neutral)
        if name in _names(rule):
            continue
        if isinstance(value, str) or not hasattr(type(value), "__bool__"):
            raise TypeError(f"{rule.__name__}({name}={value!r}): {name} is no text or container")
        asks_nothing = not value and not own.get(name)
        if asks_nothing or value == own.get(name, neutral) or name in FOLLOWED.get(_key(rule), ()):
            continue
        if name not in ("foreach", "fused"):  # all tensors in one call, which is what ours does
            advice = (INSTEAD if value else WITHOUT)[name]
            raise ValueError(f"{rule.__name__} cannot follow {name}={value!r}: {advice}")
    if group.get("foreach") and group.get("fused"):
        raise RuntimeError("foreach and fused cannot be True together; leave both out")


def _key(rule: type[Rule]) -> str:
    return rule.__name__ if is_ours(rule) else ""


def hyper_of(rule: type[Rule], group: Mapping[str, Any], lr: Any) -> dict[str, Any]:
    """Return a rule's hyper-parameters: a group's, and this learning rate."""
    renamed = RENAMED.get(rule.__name__, {})
    values: dict[str, Any] = {"lr": lr}
    for name in _names(rule):
        if name == "lr":
            continue
        if _is_beta(rule, name):
            values[name] = _beta(group, int(name[-1]) - 1, len(_betas(rule)))
        else:
            values[name] = group[renamed.get(name, name)]
    return values


def _beta(group: Mapping[str, Any], i: int, count: int) -> Any:
    betas = group["betas"]
    if not isinstance(betas, (tuple, list)) or len(betas) != count:
        wanted = {2: "a pair of numbers such as (0.9, 0.999)"}
        wanted[3] = "three numbers such as (0.9, 0.999, 0.9999)"
        raise TypeError(f"betas must be {wanted[count]}, not {betas!r}")
    return betas[i]

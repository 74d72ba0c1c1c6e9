"""What Torch, Keras and Optax call their optimizers' numbers, and which rule each then runs.

Each :class:`Way` is held to the real library by a test: the rule that it names, with the library's
own defaults, takes the library's steps.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..base import Rule
from ..forms import (
    AdaGradInsideRootStarted,
    AdaGradStarted,
    AdaMaxOutside,
    AdamNesterov,
    AMSGradEpsilonHat,
    AMSGradOfHat,
    CenteredRMSPropInsideRoot,
    CenteredRMSPropMomentum,
    CenteredRMSPropMomentumInsideRoot,
    EpsilonHat,
    MomentumDampened,
    RAdamEpsilonHat,
    RMSPropInsideRoot,
    RMSPropMomentum,
    RMSPropMomentumInsideRoot,
)
from ..names import lookup
from ..rules import (
    SGD,
    AdaDelta,
    Adam,
    AdaMax,
    AMSGrad,
    CenteredRMSProp,
    Lion,
    Momentum,
    NAdam,
    Nesterov,
    RAdam,
    RMSProp,
)
from .candidate import COUPLED, DECOUPLED, NO_DECAY, Candidate


@dataclass(frozen=True)
class Way:
    """One way to ask a library for an optimizer.

    Attributes
    ----------
    library, optimizer : "torch" and "Adam", for instance
    kind : the optimizer that it is a form of, whatever the library calls it
    rule : what it computes
    names : for each hyper-parameter of the rule what the library calls it; "betas[0]" is the first
        of a pair
    defaults : the library's own value of each of these; None where it has none and must be given
    chosen : the settings that ask for this way and no other of the same optimizer
    fixed : hyper-parameters of the rule that the library sets and no argument changes
    decay : how it forgets weights, if it is asked to
    remark : what a user should know who comes from another library
    """

    library: str
    optimizer: str
    kind: str
    rule: type[Rule]
    names: Mapping[str, str]
    defaults: Mapping[str, float | None]
    chosen: Mapping[str, Any] = field(default_factory=dict)
    fixed: Mapping[str, float] = field(default_factory=dict)
    decay: str = NO_DECAY
    remark: str = ""

    def candidate(self, decays: bool) -> Candidate:
        """Return the rule with its decay, if any weight is to be forgotten."""
        own = "weight_decay" in Candidate(self.rule).domains
        asked = decays and "weight_decay" in self.names and not own
        return Candidate(self.rule, self.decay if asked else NO_DECAY)


RATE_INSIDE = (
    "Keras gathers steps where others gather gradients: after a change of the learning rate its "
    "momentum goes on with the old one for a while"
)


def _torch() -> Iterator[Way]:
    def way(optimizer: str, kind: str, rule: type[Rule], lr: float, **more: Any) -> Way:
        known = {
            "beta1": ("betas[0]", 0.9),
            "beta2": ("betas[1]", 0.999),
            "eps": ("eps", more.pop("eps", 1e-8)),
            "rho": (more.pop("rho", "alpha"), more.pop("share", 0.99)),
            "momentum": ("momentum", 0.0),
            "dampening": ("dampening", 0.0),
            "momentum_decay": ("momentum_decay", 0.004),
            "initial": ("initial_accumulator_value", 0.0),
        }
        decay = {"weight_decay": ("weight_decay", more.pop("weight_decay", 0.0))}
        more.setdefault("decay", COUPLED)
        return _way("torch", optimizer, kind, rule, {"lr": ("lr", lr)} | known | decay, more)

    yield way("SGD", "SGD", SGD, 1e-3, chosen={"momentum": 0})
    yield way("SGD", "Nesterov", Nesterov, 1e-3, chosen={"nesterov": True, "dampening": 0})
    yield way("SGD", "momentum", Momentum, 1e-3, chosen={"nesterov": False, "dampening": 0})
    yield way("SGD", "momentum", MomentumDampened, 1e-3, chosen={"nesterov": False})
    coupled = {"decoupled_weight_decay": False}
    yield way("Adam", "AMSGrad", AMSGrad, 1e-3, chosen={"amsgrad": True} | coupled)
    yield way("Adam", "Adam", Adam, 1e-3, chosen={"amsgrad": False} | coupled)
    decoupled: dict[str, Any] = {"decay": DECOUPLED, "weight_decay": 0.01}
    yield way("AdamW", "AMSGrad", AMSGrad, 1e-3, chosen={"amsgrad": True}, **decoupled)
    yield way("AdamW", "Adam", Adam, 1e-3, chosen={"amsgrad": False}, **decoupled)
    apart = {"decoupled_weight_decay": True}
    for amsgrad, rule in ((True, AMSGrad), (False, Adam)):
        chosen = {"amsgrad": amsgrad} | apart
        yield way("Adam", rule.__name__, rule, 1e-3, chosen=chosen, decay=DECOUPLED)
    yield way("NAdam", "NAdam", NAdam, 2e-3, chosen=coupled)
    yield way("NAdam", "NAdam", NAdam, 2e-3, chosen=apart, decay=DECOUPLED)
    yield way("RAdam", "RAdam", RAdamEpsilonHat, 1e-3, chosen=coupled)
    yield way("RAdam", "RAdam", RAdamEpsilonHat, 1e-3, chosen=apart, decay=DECOUPLED)
    yield way("Adamax", "AdaMax", AdaMax, 2e-3)
    plain = {"centered": False}
    yield way("RMSprop", "RMSProp", RMSProp, 1e-2, chosen={"momentum": 0} | plain)
    yield way("RMSprop", "RMSProp with momentum", RMSPropMomentum, 1e-2, chosen=plain)
    centered = {"momentum": 0, "centered": True}
    yield way("RMSprop", "centered RMSProp", CenteredRMSProp, 1e-2, chosen=centered)
    gathered = "centered RMSProp with momentum"
    yield way("RMSprop", gathered, CenteredRMSPropMomentum, 1e-2, chosen={"centered": True})
    yield way("Adagrad", "AdaGrad", AdaGradStarted, 1e-2, eps=1e-10)
    yield way("Adadelta", "AdaDelta", AdaDelta, 1.0, eps=1e-6, rho="rho", share=0.9)


def _keras() -> Iterator[Way]:
    def way(optimizer: str, kind: str, rule: type[Rule], lr: float = 1e-3, **more: Any) -> Way:
        known = {
            "lr": ("learning_rate", lr),
            "beta1": ("beta_1", 0.9),
            "beta2": ("beta_2", more.pop("beta2", 0.999)),
            "eps": ("epsilon", 1e-7),
            "rho": ("rho", more.pop("share", 0.9)),
            "momentum": ("momentum", 0.0),
            "initial": ("initial_accumulator_value", 0.1),
            "weight_decay": ("weight_decay", more.pop("weight_decay", 0.0)),
        }
        return _way("keras", optimizer, kind, rule, known, {"decay": DECOUPLED} | more)

    yield way("SGD", "SGD", SGD, 0.01, chosen={"momentum": 0})
    nesterov = {"nesterov": True}
    yield way("SGD", "Nesterov", Nesterov, 0.01, chosen=nesterov, remark=RATE_INSIDE)
    plain = {"nesterov": False}
    yield way("SGD", "momentum", Momentum, 0.01, chosen=plain, remark=RATE_INSIDE)
    yield way("Adam", "AMSGrad", AMSGradEpsilonHat, chosen={"amsgrad": True})
    yield way("Adam", "Adam", EpsilonHat, chosen={"amsgrad": False})
    decays = {"weight_decay": 0.004}
    yield way("AdamW", "AMSGrad", AMSGradEpsilonHat, chosen={"amsgrad": True}, **decays)
    yield way("AdamW", "Adam", EpsilonHat, chosen={"amsgrad": False}, **decays)
    # Of its schedule 0.96**(t * momentum_decay).
    yield way("Nadam", "NAdam", NAdam, fixed={"momentum_decay": 1.0})
    yield way("Adamax", "AdaMax", AdaMaxOutside)
    chosen = {"momentum": 0, "centered": False}
    yield way("RMSprop", "RMSProp", RMSPropInsideRoot, chosen=chosen)
    momentum: dict[str, Any] = {"chosen": {"centered": False}, "remark": RATE_INSIDE}
    yield way("RMSprop", "RMSProp with momentum", RMSPropMomentumInsideRoot, **momentum)
    chosen = {"momentum": 0, "centered": True}
    yield way("RMSprop", "centered RMSProp", CenteredRMSPropInsideRoot, chosen=chosen)
    momentum["chosen"] = {"centered": True}
    gathered = "centered RMSProp with momentum"
    yield way("RMSprop", gathered, CenteredRMSPropMomentumInsideRoot, **momentum)
    yield way("Adagrad", "AdaGrad", AdaGradInsideRootStarted)
    yield way("Adadelta", "AdaDelta", AdaDelta, share=0.95)
    yield way("Lion", "Lion", Lion, beta2=0.99)


def _optax() -> Iterator[Way]:
    def way(optimizer: str, kind: str, rule: type[Rule], **more: Any) -> Way:
        known = {
            "lr": ("learning_rate", None),
            "beta1": ("b1", 0.9),
            "beta2": ("b2", more.pop("beta2", 0.999)),
            "eps": ("eps", more.pop("eps", 1e-8)),
            "rho": (more.pop("rho", "decay"), 0.9),
            "momentum": ("momentum", 0.0),
            "initial": ("initial_accumulator_value", 0.1),
        }
        if "weight_decay" in more:
            known["weight_decay"] = ("weight_decay", more.pop("weight_decay"))
            more.setdefault("decay", DECOUPLED)
        return _way("optax", optimizer, kind, rule, known, more)

    yield way("sgd", "SGD", SGD, chosen={"momentum": 0})
    yield way("sgd", "Nesterov", Nesterov, chosen={"nesterov": True})
    yield way("sgd", "momentum", Momentum, chosen={"nesterov": False})
    plain, nesterov = {"nesterov": False}, {"nesterov": True}
    yield way("adam", "Adam", Adam, chosen=plain)
    yield way("adamw", "Adam", Adam, weight_decay=1e-4, chosen=plain)
    yield way("amsgrad", "AMSGrad", AMSGradOfHat)
    yield way("nadam", "NAdam", AdamNesterov)
    yield way("nadamw", "NAdam", AdamNesterov, weight_decay=1e-4)
    yield way("adam", "NAdam", AdamNesterov, chosen=nesterov)
    yield way("adamw", "NAdam", AdamNesterov, weight_decay=1e-4, chosen=nesterov)
    yield way("radam", "RAdam", RAdam)
    yield way("adamax", "AdaMax", AdaMax)
    chosen = {"momentum": 0, "centered": False}
    yield way("rmsprop", "RMSProp", RMSProp, chosen=chosen | {"eps_in_sqrt": False})
    yield way("rmsprop", "RMSProp", RMSPropInsideRoot, chosen=chosen | {"eps_in_sqrt": True})
    inside = {"centered": False, "eps_in_sqrt": True}
    yield way("rmsprop", "RMSProp with momentum", RMSPropMomentumInsideRoot, chosen=inside)
    outside = {"centered": False, "eps_in_sqrt": False}
    yield way("rmsprop", "RMSProp with momentum", RMSPropMomentum, chosen=outside)
    centered = {"momentum": 0, "centered": True, "eps_in_sqrt": True}
    yield way("rmsprop", "centered RMSProp", CenteredRMSPropInsideRoot, chosen=centered)
    gathered, inside = "centered RMSProp with momentum", {"centered": True, "eps_in_sqrt": True}
    yield way("rmsprop", gathered, CenteredRMSPropMomentumInsideRoot, chosen=inside)
    yield way("adagrad", "AdaGrad", AdaGradInsideRootStarted, eps=1e-7)
    decay: dict[str, Any] = {"weight_decay": 0.0, "decay": COUPLED}
    yield way("adadelta", "AdaDelta", AdaDelta, eps=1e-6, rho="rho", **decay)
    yield way("lion", "Lion", Lion, beta2=0.99, weight_decay=1e-3)


def _way(
    library: str,
    optimizer: str,
    kind: str,
    rule: type[Rule],
    known: Mapping[str, tuple[str, float | None]],
    more: dict[str, Any],
) -> Way:
    """Return a way with those of the known numbers that its rule has."""
    wanted = [name for name in Candidate(rule).domains if name in known]
    if "weight_decay" in known:
        wanted.append("weight_decay")
    names = {name: known[name][0] for name in wanted}
    defaults = {name: known[name][1] for name in wanted}
    return Way(library, optimizer, kind, rule, names, defaults, **more)


WAYS: tuple[Way, ...] = (*_torch(), *_keras(), *_optax())
LIBRARIES = tuple(dict.fromkeys(way.library for way in WAYS))


def ways(library: str) -> list[Way]:
    """Return all ways of a library.

    Raises
    ------
    KeyError
        If it is none that is known here; the message offers the nearest.
    """
    known = lookup(library, {name: name for name in LIBRARIES}, "library")
    return [way for way in WAYS if way.library == known]

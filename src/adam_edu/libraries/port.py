"""The settings of one library's optimizer in the words of another, and how well they agree."""

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base import Rule, domains
from ..forms import (
    AdaGradInsideRootStarted,
    AdaMaxOutside,
    AdamNesterov,
    AMSGradEpsilonHat,
    AMSGradOfHat,
    CenteredRMSPropInsideRoot,
    CenteredRMSPropMomentumInsideRoot,
    EpsilonHat,
    RAdamEpsilonHat,
    RMSPropInsideRoot,
    RMSPropMomentumInsideRoot,
)
from ..names import lookup
from ..rules import AdaMax
from .candidate import COUPLED, DECOUPLED
from .conventions import Way, ways
from .options import without_options
from .probes import recorded

Array = NDArray[np.float64]

STEPS = 1000
WIDTH = 80  # of a printed note, in characters
# What a library takes where nothing is said.
USUAL: Mapping[str, Any] = {
    **{"nesterov": False, "amsgrad": False, "centered": False, "eps_in_sqrt": True},
    **{"momentum": 0, "dampening": 0, "decoupled_weight_decay": False},
}
# With so fast a decay nothing is left of NAdam's schedule at its first step.
NO_SCHEDULE = 1e4
PAIR = re.compile(r"(\w+)\[(\d)\]")
# Where a rule adds its epsilon; of those that are not named here, to the (corrected) root.
OUTSIDE, INSIDE, HAT = "to the root", "inside the root", "to the root before its correction"
PLACES: Mapping[type[Rule], str] = {
    **dict.fromkeys((EpsilonHat, AMSGradEpsilonHat, RAdamEpsilonHat), HAT),
    **dict.fromkeys((RMSPropInsideRoot, RMSPropMomentumInsideRoot), INSIDE),
    CenteredRMSPropMomentumInsideRoot: INSIDE,
    **dict.fromkeys((CenteredRMSPropInsideRoot, AdaGradInsideRootStarted), INSIDE),
    AdaMax: "to the size of the gradient, within the maximum",
    AdaMaxOutside: "to the maximum",
}
SIZES = 5  # the first columns of the recorded gradients are noise of so many sizes


@dataclass(frozen=True)
class Asked:
    """An optimizer as a library is asked for it: the way, and the rule's numbers by our names.

    ``remarks`` are sentences about arguments that change nothing in what is computed.
    """

    way: Way
    values: Mapping[str, float]
    remarks: tuple[str, ...] = ()

    @property
    def decays(self) -> bool:
        """Whether it forgets weights."""
        return self.values.get("weight_decay", 0.0) > 0

    def moves(self, start: Array, gradients: Array) -> Array:
        """Return the changes of its steps, of shape (T, n)."""
        return self.way.candidate(self.decays).moves(self.values, start, gradients)


@dataclass(frozen=True)
class Ported:
    """An optimizer in the words of another library.

    Attributes
    ----------
    library, optimizer, settings : how to ask for it there
    notes : what cannot be carried, and what to know, a sentence each
    differences : for the size of gradients (their root mean square) how far the steps differ at
        most, over the longest; computed by running both rules in float64
    steps : how many were run
    """

    library: str
    optimizer: str
    settings: Mapping[str, Any]
    notes: tuple[str, ...]
    differences: Mapping[float, float]
    steps: int = STEPS

    @property
    def difference(self) -> float:
        """The largest of the differences."""
        return max(self.differences.values())

    def __str__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in self.settings.items())
        lines = [f"{self.library}: {self.optimizer}({given})"]
        if self.difference < 1e-12:
            lines.append(f"  the first {self.steps:,} steps are the same")
        else:
            lines.append(f"  the first {self.steps:,} steps differ by at most")
            lines += [
                f"    {apart:.1g} of the longest, with gradients of about {size:.0e}"
                for size, apart in self.differences.items()
            ]
        notes = (
            textwrap.fill(note, WIDTH, initial_indent="  ", subsequent_indent="    ")
            for note in self.notes
        )
        return "\n".join([*lines, *notes])


def port(settings: Mapping[str, Any], from_: str, to: str) -> Ported:
    """Say one library's optimizer in the words of another.

    The numbers are carried over; where the two put epsilon in different places, the constant is
    taken that brings the steps nearest. What cannot be carried is said. How far the first thousand
    steps then differ is not promised but computed, by running both rules.

    Parameters
    ----------
    settings : the optimizer under "optimizer", by its name or as its class or function, and its
        arguments by name; what is not given has the library's default. Torch's ``defaults`` and
        Keras's ``get_config()`` may be given whole
    from_, to : "torch", "keras" or "optax"

    Raises
    ------
    KeyError
        If a library, an optimizer or an argument has no such name.
    ValueError
        If a number is outside its domain, missing, or none; if an argument changes what is computed
        and cannot be carried; or if the other library has no such optimizer.

    Examples
    --------
    >>> print(port({"optimizer": "SGD", "lr": 0.1, "momentum": 0.9}, "torch", "optax"))
    optax: sgd(learning_rate=0.1, momentum=0.9)
      the first 1,000 steps are the same
    """
    source = asked(settings, from_)
    options = [way for way in ways(to) if way.kind == source.way.kind]
    if not options:
        raise ValueError(f"{to.lower()} has no {source.way.kind}")
    start, gradients = recorded(STEPS)
    wanted = source.moves(start, gradients)
    tried = [_nearest(source, way, start, gradients, wanted) for way in options]
    best = min(tried, key=lambda one: float(_apart(one, start, gradients, wanted).mean()))
    apart = _apart(best, start, gradients, wanted)
    sizes = np.sqrt((gradients[:, :SIZES] ** 2).mean(axis=0))
    return Ported(
        best.way.library,
        best.way.optimizer,
        _words(best),
        tuple(_notes(source, best)),
        dict(zip(sizes.tolist(), apart[:, :SIZES].max(axis=0).tolist(), strict=True)),
    )


def asked(settings: Mapping[str, Any], library: str) -> Asked:
    """Return what a library computes with some settings.

    Raises
    ------
    KeyError, ValueError
        As :func:`port`.
    """
    of_library = ways(library)
    library = of_library[0].library
    if not isinstance(settings, Mapping) or "optimizer" not in settings:
        raise ValueError('settings need the optimizer\'s name, such as "optimizer": "Adam"')
    given = dict(settings)
    known = {way.optimizer: way.optimizer for way in of_library}
    said = given.pop("optimizer")
    if not isinstance(said, str) and not hasattr(said, "__name__"):
        kind = type(said).__name__
        raise ValueError(
            f"optimizer must be a name, a class or a function, not an object of {kind}: give "
            "this, and its arguments by name"
        )
    name = lookup(getattr(said, "__name__", said), known, f"optimizer of {library}")
    own = [way for way in of_library if way.optimizer == name]
    given, remarks = without_options(given, library, name)
    flat = _flat(given, own)
    fitting = (w for w in own if all(_setting(w, flat, k) == v for k, v in w.chosen.items()))
    way = next(fitting, None)
    nesterov = library == "torch" and flat.get("nesterov")  # which it refuses without momentum
    if way is None or (nesterov and not flat.get("momentum")):
        asked_for = {key: flat[key] for key in USUAL if flat.get(key)}
        listed = ", ".join(f"{key}={value!r}" for key, value in asked_for.items())
        raise ValueError(f"no {name} of {library} is known here that takes {listed} together")
    return Asked(way, _numbers(way, flat), remarks)


def _flat(given: Mapping[str, Any], own: Sequence[Way]) -> dict[str, Any]:
    """Return arguments by the names that ways have for them, each with a number or a choice."""
    terms = {term: term for way in own for term in (*way.names.values(), *way.chosen)}
    pairs = {pair[1] for term in terms if (pair := PAIR.fullmatch(term))}
    offered = {term: term for term in (*pairs, *terms) if not PAIR.fullmatch(term)}
    flat: dict[str, Any] = {}
    for said, value in given.items():
        key = lookup(said, offered, f"argument of {own[0].optimizer}")
        if key in pairs:
            if np.shape(value) != (2,):
                raise ValueError(f"{key} must be two numbers, such as (0.9, 0.999), not {value!r}")
            flat |= {f"{key}[{i}]": _number(one, key) for i, one in enumerate(value)}
        elif isinstance(USUAL.get(key), bool):
            if not (value is None or isinstance(value, bool | np.bool_ | int)):
                raise ValueError(f"{key} must be True or False, not {value!r}")
            flat[key] = bool(value)
        elif value is None and key in ("weight_decay", "momentum"):
            flat[key] = 0.0
        else:
            flat[key] = _number(value, key)
    return flat


def _number(value: Any, name: str) -> float:
    """Return a number of Python, of a number of any library."""
    if not isinstance(value, str) and hasattr(value, "__float__") and np.ndim(value) == 0:
        return float(value)
    schedule = callable(value) or isinstance(value, Mapping)
    hint = "; give one rate of the schedule, and carry the schedule apart" if schedule else ""
    raise ValueError(f"{name} must be a number, not {value!r}{hint}")


def _setting(way: Way, given: Mapping[str, Any], name: str) -> Any:
    return given.get(name, USUAL[name])


def _numbers(way: Way, given: Mapping[str, Any]) -> dict[str, float]:
    """Return a rule's hyper-parameters, given by the library's names or its defaults."""
    values = {}
    for name, theirs in way.names.items():
        value = given.get(theirs, way.defaults[name])
        if value is None:
            raise ValueError(f"{way.library} has no default for {theirs}: give it")
        values[name] = float(value)
    unread = [key for key in given if key not in (*way.names.values(), *way.chosen, *USUAL)]
    if unread:
        raise ValueError(f"{way.optimizer} takes no notice of {unread[0]} with these settings")
    own = domains(way.rule)  # type: ignore[arg-type]
    values |= dict(way.fixed)
    rule = way.rule(**{name: value for name, value in values.items() if name in own})
    if "weight_decay" in values and not 0 <= values["weight_decay"] < np.inf:
        raise ValueError(f"weight_decay must be 0 or more, not {values['weight_decay']:g}")
    return {name: float(getattr(rule, name)) for name in own} | values


def _nearest(source: Asked, way: Way, start: Array, gradients: Array, wanted: Array) -> Asked:
    """Return a way with the numbers of the source, and the epsilon that brings it nearest."""
    own = domains(way.rule)  # type: ignore[arg-type]
    values = {name: float(getattr(way.rule(), name)) for name in own} | dict(way.fixed)
    values |= {name: 0.0 for name in ("weight_decay",) if name in way.names}
    carried = {name: value for name, value in source.values.items() if name in way.names}
    if not _same_decay(source, way):
        carried.pop("weight_decay", None)
    values |= carried
    if _loses_schedule(source.way, way):
        values["momentum_decay"] = NO_SCHEDULE
    if _place(way) == _place(source.way) or not carried.get("eps"):
        return Asked(way, values)
    # Of what both have: an epsilon can make up for nothing that is lost.
    if not values.get("weight_decay"):
        wanted = replace(source, values={**source.values, "weight_decay": 0.0}).moves(
            start, gradients
        )
    # Inside a root an epsilon is about the square of what it is outside.
    low, high = 2 * np.log(carried["eps"]) - 2, np.log(carried["eps"]) / 2 + 2
    candidate = way.candidate(values.get("weight_decay", 0.0) > 0)
    for _ in range(4):
        grid = np.exp(np.linspace(low, high, 25))
        table = [values, *(values | {"eps": float(eps)} for eps in grid)]
        moves = candidate.all_moves(table, start, gradients)
        apart = abs(moves - wanted[:, None]) / _longest(wanted)
        values = table[int(apart.mean(axis=(0, 2)).argmin())]
        step = (high - low) / 24
        low, high = np.log(values["eps"]) - step, np.log(values["eps"]) + step
    return Asked(way, values | {"eps": float(f"{values['eps']:.3g}")})


def _loses_schedule(source: Way, way: Way) -> bool:
    """Return whether a schedule of momentum has to be switched off, and can be."""
    return source.rule is AdamNesterov and "momentum_decay" in way.names


def _same_decay(source: Asked, way: Way) -> bool:
    """Return whether the two forget weights in one way; in plain SGD, there is but one."""
    return way.decay == source.way.decay or source.way.kind == "SGD"


def _longest(moves: Array) -> Array:
    return np.asarray(np.maximum(abs(moves).max(axis=0), 1e-300))


def _apart(one: Asked, start: Array, gradients: Array, wanted: Array) -> Array:
    """Return how far its steps are from those wanted, over the longest, of shape (T, n)."""
    return np.asarray(abs(one.moves(start, gradients) - wanted) / _longest(wanted))


def _words(one: Asked) -> dict[str, Any]:
    """Return the arguments by which its library is asked for it."""
    way = one.way
    words: dict[str, Any] = {}
    for name, theirs in way.names.items():
        value = one.values[name]
        if value == 0 and way.defaults[name] in (0, None):
            continue
        if pair := PAIR.fullmatch(theirs):
            words[pair[1]] = (*words.get(pair[1], ()), value)
        else:
            words[theirs] = value
    switches = {k: v for k, v in way.chosen.items() if v != USUAL[k]}
    return words | switches


def _notes(source: Asked, found: Asked) -> list[str]:
    there, here = source.way, found.way
    notes = list(source.remarks)
    if source.decays and not found.decays:
        amount = source.values["weight_decay"]
        if there.decay == COUPLED:
            notes.append(
                f"the weight decay of {amount:g} is left out: {there.library} adds it to the "
                f"gradient, and this optimizer has no argument for that; {_coupled(here, amount)}"
            )
        else:
            notes.append(
                f"the weight decay of {amount:g} is left out: {here.optimizer} has none beside "
                f"the gradient; before each step, multiply the weights by 1 - "
                f"{source.values['lr'] * amount:g}"
            )
    lost = [
        name
        for name, value in source.values.items()
        if name not in (*here.names, "weight_decay") and value != found.values.get(name)
    ]
    notes += [
        f"{there.names.get(name, name)} = {source.values[name]:g} has no counterpart"
        for name in lost
    ]
    later = (there.rule is AMSGradOfHat) != (here.rule is AMSGradOfHat)
    if source.values.get("eps") and "eps" in found.values and _place(there) != _place(here):
        old, new = source.values["eps"], found.values["eps"]
        notes.append(
            f"epsilon is added elsewhere, {_place(here)} instead of {_place(there)}: of all "
            f"constants {new:g} comes nearest to {old:g}"
        )
        if {_place(there), _place(here)} == {HAT, OUTSIDE} and not later:
            by = "over" if _place(there) == HAT else "times"
            notes.append(f"they would agree with {old:g} {by} sqrt(1 - beta2**t), no constant")
    if _loses_schedule(there, here):
        notes.append(f"momentum_decay={NO_SCHEDULE:g} ends the schedule of momentum at once")
    elif there.rule is not here.rule and (later or _place(there) == _place(here)):
        notes.append(f"the rule is another one: {_words_of(here)}, not {_words_of(there)}")
    if source.decays and {there.decay, here.decay} == {COUPLED, DECOUPLED} and found.decays:
        notes.append("without momentum, decay added to the gradient and decoupled decay are one")
    return notes + ([here.remark] if here.remark else [])


def _coupled(here: Way, amount: float) -> str:
    """Say how decay is added to the gradient by hand."""
    if here.library == "optax":
        return f"put optax.add_decayed_weights({amount:g}) before it, by optax.chain"
    return f"add {amount / 2:g} times the sum of the squared weights to the loss"


def _place(way: Way) -> str:
    return PLACES.get(way.rule, OUTSIDE)


def _words_of(way: Way) -> str:
    return getattr(way.rule, "words", "") or way.rule.__name__

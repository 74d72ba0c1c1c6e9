"""Which rule is it? An optimizer is asked by gradients, and its answer compared with every rule."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from .base import Driver, Unusable
from .behavior import answered, clipping, coupled, decay_and_rate, flat, sentences, watch
from .candidate import COUPLED, DECOUPLED, NO_DECAY, Seen
from .drive import driver
from .fit import Fitted, deviations
from .probes import recorded, unseen
from .screening import View, explained
from .searching import FITS, nearest, search, stretched, undecayed

# A deviation of a rule above which its edits are tried, and of an edit below which it explains what
# was seen: there are thousands of them, so an edit must come nearer than a rule.
DOUBTFUL, EDITED = (1e-6, FITS), (1e-7, 3e-5)
TURNED = 0.02  # of the steps of a rule of signs, those that a number's error may turn
SHOWN = 3  # others that a text shows
ROUNDING = 1e-12  # of a deviation in float64
DECAYS = {
    COUPLED: "weight decay added to the gradient (L2)",
    DECOUPLED: "weight decay decoupled",
}


@dataclass(frozen=True)
class Identity:
    """What an optimizer was found to compute.

    Attributes
    ----------
    name : of the optimizer
    fits : whether the rule explains all its steps
    rule : the class of the rule, or of the nearest one
    edits : the lines in which it computes something else than the rule, as it computes them
    words : what it is, in a line
    settings : each hyper-parameter recovered from the steps, with its standard error; infinite
        where no step depends on it
    decay : how it forgets weights beside the rule: "none", "coupled" (added to the gradient) or
        "decoupled"
    deviation : the largest difference of a recorded step from the rule's, over the longest step of
        that coordinate
    steps : how many were recorded
    precision : that of its state
    notes : what else it does, a sentence each
    departs : where the nearest rule departs, if none fits
    others : other rules that explain the steps as well; if it has edits, what computes the same
    """

    name: str
    fits: bool
    rule: type
    words: str
    settings: dict[str, tuple[float, float]]
    decay: str
    deviation: float
    steps: int
    precision: str
    notes: tuple[str, ...] = ()
    departs: str = ""
    others: tuple[str, ...] = ()
    edits: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [f"{self.name}: {self.words}"]
        lines += [f"  {name} = {told(name, *value)}" for name, value in self.settings.items()]
        # Below, it is the rounding of this processor.
        most = (
            f"{self.deviation:.1g} at most"
            if self.deviation > ROUNDING
            else f"less than {ROUNDING:g}"
        )
        how = f"  {self.steps} recorded steps deviate by {most}"
        lines.append(f"{how}; {self.precision}")
        if self.departs:
            lines.append(f"  {self.departs}")
        if self.others:
            more = len(self.others) - SHOWN
            rest = [f"{more} more, all in its others"] if more > 0 else []
            lines.append(f"  as near: {'; '.join([*self.others[:SHOWN], *rest])}")
        return "\n".join([*lines, *(f"  {note}" for note in self.notes)])

    def as_json(self) -> str:
        """Return all of it as one object of JSON, in ASCII; an unknown error is null."""
        settings = {
            name: {"value": plain(name, value, error), "error": _finite(error)}
            for name, (value, error) in self.settings.items()
        }
        return json.dumps(
            {
                "version": 1,
                "name": self.name,
                "fits": self.fits,
                "rule": self.rule.__name__,
                "words": self.words,
                "edits": list(self.edits),
                "settings": settings,
                "decay": self.decay,
                "deviation": _finite(self.deviation),
                "steps": self.steps,
                "precision": self.precision,
                "departs": self.departs,
                "others": list(self.others),
                "notes": list(self.notes),
            }
        )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


@np.errstate(all="ignore")  # where numbers leave their range, a rule does not fit
def identify(optimizer: Any, progress: Callable[[str], Any] = lambda text: None) -> Identity:
    """Find out which rule an optimizer runs, and with which hyper-parameters, from its steps alone.

    A hundred recorded gradients go to a fresh one, and every rule and form that this package knows
    is fitted to the steps that come back; if none takes them, so are the rules nearest to it with
    one thing in their lines written otherwise (:mod:`adam_edu.wrongs`), which takes some seconds
    more. Then it is asked what it does with large gradients, with zeros, NaN and bfloat16, and with
    a parameter whose first gradient comes late.

    Parameters
    ----------
    optimizer : what :func:`driver` takes: an optimizer of Torch, Optax, Keras, scikit-learn, River,
        MLX or Paddle, a rule, a function ``step(x, g, *slots, t)``, a :class:`Command`
    progress : called with a few words before each part

    Raises
    ------
    Unusable
        If it cannot be driven by gradients, ignores them, or moves otherwise when it is started
        anew: one sentence says which.
    ImportError
        Without SciPy.

    Examples
    --------
    >>> from adam_edu.rules import Adam
    >>> found = identify(Adam(lr=0.01, beta2=0.99))
    >>> found.words, found.fits
    ('Adam', True)
    >>> round(found.settings["beta2"][0], 6)
    0.99
    """
    driven = driver(optimizer)
    progress("recorded gradients")
    seen = _usable(driven)
    climbs = ascends(seen)
    if climbs:
        seen = turned(seen)
    progress("rules")
    tried = search(seen)
    named = nearest(tried)
    near = [one for one in tried if one.deviation <= max(3 * named.deviation, 1e-9)]
    crossed = named.candidate.bounded and not holding(driven, climbs)(named)
    if crossed or stretched(named) or named.deviation > DOUBTFUL[seen.ulp > 1e-12]:
        progress("edits of rules, which takes some seconds more")
        exact = EDITED[seen.ulp > 1e-12]
        views = [View(seen, holding(driven, climbs))]
        if climbs:  # or an edit turns a part of it, or makes squares of it
            views.insert(0, View(turned(seen), holding(driven, False)))
        edits, view = explained(seen, tried, views, exact, progress)
        if edits:
            seen, climbs = view.seen, view is not views[0] and climbs
            named, near, crossed = edits[0], edits, False
    named = undecayed(named, seen)
    fits = named.deviation < FITS and not crossed
    words = called(named, fits)
    others = dict.fromkeys(called(one, True) for one in near if fits and one is not named)
    notes = ["it climbs: it moves along the gradient"] if climbs else []
    if fits and not climbs:
        progress("large gradients")
        notes += answered("large gradients", clipping, driven, named, seen)
        notes += answered("another rate", decay_and_rate, driven, named.candidate.decay)
    if not fits:
        notes += answered("one entry alone", coupled, driven, seen)
    notes += sentences(driven, progress)
    return Identity(
        name=driven.name,
        fits=fits,
        rule=named.candidate.rule,
        words=words,
        settings={name: (value, named.spread[name]) for name, value in named.values.items()},
        decay=named.candidate.decay,
        deviation=named.deviation,
        steps=len(seen.gradients),
        precision=_precision(driven, named),
        notes=tuple(notes),
        departs="" if fits else departs(named, elsewhere(driven, climbs) if crossed else seen),
        edits=tuple(new for _, new in named.candidate.changes),
        others=tuple(other for other in others if other != words),
    )


def _usable(driven: Driver) -> Seen:
    """Return what it does with the recorded gradients, once that is a matter of them alone."""
    start, gradients = recorded()
    try:
        seen = watch(driven, start, gradients)
    except (Unusable, ImportError):
        raise
    except Exception as error:
        raise Unusable(f"{driven.name} raises {type(error).__name__}: {flat(error)}") from error
    if not np.isfinite(seen.points).all():
        step = int(np.argmax(~np.isfinite(seen.points).all(axis=1))) + 1
        raise Unusable(f"{driven.name} has a value that is no finite number after step {step}")
    if not seen.moves.any():
        raise Unusable(f"{driven.name} does not move at all, whatever the gradients")
    if not np.array_equal(seen.points, watch(driven, start, gradients).points):
        raise Unusable(
            f"{driven.name} moves otherwise when it is started anew: it moves at random, or keeps "
            "something from one optimizer to the next"
        )
    # Others in every step, and not those with the other sign: a rule of squares has no other steps.
    if np.array_equal(seen.points, watch(driven, start, -gradients[::-1]).points):
        raise Unusable(f"{driven.name} moves, but takes no notice of its gradients")
    return seen


def ascends(seen: Seen) -> bool:
    """Return whether the first step that depends on a gradient goes along it."""
    along = (seen.moves * seen.gradients).sum(axis=1)
    return bool(along[np.argmax(along != 0)] > 0)


@lru_cache(maxsize=4)
def elsewhere(driven: Driver, climbs: bool) -> Seen:
    """Return what an optimizer does along gradients that nothing is fitted to; turned if it
    climbs."""
    found = watch(driven, *unseen())
    return turned(found) if climbs else found


def holding(driven: Driver, climbs: bool) -> Callable[[Fitted], bool]:
    """Return what says whether a fit takes the steps of an optimizer along gradients that it was
    not fitted to, but for a few where a sign turns; an optimizer that climbs is turned."""

    def holds(one: Fitted) -> bool:
        seen = elsewhere(driven, climbs)
        with np.errstate(all="ignore"):
            moves = one.candidate.moves(one.values, seen.start, seen.gradients)
            off = deviations(seen, moves)[np.isfinite(seen.moves)] > FITS
        return bool(off.mean() <= TURNED)

    return holds


def turned(seen: Seen) -> Seen:
    """Return what was seen of an optimizer of the parameter with the other sign."""
    return Seen(-seen.start, seen.gradients, -seen.points, seen.ulp)


def called(named: Fitted, fits: bool) -> str:
    """Return what a rule with its decay is called, for a reader."""
    parts = [named.candidate.words]
    if named.candidate.decay != NO_DECAY:
        parts.append(DECAYS[named.candidate.decay])
    text = ", ".join(parts)
    return text if fits else f"no rule known here; the nearest is {text}"


def _precision(driven: Driver, named: Fitted) -> str:
    if named.deviation > FITS:
        return f"parameters of {driven.dtypes[0]}"
    if driven.dtypes[0] == "float64" and named.deviation < 1e-9:
        return "its state is float64"
    return "its state, or its powers of beta, are float32"


def departs(named: Fitted, seen: Seen) -> str:
    """Say at which step the nearest rule first departs, with both numbers."""
    with np.errstate(all="ignore"):
        moves = named.candidate.moves(named.values, seen.start, seen.gradients)
    off = deviations(seen, moves)
    step, entry = np.argwhere(off > max(FITS, 0.1 * off.max()))[0]
    return (
        f"they part at step {step + 1}: with the gradient {seen.gradients[step, entry]:.3g} it "
        f"moves by {seen.moves[step, entry]:.6g}, the rule by {moves[step, entry]:.6g}"
    )


def plain(name: str, value: float, error: float) -> float:
    """Return the shortest number that a recovered one may be, within its error and 1e-5.

    >>> plain("lr", 0.00099999347, 1e-9), plain("beta2", 0.99900001, 1e-9)
    (0.001, 0.999)
    """
    share = name.startswith("beta") or name in ("rho", "momentum", "beta")
    base = 1 - value if share else value
    room = max(3 * error if math.isfinite(error) else 0.0, 3e-5 * abs(base))
    if name == "weight_decay" and abs(value) <= room:  # the steps do not tell it from none
        return 0.0
    for digits in range(1, 8):
        short = float(f"{base:.{digits}g}")
        if abs(short - base) <= room:
            return float(f"{1 - short:.12g}") if share else short
    return value


def told(name: str, value: float, error: float) -> str:
    """Return a recovered number for a reader: the shortest within its error, and that error where
    it is large."""
    if not math.isfinite(error):
        return "any (no step depends on it)"
    if value < 1e-17:
        return "0"
    short = plain(name, value, error)
    base = abs(1 - value) if name.startswith("beta") else abs(value)
    return f"{short:.10g}" + (f" ± {error:.1g}" if error > 1e-3 * base else "")

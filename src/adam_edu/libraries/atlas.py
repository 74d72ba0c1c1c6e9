"""The atlas: what the optimizers of many libraries compute, measured, one line of JSON for each.

``results/atlas.jsonl`` is the record. The programs that hand a library's optimizers to
:func:`identify` are in the folder ``atlas`` of the repository, one folder a library; ``make atlas``
runs them, each in an environment of its own, and says what has moved.
"""

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from importlib.resources import files
from typing import Any

from ..rules import RULES
from .rules import FORMS

RECORD = "atlas.jsonl"
IDENTIFIED, EARLIER, READ = "identified", "by an earlier program", "read in its source"
# Where epsilon stands. The first is Algorithm 1, the second epsilon hat, where the rule is Adam.
TO_ROOT, BEFORE = "to the root", "before the correction"
IN_ROOT, IN_ROOT_BEFORE = "in the root", "in the root, before the correction"
LEAST = "as a least value"
SAME = 1e-3  # relative difference up to which two numbers are one: some states are float32
LATE = re.compile(
    r"\b(no gradient|gradient of zero)\b.* for [\d,]+ steps"
)  # as long as time allows

KNOWN = {kind.__name__: kind for kind in (*RULES.values(), *FORMS)}
# Families of optimizers, by what their names have in them; the first that fits.
KIN = {
    "AMSGrad": "amsgrad",
    "schedule-free": "schedule_?free",
    "AdaBelief": "adabelief",
    "AdaBound": "adabound|amsbound",
    "Adafactor": "adafactor",
    "ADOPT": "adopt",
    "Muon": "muon",
    "LAMB": "lamb",
    "Lion": "lion",
    "Prodigy": "prodigy",
    "NAdam": "nadam|nadamw|nesterov.?adam",
    "RAdam": "radam",
    "AdaMax": "adamax",
    "AdamW": "adamw(?!ar)|adam_?weight_?decay",
    "AdaDelta": "adadelta",
    "AdaGrad": "adagrad",
    "RMSProp": "rmsprop",
    "Adam": r"adam(?!p\b)",
    "SGD": "sgd|momentum|nesterov|gradient.?descent|descent|nag",
}


@dataclass(frozen=True)
class Row:
    """One optimizer of one library.

    Attributes
    ----------
    library, version, language : where it comes from
    optimizer : as its users call it
    date : when it was measured, or its source read
    how : one of the three phrases of this module
    words : what it computes
    program : the folder in ``atlas`` whose program measured it; empty if none there did
    rule : the class of this package that takes its steps; empty if none does
    settings : its hyper-parameters at their defaults, in our words, as its steps tell them
    decay : how it forgets weights beside its rule: "none", "coupled" or "decoupled"
    chosen : what has no default, and the value that it was measured with, in its own words
    declared : the defaults that it declares, in its own words
    deviation : the largest difference of a recorded step from the rule's, or None
    first : pairs of a gradient and the first move that it makes, from zero
    notes : what else it does, as :func:`identify` found it
    surprise : what somebody who knows the paper would not expect
    explained : where no rule takes its steps, what it computes all the same and why none does, as
        somebody says who has read its source
    needs : what it takes to measure it, beside a current Python
    source : an address
    """

    library: str
    version: str
    language: str
    optimizer: str
    date: str
    how: str
    words: str
    program: str = ""
    rule: str = ""
    settings: Mapping[str, float] = field(default_factory=dict)
    decay: str = "none"
    chosen: Mapping[str, Any] = field(default_factory=dict)
    declared: Mapping[str, Any] = field(default_factory=dict)
    deviation: float | None = None
    first: tuple[tuple[float, float], ...] = ()
    notes: tuple[str, ...] = ()
    surprise: str = ""
    explained: str = ""
    needs: str = ""
    source: str = ""

    @property
    def kin(self) -> str:
        """The family that its name puts it in, whatever it computes."""
        name = self.optimizer.lower()
        return next((kin for kin, words in KIN.items() if re.search(words, name)), "other")

    @property
    def epsilon(self) -> str:
        """Where its epsilon stands, in a few words; empty if it has none, or none known."""
        if not self.rule or not hasattr(KNOWN[self.rule], "eps"):
            return ""
        places = {
            "inside the root, before": IN_ROOT_BEFORE,
            "inside the root": IN_ROOT,
            "before the correction": BEFORE,
            "least value": LEAST,
        }
        return next((at for words, at in places.items() if re.search(words, self.words)), TO_ROOT)

    def step(self, gradient: float) -> float | None:
        """Return its first step over its rate; None if one of the two is not known."""
        rate, move = self.settings.get("lr"), dict(self.first).get(gradient)
        return None if not rate or move is None else abs(move) / rate

    def default(self, name: str) -> float | None:
        """Return a hyper-parameter's default, in our words; None if it has none or is not known."""
        value = self.settings.get(name)
        given = (v for v in self.chosen.values() if isinstance(v, float))
        return None if value is None or any(_same(v, value) for v in given) else value

    def as_json(self) -> str:
        """Return it as one line of JSON, without what is empty."""
        told = {
            key: value for key, value in asdict(self).items() if value not in ("", {}, (), None)
        }
        return json.dumps(told, ensure_ascii=False)

    @classmethod
    def of_json(cls, line: str) -> "Row":
        """Return the row of a line of the record."""
        row = json.loads(line)
        row["first"] = tuple((g, move) for g, move in row.get("first", ()))
        return cls(**row | {"notes": tuple(row.get("notes", ()))})


def atlas() -> list[Row]:
    """Return every row of the record.

    Examples
    --------
    >>> [row] = [row for row in atlas() if row.optimizer == "torch.optim.Adam"]
    >>> row.words, row.default("eps"), row.step(1e-7) > 0.9
    ('Adam', 1e-08, True)
    """
    text = files("adam_edu").joinpath("results", RECORD).read_text(encoding="utf-8")
    return [Row.of_json(line) for line in text.splitlines()]


def moved(before: Row, now: Row) -> list[str]:
    """Say what differs between two measurements of one optimizer, a sentence each.

    The version, the date and the deviation, which is one of rounding, do not count.
    """
    told = [
        f"{name} is {getattr(now, name)!r}, was {getattr(before, name)!r}"
        for name in ("words", "decay", "chosen", "declared")
        if getattr(now, name) != getattr(before, name)
    ]
    pairs = [("", before.settings, now.settings)]
    pairs += [("the first move at ", _keyed(before.first), _keyed(now.first))]
    for words, old, new in pairs:
        for name in {**old, **new}:
            was, is_ = old.get(name), new.get(name)
            if was is None or is_ is None or not _same(was, is_):
                told.append(f"{words}{name} is {_shown(is_)}, was {_shown(was)}")
    gone, come = (_stable(one) - _stable(other) for one, other in ((before, now), (now, before)))
    told += [f"it says no longer: {note}" for note in sorted(gone)]
    return told + [f"it says: {note}" for note in sorted(come)]


def _keyed(first: Iterable[tuple[float, float]]) -> dict[str, float]:
    return {f"{g:g}": move for g, move in first}


def _same(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=SAME, abs_tol=0.0) or (math.isnan(a) and math.isnan(b))


def _shown(value: float | None) -> str:
    return "not known" if value is None else f"{value:.5g}"


def _stable(row: Row) -> set[str]:
    """Return the notes of a row but for their numbers, and for those that are a matter of time."""
    return {re.sub(r"\d[\d.,e+-]*", "#", note) for note in row.notes if not LATE.search(note)}

"""Links that set a live figure, as sentences of a chapter have them.

In the Markdown of a notebook such a sentence is an ordinary link::

    [Set SGD to 0.04](#lab=1&SGD.lr=0.04)

``lab=1`` is the first figure of the page. What follows is what the figure then shows that the
page's own does not; everything else is as the page has it, whatever the reader has changed.

- ``SGD.lr=0.04``: a hyper-parameter of an optimizer of the figure; ``AdaBound.2.lr=0.1`` of the
  second of that name
- ``surface=Ravine``, with the start that belongs to it; ``shape.condition=50``: a parameter of the
  surface; ``start=-3,1``: a point of the map
- ``steps=500``: how many; ``t=10``: the step shown, or the epoch of recorded runs
- ``coordinate=1`` of the view from inside: 0 for a, 1 for b
- ``signal=rare``: the gradients of the averages, or of one weight
- ``schedule=Step``, ``schedule.every=20``, ``warmup=20``, ``noise=1`` of the view of a schedule
- ``window=20``, ``noise=1`` of the view of an average
- ``quantity=test_error``, ``dropout=false``, ``scale=linear`` of recorded runs, ``beta1=0.9`` of a
  grid of settings

Without a script the link leads to the figure's still picture. ``link.js`` reads the same links.
"""

from collections.abc import Collection
from typing import Any
from urllib.parse import parse_qsl

from ..names import lookup
from ..problems import SURFACES
from . import records, states
from .catalog import PARTS, SCHEDULES
from .states import State

WHOLE = ("steps", "t", "coordinate", "warmup", "window")
NUMBERS = ("noise", "beta1")
POINTS = ("start", "drawn")
TABLES: dict[str, Collection[str]] = {"surface": SURFACES, "schedule": SCHEDULES}
GROUPS = {"shape": "shape", "schedule": "parameters"}


def parsed(link: str) -> tuple[int, dict[str, str]]:
    """Return the number of the figure that a link means, from 1, and what it sets.

    >>> parsed("#lab=1&SGD.lr=0.04&t=10")
    (1, {'SGD.lr': '0.04', 't': '10'})

    Raises
    ------
    ValueError
        If it is no such link, sets nothing, or sets one thing twice.
    """
    pairs = parse_qsl(link.removeprefix("#"), keep_blank_values=True)
    changes = dict(pairs[1:])
    fine = link.startswith("#lab=") and pairs[0][1].isdecimal() and changes
    if not fine or len(changes) < len(pairs) - 1:
        raise ValueError(f"a link that sets a figure is such as '#lab=1&SGD.lr=0.04', not {link!r}")
    return int(pairs[0][1]), changes


def applied(state: State, changes: dict[str, str]) -> State:
    """Return the state of a figure after a link, checked; ``changes`` is as of :func:`parsed`.

    Raises
    ------
    KeyError, TypeError, ValueError
        If the figure has no such optimizer or parameter, or if it cannot have such a value.
    """
    at_end = state["t"] == state["steps"]
    new = dict(state)
    # What brings parameters of its own comes before them, and single numbers come last.
    for key in sorted(changes, key=lambda key: ("." in key, key not in TABLES)):
        if "." in key:
            _set_one(new, key, _number(key, changes[key]))
        else:
            _set_part(new, key, changes[key])
    if at_end and "t" not in changes:
        new["t"] = records.longest(new) if new["view"] in records.VIEWS else new["steps"]
    return states.checked(new)


def _set_part(state: State, key: str, text: str) -> None:
    """Set a part of a state; with another surface or schedule come its own parameters."""
    _named(key, set(PARTS[state["view"]]) - {"rules", "shape", "parameters"}, "part of this figure")
    state[key] = _value(key, text)
    if key in TABLES:
        _named(text, TABLES[key], key)
    if key == "surface":
        state |= states.place_of(text)
    elif key == "schedule":
        state["parameters"] = states.parameters_of(text)


def _set_one(state: State, key: str, value: float) -> None:
    """Set one number: of an optimizer, of the surface, or of the schedule."""
    owner, *places, name = key.split(".")
    if owner in GROUPS and GROUPS[owner] in PARTS[state["view"]]:
        group = GROUPS[owner]
        _named(name, state[group], f"parameter of the {owner}")
        state[group] = state[group] | {name: value}
        return
    rules = [] if "rules" not in PARTS[state["view"]] else state["rules"]
    _named(owner, [rule["name"] for rule in rules], "optimizer of this figure")
    found = [i for i, rule in enumerate(rules) if rule["name"] == owner]
    place = int(places[0]) if places and places[0].isdecimal() else 1
    if len(places) > 1 or not 1 <= place <= len(found):
        raise KeyError(f"{key}: this figure has {len(found)} of {owner}, such as {owner}.1.{name}")
    rule = rules[found[place - 1]]
    _named(name, rule["hyper"], f"parameter of {owner}")
    changed = rule | {"hyper": rule["hyper"] | {name: value}}
    state["rules"] = [changed if one is rule else one for one in rules]


def _named(name: str, names: Collection[str], kind: str) -> None:
    """Raise a KeyError that offers the nearest unless a name is one of these, letter by letter."""
    if name not in names:
        near = lookup(name, {known: known for known in sorted(names)}, kind)
        raise KeyError(f"no {kind} is called {name!r}; did you mean {near!r}?")


def _value(key: str, text: str) -> Any:
    if key in POINTS:
        return [_number(key, part) for part in text.split(",") if part]
    if key == "dropout":
        return {"true": True, "false": False}.get(text, text)
    if key in WHOLE or key in NUMBERS:
        number = _number(key, text)
        return int(number) if key in WHOLE and number.is_integer() else number
    return text


def _number(key: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{key} must be a number, not {text!r}") from None

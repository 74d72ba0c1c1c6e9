"""Looking things up by name, with a helpful error."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import TypeVar

T = TypeVar("T")


def lookup(name: str, table: Mapping[str, T], kind: str) -> T:
    """Return ``table[name]``, ignoring case.

    Raises
    ------
    KeyError
        If there is no such name. The message offers the nearest, those of the same letters first.

    Examples
    --------
    >>> lookup("adam", {"Adam": 1}, "rule")
    1
    >>> lookup("adma", {"Adam": 1}, "rule")
    Traceback (most recent call last):
        ...
    KeyError: "no rule is called 'adma'; did you mean 'Adam'? Known: Adam"
    """
    by_lower_case = {key.lower(): key for key in table}
    if isinstance(name, str) and name.lower() in by_lower_case:
        return table[by_lower_case[name.lower()]]
    wanted = str(name).lower()
    exchanged = [key for key in by_lower_case if sorted(key) == sorted(wanted)]
    near = dict.fromkeys([*exchanged, *get_close_matches(wanted, by_lower_case, n=2)])
    offers = " or ".join(repr(by_lower_case[key]) for key in [*near][:2])
    hint = f"; did you mean {offers}?" if near else "."
    raise KeyError(f"no {kind} is called {name!r}{hint} Known: {', '.join(table)}")

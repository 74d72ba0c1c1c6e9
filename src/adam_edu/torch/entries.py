"""What an optimizer keeps for one parameter, under our names and under Torch's."""

from collections.abc import Mapping, MutableMapping
from typing import Any


class Entries(dict[str, Any]):
    """The state of one parameter: its step number and its slots.

    A slot is kept under the rule's name, ``m``, and answers to that of ``torch.optim`` as well,
    ``exp_avg``, when it is read, replaced or deleted: tools that prune Gaussians or average weights
    look for it there.

    Parameters
    ----------
    names : our name for each of Torch's
    entries : under either name

    Examples
    --------
    >>> own = Entries({"exp_avg": "m"}, {"step": 1, "exp_avg": 0.5})
    >>> own
    {'step': 1, 'm': 0.5}
    >>> own["exp_avg"] = 0.25
    >>> own["m"], "exp_avg" in own, own.get("exp_avg_sq")
    (0.25, True, None)
    """

    __slots__ = ("names",)

    def __init__(self, names: Mapping[str, str], entries: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        self.names = names
        self.update(entries or {})

    def __missing__(self, key: str) -> Any:
        ours = self.names.get(key)
        if ours is None or not dict.__contains__(self, ours):
            raise KeyError(key)
        return dict.__getitem__(self, ours)

    def __contains__(self, key: object) -> bool:
        return dict.__contains__(self, key) or dict.__contains__(self, self.names.get(key, key))  # type: ignore[call-overload]

    def __setitem__(self, key: str, value: Any) -> None:
        dict.__setitem__(self, self.names.get(key, key), value)

    def __delitem__(self, key: str) -> None:
        dict.__delitem__(self, self.names.get(key, key))

    # A dict's own methods would not ask the four above.
    get = MutableMapping.get  # type: ignore[assignment]
    pop = MutableMapping.pop
    setdefault = MutableMapping.setdefault
    update = MutableMapping.update

    def copy(self) -> "Entries":
        """Return a copy that answers to the same names."""
        return Entries(self.names, self)

    def __or__(self, other: Mapping[str, Any]) -> "Entries":  # type: ignore[override]
        both = self.copy()
        both.update(other)
        return both

    def __ior__(self, other: Mapping[str, Any]) -> "Entries":  # type: ignore[override]
        self.update(other)
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return Entries, (self.names, dict(self))

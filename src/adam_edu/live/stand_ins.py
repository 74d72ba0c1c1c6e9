"""What chapters import that is too heavy for a page: as much of it as they use, by its own name.

scikit-learn for its digits, anywidget for the live figures' Python side (their other side is on the
page), and what IPython shows. :func:`install` puts them where an import finds them.
"""

import gzip
import sys
from collections.abc import Callable
from importlib.resources import files
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

DIGITS = "digits.csv.gz"
"""scikit-learn's own file, which a build puts beside this one."""


def load_digits() -> SimpleNamespace:
    """Return scikit-learn's digits: ``data`` of shape (1797, 64), ``images`` and ``target``."""
    with gzip.open(files(__package__).joinpath(DIGITS).open("rb")) as file:
        table = np.loadtxt(file, delimiter=",")
    data = table[:, :-1]
    return SimpleNamespace(
        data=data, images=data.reshape(-1, 8, 8), target=table[:, -1].astype(int)
    )


class Shown:
    """A text that is shown as what it is written in."""

    kind = "plain"

    def __init__(self, data: str) -> None:
        self.data = data

    def __repr__(self) -> str:
        return f"<IPython.core.display.{type(self).__name__} object>"

    def _repr_mimebundle_(self, **options: Any) -> dict[str, str]:
        return {"text/plain": repr(self), f"text/{self.kind}": self.data}


class Markdown(Shown):
    """A text in Markdown."""

    kind = "markdown"


class HTML(Shown):
    """A text in HTML."""

    kind = "html"


def install(display: Callable[..., None]) -> None:
    """Put the modules where an import finds them; ``display`` shows an object."""
    import traitlets

    class AnyWidget(traitlets.HasTraits):
        """A widget without a kernel to be synced with."""

        def _repr_mimebundle_(self, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
            return {"text/plain": repr(self)}, {}

    shown = {"Markdown": Markdown, "HTML": HTML, "display": display}
    modules: dict[str, dict[str, Any]] = {
        "sklearn": {},
        "sklearn.datasets": {"load_digits": load_digits},
        "anywidget": {"AnyWidget": AnyWidget},
        "IPython": {"get_ipython": lambda: None, "version_info": (8, 24, 0)},
        "IPython.display": shown,
    }
    for name, has in modules.items():
        module = ModuleType(name)
        vars(module).update(has)
        sys.modules[name] = module
        above, _, last = name.rpartition(".")
        if above:
            setattr(sys.modules[above], last, module)

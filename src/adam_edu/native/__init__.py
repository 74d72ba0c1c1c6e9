"""A rule's lines as one loop in C++: printed, compiled, kept and called.

It knows addresses, sizes, dtypes and numbers, and nothing of NumPy or Torch, whose drivers use it
both. A step of Adam by a library of arrays is fourteen passes over memory; the loop reads each
number once and writes it once.
"""

from .library import NotCompiled
from .loop import Loop, Outcome, loop
from .source import Unprintable

__all__ = ["Loop", "NotCompiled", "Outcome", "Unprintable", "loop"]

"""The catalogue of known mistakes.

Each function is a line of an algorithm as it is often written wrongly. Its parameters are the names
that the line reads, its result is what the line assigns, and its docstring is what the student is
told. A test holds that no two mistakes of an exercise behave alike.
"""

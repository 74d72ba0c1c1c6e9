"""Serve optimizers to ``adam-edu identify --command``, by lines of JSON.

For libraries of a Python that is too old for this package; so this runs on 2.7 and on 3.6.
"""

import json
import sys


def speak(optimizers, chosen=()):
    """Name the optimizers, or let the one that the first argument names take its steps.

    Each of ``optimizers`` is a function: it takes where a parameter starts, a list of numbers, and
    returns a function from a gradient to the parameter after the step. ``chosen`` has, for some
    names, what has no default and was given.
    """
    if len(sys.argv) < 2:
        print(json.dumps({name: dict(chosen).get(name, {}) for name in optimizers}))
        return
    step = optimizers[sys.argv[1]](json.loads(sys.stdin.readline())["x"])
    while True:
        line = sys.stdin.readline()
        if not line:
            return
        print(json.dumps({"x": [float(x) for x in step(json.loads(line)["g"])]}))

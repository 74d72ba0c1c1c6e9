"""genoxide: a minimizer in Rust that asks for the gradient. It would stop at a small one."""

from functools import partial

import genoxide
import numpy as np

from adam_edu.libraries.functions import asking

FAR = 1e6  # bounds that no step reaches


def walk(settings, gradient, start, steps):
    """Let it take a number of steps, however short."""
    seen = []

    def asked(x):
        seen.append(np.array(x))
        return gradient(x)

    space = genoxide.Real((-FAR, FAR), length=len(start))
    minimizer = genoxide.FirstOrder(
        space,
        objective="minimize",
        gradient_tolerance=0.0,
        step_tolerance=0.0,
        initial_genome=start,
        **settings,
    )
    minimizer.run(lambda x: float(np.sum(x)), gradient=asked, generations=steps + 1)
    return seen[steps]


OPTIMIZERS = {
    "genoxide.FirstOrder(step='adam')": asking(partial(walk, {"step": "adam"}), "adam"),
    "genoxide.FirstOrder(step='adamw', weight_decay=0.01)": asking(
        partial(walk, {"step": "adamw", "weight_decay": 0.01}), "adamw"
    ),
}

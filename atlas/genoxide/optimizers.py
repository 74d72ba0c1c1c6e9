"""genoxide: a minimizer in Rust that asks for the gradient. It would stop at a small one."""

from functools import partial

import genoxide
import numpy as np

from adam_edu.libraries.functions import asking

FAR = 1e6  # bounds that no step reaches


def walk(step, gradient, start, steps):
    """Let it take a number of steps, however short."""
    seen = []

    def asked(x):
        seen.append(np.array(x))
        return gradient(x)

    space = genoxide.Real((-FAR, FAR), length=len(start))
    minimizer = genoxide.FirstOrder(
        space,
        step=step,
        objective="minimize",
        gradient_tolerance=0.0,
        step_tolerance=0.0,
        initial_genome=start,
    )
    minimizer.run(lambda x: float(np.sum(x)), gradient=asked, generations=steps + 1)
    return seen[steps]


OPTIMIZERS = {
    f"genoxide.FirstOrder(step='{name}')": asking(partial(walk, name), name)
    for name in ("adam", "adamw")
}

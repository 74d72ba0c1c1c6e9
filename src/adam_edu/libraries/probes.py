"""The gradients by which an optimizer is asked what it computes."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
STEPS = 100
EARLY = 36  # steps that tell most rules and edits apart: past the change at the thirtieth
SMALL = 0.05  # the largest gradient: nothing that clips at a norm of 1 acts on these


def recorded(steps: int = STEPS) -> tuple[Array, Array]:
    """Return starts of shape (n,) and gradients of shape (T, n), which tell rules apart.

    Noise of five scales down to 1e-9 (epsilon); constant, alternating, large then small, small then
    large, zero then noise, and rare gradients (windows, corrections, maxima); and, from starts away
    from zero, noise and zeros (weight decay).
    """
    rng = np.random.default_rng(2014)
    t = np.arange(steps)
    noise = rng.standard_normal((steps, 9)) / 4
    columns = [
        *(noise[:, k] * 10.0 ** (-2 * k) for k in range(5)),
        np.ones(steps),
        (-1.0) ** t,
        np.where(t < 5, 1.0, 0.02) * (1 + noise[:, 5]),
        np.where(t < 50, 0.02, 1.0) * (1 + noise[:, 6]),
        np.where(t < 30, 0.0, noise[:, 7]),
        np.where(t % 10 == 0, 1.0, 0.0),
        noise[:, 8],
        np.zeros(steps),
    ]
    starts = np.zeros(len(columns))
    starts[-2:] = 1.0, 2.0
    return starts, SMALL * np.column_stack(columns)


def unseen(steps: int = 40) -> tuple[Array, Array]:
    """Return starts and gradients as :func:`recorded` does, by which is checked what was fitted to
    those: noise of seven scales, the largest twice as large as theirs, and zeros now and then; and
    one entry that is always large, though nothing that clips at 0.5 acts on it."""
    rng = np.random.default_rng(2015)
    scales = SMALL * np.repeat([2, 1, 0.5, 0.1, 1e-2, 1e-3, 1e-5], [1, 4, 2, 2, 2, 1, 1])
    noise = scales * rng.standard_normal((steps, len(scales)))
    noise[rng.random(noise.shape) < 0.05] = 0.0
    noise[:, -1] = 0.45 * np.sign(noise[:, 0] + noise[:, 1] + 1e-9)
    return np.linspace(-1, 1, len(scales)), noise

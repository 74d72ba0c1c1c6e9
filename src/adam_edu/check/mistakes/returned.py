"""Mistakes in what a step gives back."""
# mypy: allow-untyped-defs

import numpy as np

from ..mistake import wrong


@wrong("returned m", "returned v")
def state_not_returned(m_before, v_before):
    """You return the moments that you were given, not the new ones: the next step would start from
    the old state."""
    return m_before, v_before


@wrong("returned m", "returned v")
def corrected_returned(m_hat, v_hat):
    """What you hand on are the corrected moments. The next step must go on from m and v themselves,
    or the correction is applied again and again."""
    return m_hat, v_hat


@wrong("returned v")
def v_hat_returned(v_hat):
    """What you hand on as v is the corrected second moment. The next step must go on from v itself,
    or the correction is applied again and again."""
    return v_hat


@wrong("returned m")
def m_hat_returned(m_hat):
    """What you hand on as m is the corrected first moment. The next step must go on from m itself,
    or the correction is applied again and again."""
    return m_hat


@wrong("returned v")
def denominator_returned(v_hat, eps):
    """What you leave in v is the whole denominator, corrected, with its root taken and epsilon
    added. The next step must go on from v itself: give the denominator a tensor of its own."""
    return np.sqrt(v_hat) + eps

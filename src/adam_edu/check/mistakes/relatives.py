"""Mistakes in AMSGrad, AdamW and AdaBound."""
# mypy: allow-untyped-defs

import numpy as np

from ...ops import clip, maximum, sqrt
from ..mistake import wrong
from . import bias_correction, moments, returned, steps

# AMSGrad


@wrong("w", "v_hat")
def maximum_of_corrected(w, v, bias2):
    """Your w is the maximum of the corrected moment, as in Optax. The correction is large at first,
    so that the maximum would stay at the first step's. Asked for is Torch's form: the maximum of v,
    corrected afterwards."""
    return maximum(w, v / bias2), maximum(w, v / bias2)


AMSGRAD = (
    *steps.DIRECTION,
    maximum_of_corrected,
    bias_correction.not_corrected.on(v="w"),
    *bias_correction.FIRST_CORRECTION,
    *(mistake.on(v="w") for mistake in bias_correction.SECOND_CORRECTION),
    *bias_correction.COUNTING,
    *steps.DENOMINATOR,
    *moments.FIRST_MOMENT,
    *moments.SECOND_MOMENT,
)

# AdamW


@wrong("g", "decay")
def decay_through_moments(g, x, weight_decay):
    """Your decay is added to the gradient and goes through both moments: that is Adam with an L2
    penalty, where a parameter with large gradients is decayed less. AdamW takes it from x
    itself."""
    return g + weight_decay * x, 0.0


@wrong("g", "decay")
def decay_through_moments_with_lr(g, x, lr, weight_decay):
    """Your decay is added to the gradient and goes through both moments, and the rate with it. Adam
    divides it by the root of v, so that neither has the effect that you want. Take
    lr * weight_decay * x from x itself."""
    return g + lr * weight_decay * x, 0.0


@wrong("x")
def x_times_decay(x, weight_decay, decay, change):
    """You multiply x by weight_decay. What it keeps is 1 - lr * weight_decay."""
    return weight_decay * x + (change + decay)


@wrong("decay")
def decay_of_sign(x, lr, weight_decay):
    """Your decay has the sign of x: that is the gradient of an L1 penalty. Weight decay takes a
    share of x, more from large weights than from small ones."""
    return lr * weight_decay * np.sign(x)


@wrong("decay")
def decay_without_lr(x, weight_decay):
    """Your decay is not multiplied by the learning rate. So it is in the paper, with a schedule in
    its place; asked for is the form that every library has."""
    return weight_decay * x


@wrong("decay")
def decay_divided(x, v_hat, lr, weight_decay, eps):
    """Your decay is divided by the root of v_hat too. That is what AdamW does away with: the decay
    stands beside the adaptive step."""
    return lr * weight_decay * x / (sqrt(v_hat) + eps)


@wrong("decay")
def decay_of_square(x, lr, weight_decay):
    """Your decay has x squared in it. The penalty has the square; its gradient has x."""
    return lr * weight_decay * x * x


@wrong("x")
def decay_after_step(x, decay, change, lr, weight_decay):
    """Your decay acts on x as it is after the step. In Torch, and as asked for here, it acts on x
    as it was before."""
    return (x + change + decay) * (1 - lr * weight_decay)


ADAMW = (
    decay_through_moments,
    decay_through_moments_with_lr,
    x_times_decay,
    decay_of_sign,
    decay_without_lr,
    decay_divided,
    decay_of_square,
    decay_after_step,
    steps.ascent,
    steps.change_returned,
    steps.x_not_changed,
    *bias_correction.TWO_CORRECTIONS,
    *bias_correction.FIRST_CORRECTION,
    *bias_correction.SECOND_CORRECTION,
    *bias_correction.COUNTING,
    *steps.DENOMINATOR,
    moments.betas_swapped,
    *moments.FIRST_MOMENT,
    *moments.SECOND_MOMENT,
    returned.state_not_returned,
)

# AdaBound


@wrong("rate")
def rate_above_only(v_hat, bias1, lr, eps, high):
    """Your rate has no lower bound."""
    return clip(lr / bias1 / (sqrt(v_hat) + eps), 0.0, high)


@wrong("rate")
def rate_below_only(v_hat, bias1, lr, eps, low):
    """Your rate has no upper bound."""
    return maximum(lr / bias1 / (sqrt(v_hat) + eps), low)


@wrong("rate")
def rate_m_not_corrected(v_hat, lr, eps, low, high):
    """The correction of m is missing in your rate: it is lr / (1 - beta1**t) that is divided by the
    root."""
    return clip(lr / (sqrt(v_hat) + eps), low, high)


@wrong("rate")
def rate_over_root_of_t(v_hat, bias1, lr, eps, low, high, t):
    """Your rate is divided by the root of t. The paper's algorithm does that; asked for is the form
    of its authors' code, which does not."""
    return clip(lr / bias1 / (sqrt(v_hat) + eps), low, high) / t**0.5


@wrong("rate")
def rate_with_epsilon_hat(v, bias1, bias2, lr, eps, low, high):
    """Epsilon is added to the root of v before the correction, as in the authors' code to the
    letter. Asked for is the sum with the root of the corrected v_hat."""
    return clip(lr * bias2**0.5 / bias1 / (sqrt(v) + eps), low, high)


@wrong("rate", "change")
def correction_not_clipped(m, v_hat, bias1, lr, eps, low, high):
    """You clip lr divided by the root, and multiply by the corrected m. The correction of m belongs
    to the rate, and is clipped with it; the rate multiplies m as it is."""
    rate = clip(lr / (sqrt(v_hat) + eps), low, high)
    return rate, -rate * m / bias1


@wrong("rate", "change")
def step_clipped(m, v_hat, bias1, lr, eps, low, high):
    """You clip the whole step, with m in it. Its bounds are those of a rate, and positive: no step
    could go the other way. Clip the rate, then multiply by m."""
    step = clip(lr * (m / bias1) / (sqrt(v_hat) + eps), low, high)
    return step, -step


@wrong("change")
def lr_after_clipping(rate, m, lr):
    """Your step multiplies the clipped rate by lr again. It is in there."""
    return -lr * rate * m


@wrong("low", "high")
def bounds_without_t(gamma, final_lr):
    """Your bounds do not depend on t. They close in: gamma stands with t in both."""
    return final_lr * (1 - 1 / (gamma + 1)), final_lr * (1 + 1 / gamma)


@wrong("change")
def clipped_step_corrected_twice(rate, m, bias1):
    """Your step takes the corrected first moment, but the correction is in the rate already."""
    return -rate * m / bias1


ADABOUND = (
    steps.ascent,
    steps.change_returned,
    steps.x_not_changed,
    steps.eps_missing,
    rate_above_only,
    rate_below_only,
    rate_m_not_corrected,
    rate_over_root_of_t,
    rate_with_epsilon_hat,
    correction_not_clipped,
    step_clipped,
    lr_after_clipping,
    bounds_without_t,
    clipped_step_corrected_twice,
    *bias_correction.SECOND_CORRECTION,
    *bias_correction.COUNTING,
    *moments.FIRST_MOMENT,
    *moments.SECOND_MOMENT,
    returned.state_not_returned,
)

"""The exercises that ask for one step of an optimizer. What is right is the package's rule."""

import numpy as np

from ...rules import (
    SGD,
    AdaBound,
    AdaDelta,
    AdaGrad,
    Adam,
    AdaMax,
    AdamW,
    AMSGrad,
    Lion,
    Momentum,
    NAdam,
    Nesterov,
    RMSProp,
)
from ..mistakes import adamax_nadam, buffers, relatives, squares
from ..mistakes.adam import ADAM
from ..mistakes.lion import LION
from ..steps import step_exercise

sgd_step = step_exercise(
    "sgd_step",
    SGD,
    "Write one step of gradient descent. You are given the parameter x and its gradient g; return "
    "the new x.",
    buffers.SGD,
    "gradient-descent",
)
momentum_step = step_exercise(
    "momentum_step",
    Momentum,
    "Write one step of gradient descent with momentum. You are given the parameter x, its gradient "
    "g and the buffer m, a decaying sum of gradients. Return the new x and m.",
    buffers.MOMENTUM,
    "momentum",
)
nesterov_step = step_exercise(
    "nesterov_step",
    Nesterov,
    "Finish the line of Nesterov's step, in the form of the libraries: the gradient is taken at x "
    "itself, and the step is the one that momentum would take next if this gradient held.",
    buffers.NESTEROV,
    "momentum",
    body="m = momentum * m + g\nx = x - lr * ...\nreturn x, m",
)
adagrad_step = step_exercise(
    "adagrad_step",
    AdaGrad,
    "Write one step of AdaGrad. You are given the parameter x, its gradient g and the sum s of the "
    "squared gradients before. Return the new x and s.",
    squares.ADAGRAD,
    "adagrad",
)
rmsprop_step = step_exercise(
    "rmsprop_step",
    RMSProp,
    "Write one step of RMSProp, with epsilon added to the root. You are given the parameter x, its "
    "gradient g and the average v of the squared gradients. Return the new x and v.",
    squares.RMSPROP,
    "rmsprop-adadelta",
)
adadelta_step = step_exercise(
    "adadelta_step",
    AdaDelta,
    "Write one step of AdaDelta, with epsilon inside both roots. You are given the parameter x, "
    "its gradient g, and the averages v of the squared gradients and d of the squared steps before "
    "they are multiplied by lr. Return the new x, v and d.",
    squares.ADADELTA,
    "rmsprop-adadelta",
)
adam_step = step_exercise(
    "adam_step",
    Adam,
    "Write one step of Adam. You are given the parameter x, its gradient g, the moments m and v, "
    "and the number t of the step, 1 for the first. Return the new x, m and v, in this order.",
    ADAM,
    "bias-correction",
)
adamax_step = step_exercise(
    "adamax_step",
    AdaMax,
    "Write one step of AdaMax, with epsilon added to the gradient's size before the maximum is "
    "taken. You are given the parameter x, its gradient g, the moment m, the decaying maximum u "
    "and the step's number t. Return the new x, m and u.",
    adamax_nadam.ADAMAX,
    "adamax-nadam",
)
nadam_step = step_exercise(
    "nadam_step",
    NAdam,
    "Write one step of NAdam, with the mu that warms up: mu_t is beta1 * (1 - 0.5 * 0.96**(t * "
    "momentum_decay)). The products of all mu so far you compute from t. Return the new x, m and "
    "v.",
    adamax_nadam.NADAM,
    "adamax-nadam",
)
amsgrad_step = step_exercise(
    "amsgrad_step",
    AMSGrad,
    "Write one step of AMSGrad in Torch's form: w is the largest v so far, and both it and m are "
    "corrected before they are used. Return the new x, m, v and w.",
    relatives.AMSGRAD,
    "amsgrad",
    # Gradients that become small at once: whether the maximum decays then shows.
    more=(
        np.array(
            [[5.0, -3.0, 4.0, 2.0, 6.0], [0.5, 0.2, -0.3, 0.25, 0.1], [-0.2, 0.4, 0.2, 0.3, -0.4]]
        ),
    ),
)
adamw_step = step_exercise(
    "adamw_step",
    AdamW,
    "Write one step of AdamW from the paper's algorithm 2, with the decay multiplied by the "
    "learning rate, and acting on x as it was before the step. Return the new x, m and v.",
    relatives.ADAMW,
    "adamw",
)
adabound_step = step_exercise(
    "adabound_step",
    AdaBound,
    "Write one step of AdaBound as in its authors' code: the rate lr / (1 - beta1**t) / "
    "(sqrt(v_hat) + eps) is clipped between final_lr * (1 - 1 / (gamma * t + 1)) and final_lr * "
    "(1 + 1 / (gamma * t)), and multiplies m. Return the new x, m and v.",
    relatives.ADABOUND,
    "adabound",
)
lion_step = step_exercise(
    "lion_step",
    Lion,
    "Write one step of Lion. Mix c from m and the gradient with beta1, and the new m with beta2. "
    "Move x by the learning rate against the sign of c, and by the weight decay as AdamW does. "
    "Return the new x and m.",
    LION,
    "after-adam",
    # A large gradient, then smaller ones the other way: what the sign is taken of decides.
    more=(
        np.array(
            [[5.0, 5.0, 5.0, -5.0, 5.0], [-0.5, -1.5, -3.0, 1.5, -1.0], [0.3, -2.0, 4.0, 9.0, 1]]
        ),
    ),
)

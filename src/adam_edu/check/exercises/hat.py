"""The exercise that asks for Adam as Keras and TensorFlow have it."""

from ...forms import EpsilonHat
from ..mistakes.hat import HAT
from ..steps import step_exercise

epsilon_hat_step = step_exercise(
    "epsilon_hat_step",
    EpsilonHat,
    "Write one step of Adam in the form of Keras: eps is added to the root of v as it is, and the "
    "whole correction is in the rate. Return the new x, m and v.",
    HAT,
    "library-adams",
)

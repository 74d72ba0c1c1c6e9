r"""Rules that other libraries run under the names of the course's.

Each is written as the course's own rules are (:class:`~adam_edu.base.Rule`); beside each stands
who computes so. ``words`` says what sets it apart from the rule that it is a form of.
"""
# mypy: allow-untyped-defs

from dataclasses import dataclass
from typing import ClassVar

from .base import Decay, Epsilon, Rate, Rule
from .ops import maximum, sign, sqrt
from .recent_rules import Adan, Yogi
from .rules import (
    AdaGrad,
    Adam,
    AdaMax,
    AMSGrad,
    CenteredRMSProp,
    Momentum,
    RAdam,
    RMSProp,
)


@dataclass(frozen=True)
class EpsilonHat(Adam):
    r"""Adam as Keras and TensorFlow compute it: a constant epsilon, added before the correction.

    .. math::
        m &\leftarrow \beta_1 m + (1 - \beta_1) g \\
        v &\leftarrow \beta_2 v + (1 - \beta_2) g^2 \\
        x &\leftarrow x - \alpha\, \frac{\sqrt{1 - \beta_2^t}}{1 - \beta_1^t}\,
            \frac{m}{\sqrt v + \hat\epsilon}

    It is :class:`~adam_edu.rules.Adam` with an epsilon of
    :math:`\hat\epsilon / \sqrt{1 - \beta_2^t}`: larger at first, the same in the end.

    Source: Kingma and Ba (2015), the last lines of section 2, which do not say whether
    :math:`\hat\epsilon` is constant. The default is Keras's.

    Examples
    --------
    >>> x, m, v = EpsilonHat(lr=1.0, eps=1.0).update(1, 0.0, 1.0, 0.0, 0.0)
    >>> round(x, 4), round(Adam(lr=1.0, eps=1.0).update(1, 0.0, 1.0, 0.0, 0.0)[0], 4)
    (-0.0307, -0.5)
    """

    words: ClassVar[str] = "Adam, epsilon added before the correction (epsilon hat)"
    eps: Epsilon = 1e-7

    def step(self, x, g, m, v, bias1, bias2):
        m = self.beta1 * m + (1 - self.beta1) * g
        v = self.beta2 * v + (1 - self.beta2) * g * g
        rate = self.lr * sqrt(bias2) / bias1
        return -rate * m / (sqrt(v) + self.eps), m, v


@dataclass(frozen=True)
class AdamInsideRoot(Adam):
    """Adam with epsilon inside the root of the corrected v, as VQNet has it."""

    words: ClassVar[str] = "Adam, epsilon inside the root"

    def step(self, x, g, m, v, bias1, bias2):
        m = self.beta1 * m + (1 - self.beta1) * g
        v = self.beta2 * v + (1 - self.beta2) * g * g
        return -self.lr * (m / bias1) / sqrt(v / bias2 + self.eps), m, v


@dataclass(frozen=True)
class AdamInsideRootBefore(Adam):
    """Adam with epsilon inside the root of v before its correction, as Objax has it."""

    words: ClassVar[str] = "Adam, epsilon inside the root, before the correction"

    def step(self, x, g, m, v, bias1, bias2):
        m = self.beta1 * m + (1 - self.beta1) * g
        v = self.beta2 * v + (1 - self.beta2) * g * g
        return -self.lr * sqrt(bias2) / bias1 * m / sqrt(v + self.eps), m, v


@dataclass(frozen=True)
class AdamUncorrectedInsideRoot(Adam):
    """Adam without corrections, epsilon inside the root."""

    words: ClassVar[str] = "Adam without bias correction, epsilon inside the root"

    def step(self, x, g, m, v, bias1, bias2):
        m = self.beta1 * m + (1 - self.beta1) * g
        v = self.beta2 * v + (1 - self.beta2) * g * g
        return -self.lr * m / sqrt(v + self.eps), m, v


@dataclass(frozen=True)
class AdamOnlySecond(Adam):
    """Adam that corrects v alone."""

    words: ClassVar[str] = "Adam, only v corrected"

    def step(self, x, g, m, v, bias1, bias2):
        m = self.beta1 * m + (1 - self.beta1) * g
        v = self.beta2 * v + (1 - self.beta2) * g * g
        return -self.lr * m / (sqrt(v / bias2) + self.eps), m, v


@dataclass(frozen=True)
class AdamOnlyFirst(Adam):
    """Adam that corrects m alone, as the LAMB of pytorch-optimizer does by default."""

    words: ClassVar[str] = "Adam, only m corrected"

    def step(self, x, g, m, v, bias1, bias2):
        m = self.beta1 * m + (1 - self.beta1) * g
        v = self.beta2 * v + (1 - self.beta2) * g * g
        return -self.lr * (m / bias1) / (sqrt(v) + self.eps), m, v


@dataclass(frozen=True)
class AdamClamped(Adam):
    """Adam whose epsilon is the least that the root may be, as HeavyBall has it."""

    words: ClassVar[str] = "Adam, epsilon as the least value of the root"

    def step(self, x, g, m, v, bias1, bias2):
        m = self.beta1 * m + (1 - self.beta1) * g
        v = self.beta2 * v + (1 - self.beta2) * g * g
        return -self.lr * (m / bias1) / maximum(sqrt(v / bias2), self.eps), m, v


@dataclass(frozen=True)
class AdamNesterov(Adam):
    """Adam with Nesterov's look-ahead and no schedule of its momentum: Optax's and MLX's NAdam."""

    words: ClassVar[str] = "NAdam without a schedule of its momentum"

    def scalars(self, t):
        return 1 - self.beta1**t, 1 - self.beta1 ** (t + 1), 1 - self.beta2**t

    def step(self, x, g, m, v, bias1, next1, bias2):
        m = self.beta1 * m + (1 - self.beta1) * g
        v = self.beta2 * v + (1 - self.beta2) * g * g
        ahead = self.beta1 * m / next1 + (1 - self.beta1) * g / bias1
        return -self.lr * ahead / (sqrt(v / bias2) + self.eps), m, v


@dataclass(frozen=True)
class AdamNesterovPlain(Adam):
    """NAdam whose look-ahead is divided by the correction of this step, as River's is."""

    words: ClassVar[str] = "NAdam without a schedule, both halves with this step's correction"

    def step(self, x, g, m, v, bias1, bias2):
        m = self.beta1 * m + (1 - self.beta1) * g
        v = self.beta2 * v + (1 - self.beta2) * g * g
        ahead = (self.beta1 * m + (1 - self.beta1) * g) / bias1
        return -self.lr * ahead / (sqrt(v / bias2) + self.eps), m, v


@dataclass(frozen=True)
class AMSGradOfHat(AMSGrad):
    """AMSGrad that keeps the largest corrected v, as Optax has it: it starts with g squared."""

    words: ClassVar[str] = "AMSGrad, the maximum taken after the correction"

    def step(self, x, g, m, v, w, bias1, bias2):
        m = self.beta1 * m + (1 - self.beta1) * g
        v = self.beta2 * v + (1 - self.beta2) * g * g
        w = maximum(w, v / bias2)
        return -self.lr * (m / bias1) / (sqrt(w) + self.eps), m, v, w


@dataclass(frozen=True)
class AMSGradEpsilonHat(AMSGrad):
    """AMSGrad as Keras, River and Qiskit have it: no correction enters maximum or epsilon."""

    words: ClassVar[str] = "AMSGrad, maximum and epsilon before the correction"

    def step(self, x, g, m, v, w, bias1, bias2):
        m = self.beta1 * m + (1 - self.beta1) * g
        v = self.beta2 * v + (1 - self.beta2) * g * g
        w = maximum(w, v)
        return -self.lr * sqrt(bias2) / bias1 * m / (sqrt(w) + self.eps), m, v, w


@dataclass(frozen=True)
class AdaMaxOutside(AdaMax):
    """AdaMax with epsilon outside the maximum, as Keras and TensorFlow.js have it."""

    words: ClassVar[str] = "AdaMax, epsilon added to the maximum"

    def step(self, x, g, m, u, bias1):
        m = self.beta1 * m + (1 - self.beta1) * g
        u = maximum(self.beta2 * u, abs(g))
        return -self.lr / bias1 * m / (u + self.eps), m, u


@dataclass(frozen=True)
class AdaMaxUncorrected(AdaMax):
    """AdaMax without its correction, as MLX has it."""

    words: ClassVar[str] = "AdaMax without bias correction, epsilon added to the maximum"

    def step(self, x, g, m, u, bias1):
        m = self.beta1 * m + (1 - self.beta1) * g
        u = maximum(self.beta2 * u, abs(g))
        return -self.lr * m / (u + self.eps), m, u


@dataclass(frozen=True)
class AdaMaxGathering(AdaMax):
    """AdaMax whose epsilon is added to the decayed maximum at every step, as Paddle has it: what it
    adds gathers, to epsilon / (1 - beta2)."""

    words: ClassVar[str] = "AdaMax, epsilon added to the decayed maximum, where it gathers"

    def step(self, x, g, m, u, bias1):
        m = self.beta1 * m + (1 - self.beta1) * g
        u = maximum(self.beta2 * u + self.eps, abs(g))
        return -self.lr / bias1 * m / u, m, u


@dataclass(frozen=True)
class RAdamEpsilonHat(RAdam):
    """RAdam with epsilon added before the correction, as Torch has it."""

    words: ClassVar[str] = "RAdam, epsilon added before the correction"

    def step(self, x, g, m, v, bias1, bias2, adaptive, rect):
        m = self.beta1 * m + (1 - self.beta1) * g
        v = self.beta2 * v + (1 - self.beta2) * g * g
        m_hat = m / bias1
        adapted = rect * sqrt(bias2) * m_hat / (sqrt(v) + self.eps)
        return -self.lr * (adapted + (1 - adaptive) * m_hat), m, v


@dataclass(frozen=True)
class RMSPropInsideRoot(RMSProp):
    """RMSProp with epsilon inside the root, as Keras, Optax and Paddle have it."""

    words: ClassVar[str] = "RMSProp, epsilon inside the root"

    def step(self, x, g, v):
        v = self.rho * v + (1 - self.rho) * g * g
        return -self.lr * g / sqrt(v + self.eps), v


@dataclass(frozen=True)
class RMSPropCorrected(RMSProp):
    """RMSProp with bias correction."""

    words: ClassVar[str] = "RMSProp with bias correction"

    def scalars(self, t):
        return (1 - self.rho**t,)

    def step(self, x, g, v, bias):
        v = self.rho * v + (1 - self.rho) * g * g
        return -self.lr * g / (sqrt(v / bias) + self.eps), v


@dataclass(frozen=True)
class RMSPropMomentum(Rule):
    """RMSProp whose steps gather in a buffer, as Torch has it: ``RMSprop(momentum=...)``."""

    words: ClassVar[str] = "RMSProp with momentum"
    lr: Rate = 1e-2
    rho: Decay = 0.99
    eps: Epsilon = 1e-8
    momentum: Decay = 0.9
    slots: ClassVar[tuple[str, ...]] = ("v", "b")

    def step(self, x, g, v, b):
        v = self.rho * v + (1 - self.rho) * g * g
        b = self.momentum * b + g / (sqrt(v) + self.eps)
        return -self.lr * b, v, b


@dataclass(frozen=True)
class RMSPropMomentumInsideRoot(RMSPropMomentum):
    """RMSProp with momentum and epsilon inside the root, as Keras has it."""

    words: ClassVar[str] = "RMSProp with momentum, epsilon inside the root"

    def step(self, x, g, v, b):
        v = self.rho * v + (1 - self.rho) * g * g
        b = self.momentum * b + g / sqrt(v + self.eps)
        return -self.lr * b, v, b


@dataclass(frozen=True)
class CenteredRMSPropInsideRoot(CenteredRMSProp):
    """Centered RMSProp with epsilon inside the root, as Graves, Optax and Keras have it."""

    words: ClassVar[str] = "centered RMSProp, epsilon inside the root"

    def step(self, x, g, m, v):
        m = self.rho * m + (1 - self.rho) * g
        v = self.rho * v + (1 - self.rho) * g * g
        return -self.lr * g / sqrt(maximum(v - m * m, 0.0) + self.eps), m, v


@dataclass(frozen=True)
class CenteredRMSPropMomentum(RMSPropMomentum):
    """Centered RMSProp whose steps gather in a buffer, as Torch has it."""

    words: ClassVar[str] = "centered RMSProp with momentum"
    slots = ("m", "v", "b")

    def step(self, x, g, m, v, b):
        m = self.rho * m + (1 - self.rho) * g
        v = self.rho * v + (1 - self.rho) * g * g
        b = self.momentum * b + g / (sqrt(maximum(v - m * m, 0.0)) + self.eps)
        return -self.lr * b, m, v, b


@dataclass(frozen=True)
class CenteredRMSPropMomentumInsideRoot(CenteredRMSPropMomentum):
    """Centered RMSProp with momentum and epsilon inside the root, as Graves and Keras have it."""

    words: ClassVar[str] = "centered RMSProp with momentum, epsilon inside the root"

    def step(self, x, g, m, v, b):
        m = self.rho * m + (1 - self.rho) * g
        v = self.rho * v + (1 - self.rho) * g * g
        b = self.momentum * b + g / sqrt(maximum(v - m * m, 0.0) + self.eps)
        return -self.lr * b, m, v, b


@dataclass(frozen=True)
class AdaGradInsideRoot(AdaGrad):
    """AdaGrad with epsilon inside the root, as River has it; Keras starts the sum at 0.1."""

    words: ClassVar[str] = "AdaGrad, epsilon inside the root, or a sum that starts at it"

    def step(self, x, g, s):
        s = s + g * g
        return -self.lr * g / sqrt(s + self.eps), s


@dataclass(frozen=True)
class AdaGradStarted(AdaGrad):
    """AdaGrad whose sum does not start at 0, as Torch has it."""

    words: ClassVar[str] = "AdaGrad"
    initial: Epsilon = 0.0

    def init(self, x):
        return (0.0 * x + self.initial,)


@dataclass(frozen=True)
class AdaGradInsideRootStarted(AdaGradStarted):
    """AdaGrad with epsilon inside the root and a sum that starts at 0.1: Keras's and Optax's."""

    words: ClassVar[str] = "AdaGrad, epsilon inside the root"
    eps: Epsilon = 1e-7
    initial: Epsilon = 0.1

    def step(self, x, g, s):
        s = s + g * g
        return -self.lr * g / sqrt(s + self.eps), s


@dataclass(frozen=True)
class YogiCorrected(Yogi):
    """Yogi with bias correction and moments that start at 1e-6, as Optax and torch-optimizer have
    it: with zeros, v would begin at a share of the first squared gradient."""

    words: ClassVar[str] = "Yogi with bias correction, both moments started above 0"
    initial: Epsilon = 1e-6

    def init(self, x):
        return 0.0 * x + self.initial, 0.0 * x + self.initial

    def scalars(self, t):
        return 1 - self.beta1**t, 1 - self.beta2**t

    def step(self, x, g, m, v, bias1, bias2):
        m = self.beta1 * m + (1 - self.beta1) * g
        v = v - (1 - self.beta2) * sign(v - g * g) * g * g
        return -self.lr * (m / bias1) / (sqrt(v / bias2) + self.eps), m, v


@dataclass(frozen=True)
class AdanComplement(Adan):
    """Adan with 1 - beta2 in the place of beta2 where differences are added, and epsilon inside the
    root as well, as Optax has it, whose two epsilons have one default."""

    words: ClassVar[str] = "Adan, differences added times 1 - beta2, epsilon also inside the root"

    def step(self, x, g, m, y, v, p, bias1, bias2, bias3, begun):
        difference = begun * (g - p)
        ahead = g + (1 - self.beta2) * difference
        m = self.beta1 * m + (1 - self.beta1) * g
        y = self.beta2 * y + (1 - self.beta2) * difference
        v = self.beta3 * v + (1 - self.beta3) * ahead * ahead
        along = m / bias1 + (1 - self.beta2) * (y / bias2)
        delta = self.lr * along / (sqrt(v / bias3 + self.eps) + self.eps)
        decay = self.lr * self.weight_decay
        return -(delta + decay * x) / (1 + decay), m, y, v, g


@dataclass(frozen=True)
class MomentumDampened(Momentum):
    """Momentum with dampening, as Torch has it: the first gradient enters the buffer whole."""

    words: ClassVar[str] = "momentum with dampening"
    dampening: Decay = 0.5

    def scalars(self, t):
        return (1 - self.dampening * sign(t - 1),)

    def step(self, x, g, m, weight):
        m = self.momentum * m + weight * g
        return -self.lr * m, m


@dataclass(frozen=True)
class SignDescent(Rule):
    """The sign of the gradient times the rate."""

    words: ClassVar[str] = "sign descent"
    lr: Rate = 1e-3

    def step(self, x, g):
        return (-self.lr * sign(g),)


FORMS: tuple[type[Rule], ...] = (
    EpsilonHat,
    AdamInsideRoot,
    AdamInsideRootBefore,
    AdamUncorrectedInsideRoot,
    AdamOnlySecond,
    AdamOnlyFirst,
    AdamClamped,
    AdamNesterov,
    AdamNesterovPlain,
    AMSGradOfHat,
    AMSGradEpsilonHat,
    AdaMaxOutside,
    AdaMaxUncorrected,
    AdaMaxGathering,
    RAdamEpsilonHat,
    RMSPropInsideRoot,
    RMSPropCorrected,
    RMSPropMomentum,
    RMSPropMomentumInsideRoot,
    CenteredRMSPropInsideRoot,
    CenteredRMSPropMomentum,
    CenteredRMSPropMomentumInsideRoot,
    AdaGradInsideRoot,
    YogiCorrected,
    AdanComplement,
    MomentumDampened,
    SignDescent,
)

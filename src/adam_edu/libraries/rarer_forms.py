"""Rarer forms of the course's rules, as single libraries have them.

They are written as :mod:`adam_edu.forms` writes its own, and by them :func:`identify` knows what is
in the atlas. No page of an exercise loads this file.
"""
# mypy: allow-untyped-defs

from dataclasses import dataclass
from typing import ClassVar

from ..base import Decay, Epsilon, Rate, Rule
from ..forms import EpsilonHat
from ..ops import clip, maximum, sign, sqrt
from ..recent_rules import ADOPT, Adan, AdEMAMix
from ..rules import AdaBound, AdaGrad, Adam, NAdam, RAdam, RMSProp, ScheduleFreeAdamW

# Where an average starts, and when a step counts


@dataclass(frozen=True)
class RMSPropStarted(RMSProp):
    """RMSProp whose average starts at 1, as Autograd and quimb have it: small gradients make small
    first steps."""

    words: ClassVar[str] = "RMSProp, its average started above 0"
    lr: Rate = 0.1
    rho: Decay = 0.9
    initial: Epsilon = 1.0

    def init(self, x):
        return (0.0 * x + self.initial,)


@dataclass(frozen=True)
class RMSPropInsideRootStarted(RMSPropStarted):
    """RMSProp whose average starts at 1, epsilon inside the root: Climin, TensorFlow 1,
    MindSpore."""

    words: ClassVar[str] = "RMSProp, epsilon inside the root, its average started above 0"
    eps: Epsilon = 1e-10

    def step(self, x, g, v):
        v = self.rho * v + (1 - self.rho) * g * g
        return -self.lr * g / sqrt(v + self.eps), v


@dataclass(frozen=True)
class AdamLate(Adam):
    """Adam that moves by the moments of the step before, as the biases of brain.js do: the first
    step is 0."""

    words: ClassVar[str] = "Adam, a step late: it moves by the moments before the gradient"

    def scalars(self, t):
        return 1 - self.beta1**t, 1 - self.beta2**t

    def step(self, x, g, m, v, bias1, bias2):
        change = -self.lr * (m / bias1) / (sqrt(v / bias2) + self.eps)
        m = self.beta1 * m + (1 - self.beta1) * g
        v = self.beta2 * v + (1 - self.beta2) * g * g
        return change, m, v


@dataclass(frozen=True)
class EpsilonHatFromZero(EpsilonHat):
    """Adam with epsilon hat that counts steps from 0 and corrects nothing at 0, as ONNX has it."""

    words: ClassVar[str] = "Adam, epsilon hat, its steps counted from 0, the first not corrected"

    def scalars(self, t):
        begun = sign(t - 1)
        return 1 - begun * self.beta1 ** (t - 1), 1 - begun * self.beta2 ** (t - 1)


@dataclass(frozen=True)
class AdaGradWindow(AdaGrad):
    """AdaGrad that sums the last ten squares alone, as PyMC's ``adagrad_window`` does."""

    words: ClassVar[str] = "AdaGrad over the last ten gradients, epsilon inside the root"
    lr: Rate = 1e-3
    eps: Epsilon = 0.1
    slots = ("a", "b", "c", "d", "e", "f", "h", "k", "n")  # type: ignore[assignment]

    def step(self, x, g, a, b, c, d, e, f, h, k, n):
        s = g * g
        total = s + a + b + c + d + e + f + h + k + n
        return -self.lr * g / sqrt(total + self.eps), s, a, b, c, d, e, f, h, k


# A bound, and what is added where


@dataclass(frozen=True)
class AdaBoundEpsilonHat(AdaBound):
    """AdaBound with epsilon added before the correction, as its authors' code, Chainer, River and
    torch-optimizer have it."""

    words: ClassVar[str] = "AdaBound, epsilon added before the correction"

    def step(self, x, g, m, v, bias1, bias2, low, high):
        m = self.beta1 * m + (1 - self.beta1) * g
        v = self.beta2 * v + (1 - self.beta2) * g * g
        rate = clip(self.lr * sqrt(bias2) / bias1 / (sqrt(v) + self.eps), low, high)
        return -rate * m, m, v


@dataclass(frozen=True)
class AMSBound(AdaBound):
    """AdaBound that divides by the largest v so far, as its authors' code and Chainer have it.

    Source: Luo, Xiong, Liu and Sun (2019), algorithm 3.
    """

    words: ClassVar[str] = "AMSBound, maximum and epsilon before the correction"
    slots = ("m", "v", "w")  # type: ignore[assignment]

    def step(self, x, g, m, v, w, bias1, bias2, low, high):
        m = self.beta1 * m + (1 - self.beta1) * g
        v = self.beta2 * v + (1 - self.beta2) * g * g
        w = maximum(w, v)
        rate = clip(self.lr * sqrt(bias2) / bias1 / (sqrt(w) + self.eps), low, high)
        return -rate * m, m, v, w


@dataclass(frozen=True)
class AMSBoundWidening(AMSBound):
    """AMSBound without bias correction whose upper bound is multiplied by t where the paper divides
    by it, as NNabla has it: its band widens instead of closing in."""

    words: ClassVar[str] = "AMSBound without bias correction, its upper bound rising with t"

    def scalars(self, t):
        low = self.final_lr * (1 - 1 / (self.gamma * t + 1))
        return low, self.final_lr * (1 + t / self.gamma)

    def step(self, x, g, m, v, w, low, high):
        m = self.beta1 * m + (1 - self.beta1) * g
        v = self.beta2 * v + (1 - self.beta2) * g * g
        w = maximum(w, v)
        rate = clip(self.lr / (sqrt(w) + self.eps), low, high)
        return -rate * m, m, v, w


@dataclass(frozen=True)
class AdaBeliefRectified(RAdam):
    """AdaBelief with RAdam's warm-up, epsilon in s, where it gathers, and before the correction:
    what adabelief-pytorch does by default."""

    words: ClassVar[str] = "AdaBelief rectified as RAdam is, epsilon gathering in s"
    eps: Epsilon = 1e-16
    slots = ("m", "s")

    def step(self, x, g, m, s, bias1, bias2, adaptive, rect):
        m = self.beta1 * m + (1 - self.beta1) * g
        s = self.beta2 * s + (1 - self.beta2) * (g - m) * (g - m) + self.eps
        adapted = rect * sqrt(bias2) / (sqrt(s) + self.eps)
        return -self.lr * (m / bias1) * (1 - adaptive + adapted), m, s


@dataclass(frozen=True)
class AMSBeliefRectified(AdaBeliefRectified):
    """AdaBelief with AMSGrad's maximum and RAdam's warm-up, at rest until it divides: what labml-nn
    does by default, whose AdaBelief hands its parent one argument too few."""

    words: ClassVar[str] = "AdaBelief rectified as RAdam is, by the largest s, at rest at first"
    slots = ("m", "s", "w")  # type: ignore[assignment]

    def step(self, x, g, m, s, w, bias1, bias2, adaptive, rect):
        m = self.beta1 * m + (1 - self.beta1) * g
        s = self.beta2 * s + (1 - self.beta2) * (g - m) * (g - m)
        w = maximum(w, s)
        adapted = rect / (sqrt((w + self.eps) / bias2) + self.eps)
        return -self.lr * (m / bias1) * adapted, m, s, w


@dataclass(frozen=True)
class RAdamFour(RAdam):
    """RAdam that divides from four gradients' worth on, as the paper's algorithm 2 and neuralnetlib
    have it."""

    words: ClassVar[str] = "RAdam, divided from the fifth step on (rho above 4)"

    def scalars(self, t):
        bias2 = 1 - self.beta2**t
        rho_inf = maximum(2 / (1 - self.beta2) - 1, 5.0)
        rho_t = rho_inf - 2 * t * self.beta2**t / bias2
        adaptive = maximum(sign(rho_t - 4), 0.0)
        square = (rho_t - 4) * (rho_t - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho_t)
        rect = adaptive * sqrt(maximum(square, 0.0))
        return 1 - self.beta1**t, bias2, adaptive, rect


@dataclass(frozen=True)
class AdanLate(Adan):
    """Adan whose first gradient fills nothing but the memory of it, as adan-pytorch has it: no
    moment takes it, and the first step is 0."""

    words: ClassVar[str] = "Adan, its first gradient left out of the moments"

    def step(self, x, g, m, y, v, p, bias1, bias2, bias3, begun):
        difference = g - p
        ahead = begun * (g + self.beta2 * difference)
        m = self.beta1 * m + (1 - self.beta1) * begun * g
        y = self.beta2 * y + (1 - self.beta2) * begun * difference
        v = self.beta3 * v + (1 - self.beta3) * ahead * ahead
        delta = self.lr * (m / bias1 + self.beta2 * (y / bias2)) / (sqrt(v / bias3) + self.eps)
        decay = self.lr * self.weight_decay
        return -(delta + decay * x) / (1 + decay), m, y, v, g


@dataclass(frozen=True)
class AdanFromZero(Adan):
    """Adan that takes the gradient before the first one for 0, as evosax has it: the first
    difference is the first gradient."""

    words: ClassVar[str] = "Adan, the gradient before the first taken for 0"

    def step(self, x, g, m, y, v, p, bias1, bias2, bias3, begun):
        difference = g - p
        ahead = g + self.beta2 * difference
        m = self.beta1 * m + (1 - self.beta1) * g
        y = self.beta2 * y + (1 - self.beta2) * difference
        v = self.beta3 * v + (1 - self.beta3) * ahead * ahead
        delta = self.lr * (m / bias1 + self.beta2 * (y / bias2)) / (sqrt(v / bias3) + self.eps)
        decay = self.lr * self.weight_decay
        return -(delta + decay * x) / (1 + decay), m, y, v, g


# HeavyBall, whose epsilon is the least that a root may be


@dataclass(frozen=True)
class NAdamClamped(NAdam):
    """NAdam whose epsilon is the least that the root may be, as HeavyBall has it."""

    words: ClassVar[str] = "NAdam, epsilon as the least value of the root"

    def step(self, x, g, m, v, weight_m, weight_g, bias2):
        m = self.beta1 * m + (1 - self.beta1) * g
        v = self.beta2 * v + (1 - self.beta2) * g * g
        ahead = weight_m * m + weight_g * g
        return -self.lr * ahead / maximum(sqrt(v / bias2), self.eps), m, v


@dataclass(frozen=True)
class RMSPropCorrectedClamped(RMSProp):
    """RMSProp with bias correction, epsilon as the least that the root may be: HeavyBall's."""

    words: ClassVar[str] = "RMSProp with bias correction, epsilon as the least value of the root"

    def scalars(self, t):
        return (1 - self.rho**t,)

    def step(self, x, g, v, bias):
        v = self.rho * v + (1 - self.rho) * g * g
        return -self.lr * g / maximum(sqrt(v / bias), self.eps), v


@dataclass(frozen=True)
class ADOPTCorrected(ADOPT):
    """ADOPT with bias correction of both averages and without its clipping, as HeavyBall has it."""

    words: ClassVar[str] = "ADOPT with bias correction, not clipped"
    lr: Rate = 2.5e-3
    beta2: Decay = 0.99
    eps: Epsilon = 1e-8

    def scalars(self, t):
        begun = sign(t - 1)
        bias1 = 1 - begun * self.beta1 ** (t - 1)
        return begun, bias1, 1 - begun * self.beta2 ** (t - 1)

    def step(self, x, g, m, v, begun, bias1, bias2):
        scaled = begun * g / maximum(sqrt(v / bias2), self.eps)
        m = self.beta1 * m + (1 - self.beta1) * scaled
        v = self.beta2 * v + (1 - self.beta2) * g * g
        return -self.lr * m / bias1, m, v


@dataclass(frozen=True)
class LaPropClamped(Adam):
    """LaProp, Adam that divides first and averages then, with epsilon as the least that the root
    may be, as HeavyBall has it.

    Source: Ziyin, Wang and Ueda (2020), arXiv 2002.04839, algorithm 1, where epsilon is added.
    """

    words: ClassVar[str] = "LaProp, epsilon as the least value of the root"

    def step(self, x, g, m, v, bias1, bias2):
        v = self.beta2 * v + (1 - self.beta2) * g * g
        m = self.beta1 * m + (1 - self.beta1) * g / maximum(sqrt(v / bias2), self.eps)
        return -self.lr * m / bias1, m, v


@dataclass(frozen=True)
class AdEMAMixClamped(AdEMAMix):
    """AdEMAMix whose epsilon is the least that the root may be, as HeavyBall has it."""

    words: ClassVar[str] = "AdEMAMix, epsilon as the least value of the root"

    def step(self, x, g, m, v, m2, bias1, bias2):
        m = self.beta1 * m + (1 - self.beta1) * g
        v = self.beta2 * v + (1 - self.beta2) * g * g
        m2 = self.beta3 * m2 + (1 - self.beta3) * g
        along = (m / bias1 + self.mix * m2) / maximum(sqrt(v / bias2), self.eps)
        return -self.lr * (self.weight_decay * x + along), m, v, m2


@dataclass(frozen=True)
class ScheduleFreeAdamWClamped(ScheduleFreeAdamW):
    """Schedule-free AdamW whose epsilon is the least that the root may be, as HeavyBall has it."""

    words: ClassVar[str] = "ScheduleFreeAdamW, epsilon as the least value of the root"

    def step(self, x, g, z, v, bias2, share):
        v = self.beta2 * v + (1 - self.beta2) * g * g
        scaled = g / maximum(sqrt(v / bias2), self.eps)
        delta = self.lr * (scaled + self.weight_decay * x)
        z = z - delta
        change = self.beta1 * share * z - (1 - self.beta1) * delta
        return change, (1 - share) * z, v


@dataclass(frozen=True)
class ScheduleFreeRAdam(ScheduleFreeAdamW):
    """Schedule-free AdamW at the rates of RAdam's warm-up, by which its average is weighted, too;
    at rest until it can divide: what schedulefree calls RAdam."""

    words: ClassVar[str] = "schedule-free RAdam, at rest until it divides"
    slots = ("z", "v", "w")  # type: ignore[assignment]

    def scalars(self, t):
        bias2 = 1 - self.beta2**t
        rho_inf = maximum(2 / (1 - self.beta2) - 1, 5.0)
        rho_t = rho_inf - 2 * t * self.beta2**t / bias2
        square = (rho_t - 4) * (rho_t - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho_t)
        return bias2, maximum(sign(rho_t - 4), 0.0) * sqrt(maximum(square, 0.0))

    def step(self, x, g, z, v, w, bias2, rect):
        v = self.beta2 * v + (1 - self.beta2) * g * g
        w = w + rect * rect
        share = rect * rect / maximum(w, 1e-300)
        delta = rect * self.lr * (g / (sqrt(v / bias2) + self.eps) + self.weight_decay * x)
        z = z - delta
        change = self.beta1 * share * z - (1 - self.beta1) * delta
        return change, (1 - share) * z, v, w


RARER: tuple[type[Rule], ...] = (
    RMSPropStarted,
    RMSPropInsideRootStarted,
    AdamLate,
    EpsilonHatFromZero,
    AdaGradWindow,
    AdaBoundEpsilonHat,
    AMSBound,
    AMSBoundWidening,
    AdaBeliefRectified,
    AMSBeliefRectified,
    RAdamFour,
    AdanLate,
    AdanFromZero,
    NAdamClamped,
    RMSPropCorrectedClamped,
    ADOPTCorrected,
    LaPropClamped,
    AdEMAMixClamped,
    ScheduleFreeAdamWClamped,
    ScheduleFreeRAdam,
)

"""Rules that other libraries run and the course does not tell of, and rarer forms of its own.

They are written as :mod:`adam_edu.forms` writes its own, and by them :func:`identify` knows what is
in the atlas. No page of an exercise loads this file.
"""
# mypy: allow-untyped-defs

from dataclasses import dataclass
from typing import ClassVar

from ..base import Decay, Epsilon, Mixture, Rate, Rule, Speed
from ..forms import FORMS as FORMS_OF_THE_COURSE, EpsilonHat
from ..ops import clip, maximum, sign, sqrt
from ..recent_rules import ADOPT, Adan, AdEMAMix
from ..rules import (
    AdaBound,
    AdaGrad,
    Adam,
    NAdam,
    RAdam,
    RMSProp,
    ScheduleFreeAdamW,
)

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


@dataclass(frozen=True)
class GradientAndAverage(Rule):
    """The gradient and its average, added: what HeavyBall's Muon makes of a vector, since it
    orthogonalizes matrices alone."""

    words: ClassVar[str] = "the gradient and its average, added"
    lr: Rate = 2.5e-3
    beta: Decay = 0.9
    slots: ClassVar[tuple[str, ...]] = ("m",)

    def step(self, x, g, m):
        m = self.beta * m + (1 - self.beta) * g
        return -self.lr * (g + m), m


# Rules by their papers


@dataclass(frozen=True)
class Rprop(Rule):
    """A rate for each weight, longer where the gradient keeps its sign and shorter where it turns:
    a weight whose gradient turns stands still in that step. PyTorch, Paddle and MindSpore have it.

    Source: Riedmiller and Braun (1993), in the form of Igel and Huesken (2000), iRprop-.
    """

    words: ClassVar[str] = "Rprop"
    lr: Rate = 1e-2
    down: Decay = 0.5
    up: Speed = 1.2
    least: Epsilon = 1e-6
    most: Speed = 50.0
    slots: ClassVar[tuple[str, ...]] = ("rate", "p")

    def init(self, x):
        return 0.0 * x + self.lr, 0.0 * x

    def step(self, x, g, rate, p):
        agreed = sign(g) * sign(p)
        kept = 1 - maximum(-agreed, 0.0)
        factor = 1 + maximum(agreed, 0.0) * (self.up - 1) - (1 - kept) * (1 - self.down)
        rate = clip(rate * factor, self.least, self.most)
        g = kept * g
        return -rate * sign(g), rate, g


@dataclass(frozen=True)
class RpropLate(Rprop):
    """Rprop that moves by the step that the gradient before it asked for, as Optax has it: its
    first step is 0."""

    words: ClassVar[str] = "Rprop, a step late: it moves by what the gradient before asked for"
    lr: Rate = 1e-3

    def step(self, x, g, rate, p):
        agreed = sign(g) * sign(p)
        kept = 1 - maximum(-agreed, 0.0)
        factor = 1 + maximum(agreed, 0.0) * (self.up - 1) - (1 - kept) * (1 - self.down)
        rate = clip(rate * factor, self.least, self.most)
        return -kept * p, rate, kept * rate * sign(g)


@dataclass(frozen=True)
class FTRL(Rule):
    """Follow the regularized leader, as Keras and TensorFlow have it: the weight is computed anew
    in each step, from sums alone, so that it forgets where it started.

    Source: McMahan et al. (2013), algorithm 1, with a sum of squares that starts at 0.1.
    """

    words: ClassVar[str] = "FTRL"
    lr: Rate = 1e-3
    initial: Epsilon = 0.1
    slots: ClassVar[tuple[str, ...]] = ("n", "z")

    def init(self, x):
        return 0.0 * x + self.initial, 0.0 * x

    def step(self, x, g, n, z):
        root = sqrt(n + g * g)
        z = z + g - (root - sqrt(n)) / self.lr * x
        return -self.lr * z / root - x, n + g * g, z


@dataclass(frozen=True)
class FTRLProximal(Rule):
    """Follow the regularized leader with a threshold below which a weight is 0, as MXNet has it.

    Source: McMahan et al. (2013), algorithm 1; ``base`` here is their beta, and alpha lambda_2.
    """

    words: ClassVar[str] = "FTRL with a threshold"
    lr: Rate = 0.1
    base: Speed = 1.0
    threshold: Epsilon = 0.01
    slots: ClassVar[tuple[str, ...]] = ("n", "z")

    def step(self, x, g, n, z):
        root = sqrt(n + g * g)
        z = z + g - (root - sqrt(n)) / self.lr * x
        shrunk = sign(z) * maximum(abs(z) - self.threshold, 0.0)
        return -self.lr * shrunk / (self.base + root) - x, n + g * g, z


@dataclass(frozen=True)
class FTRLLate(Rule):
    """Follow the regularized leader a gradient late, as River has it: a weight is computed of the
    sums, and then the gradient is added to them."""

    words: ClassVar[str] = "FTRL, a step late: it moves by the sums before the gradient"
    lr: Rate = 0.05
    base: Speed = 1.0
    slots: ClassVar[tuple[str, ...]] = ("n", "z")

    def step(self, x, g, n, z):
        told = abs(sign(z))
        change = told * (-self.lr * z / (self.base + sqrt(n)) - x)
        z = z + g - (sqrt(n + g * g) - sqrt(n)) / self.lr * (x + change)
        return change, n + g * g, z


@dataclass(frozen=True)
class FTML(Rule):
    """Follow the moving leader, as MXNet has it.

    Source: Zheng and Kwok (2017), algorithm 1.
    """

    words: ClassVar[str] = "FTML"
    lr: Rate = 2.5e-3
    beta1: Decay = 0.6
    beta2: Decay = 0.999
    eps: Epsilon = 1e-8
    slots: ClassVar[tuple[str, ...]] = ("v", "d", "z")

    def scalars(self, t):
        return 1 - self.beta1**t, 1 - self.beta2**t

    def step(self, x, g, v, d, z, bias1, bias2):
        v = self.beta2 * v + (1 - self.beta2) * g * g
        now = bias1 / self.lr * (sqrt(v / bias2) + self.eps)
        z = self.beta1 * z + (1 - self.beta1) * g - (now - self.beta1 * d) * x
        return -z / now - x, v, now, z


@dataclass(frozen=True)
class SMORMS3(Rule):
    """Squared mean over root mean squared cubed, as Chainer has it: each weight's memory is as long
    as its gradient is steady.

    Source: Funk (2015), "RMSprop loses to SMORMS3".
    """

    words: ClassVar[str] = "SMORMS3"
    lr: Rate = 1e-3
    eps: Epsilon = 1e-16
    slots: ClassVar[tuple[str, ...]] = ("memory", "m", "v")

    def init(self, x):
        return 0.0 * x + 1.0, 0.0 * x, 0.0 * x

    def step(self, x, g, memory, m, v):
        share = 1 / (memory + 1)
        m = (1 - share) * m + share * g
        v = (1 - share) * v + share * g * g
        steady = m * m / (v + self.eps)
        memory = 1 + memory * (1 - steady)
        rate = clip(steady, 0.0, self.lr)
        return -rate * g / (sqrt(v) + self.eps), memory, m, v


@dataclass(frozen=True)
class DiffGrad(Adam):
    """Adam with epsilon hat whose step is shorter where the gradient changes little: multiplied by
    the logistic function of that change, which is a half at least. torch-optimizer has it.

    Source: Dubey et al. (2020), equations 3 to 6.
    """

    words: ClassVar[str] = "DiffGrad, epsilon added before the correction"
    slots = ("m", "v", "p")  # type: ignore[assignment]

    def step(self, x, g, m, v, p, bias1, bias2):
        m = self.beta1 * m + (1 - self.beta1) * g
        v = self.beta2 * v + (1 - self.beta2) * g * g
        friction = 1 / (1 + 2.718281828459045 ** (-abs(p - g)))
        rate = self.lr * sqrt(bias2) / bias1
        return -rate * friction * m / (sqrt(v) + self.eps), m, v, g


@dataclass(frozen=True)
class QHAdam(Adam):
    """Adam with a share of the gradient beside its average, as fastai has it.

    Source: Ma and Yarats (2019), section 4, with their second share, of the square, at its default
    of 1: none.
    """

    words: ClassVar[str] = "QHAdam"
    nu: Mixture = 0.7

    def step(self, x, g, m, v, bias1, bias2):
        m = self.beta1 * m + (1 - self.beta1) * g
        v = self.beta2 * v + (1 - self.beta2) * g * g
        along = (1 - self.nu) * g + self.nu * (m / bias1)
        return -self.lr * along / (sqrt(v / bias2) + self.eps), m, v


@dataclass(frozen=True)
class MADGRAD(Rule):
    """Dual averaging with the cube root of a sum of squares, and momentum: the authors' code, which
    adds epsilon to the rate as well.

    Source: Defazio and Jelassi (2022), algorithm 1.
    """

    words: ClassVar[str] = "MADGRAD"
    lr: Rate = 1e-2
    momentum: Decay = 0.9
    eps: Epsilon = 1e-6
    slots: ClassVar[tuple[str, ...]] = ("s", "v", "begin")

    def init(self, x):
        return 0.0 * x, 0.0 * x, 1.0 * x

    def scalars(self, t):
        return ((self.lr + self.eps) * sqrt(t),)

    def step(self, x, g, s, v, begin, weight):
        s = s + weight * g
        v = v + weight * g * g
        z = begin - s / (v ** (1 / 3) + self.eps)
        return (1 - self.momentum) * (z - x), s, v, begin


@dataclass(frozen=True)
class MirrorMADGRAD(Rule):
    """MADGRAD by mirror descent instead of dual averaging and without an epsilon, which is 0 by
    default in its authors' code; there, a weight that has had no gradient stands still."""

    words: ClassVar[str] = "MirrorMADGRAD"
    lr: Rate = 1e-2
    momentum: Decay = 0.9
    slots: ClassVar[tuple[str, ...]] = ("v", "z")

    def init(self, x):
        return 0.0 * x, 1.0 * x

    def scalars(self, t):
        return sqrt((t - 1) / t), self.lr * t ** (1 / 3)

    def step(self, x, g, v, z, kept, rate):
        v = kept * v + g * g
        z = z - rate * g / maximum(v ** (1 / 3), 1e-100)
        return (1 - self.momentum) * (z - x), v, z


@dataclass(frozen=True)
class StepsOfADVI(Rule):
    """The steps of automatic differentiation variational inference, as Pyro has them: an average
    of squares that starts at the first, a rate that falls with the root of t, and 1 in the place of
    an epsilon.

    Source: Kucukelbir, Tran, Ranganath, Gelman and Blei (2017), equations 10 and 11.
    """

    words: ClassVar[str] = "the steps of ADVI: RMSProp's by a rate of 1 over the root of t"
    lr: Rate = 1.0
    rho: Decay = 0.9
    tau: Epsilon = 1.0
    slots: ClassVar[tuple[str, ...]] = ("v",)

    def scalars(self, t):
        return self.lr / sqrt(t), self.rho * sign(t - 1)

    def step(self, x, g, v, rate, kept):
        v = kept * v + (1 - kept) * g * g
        return -rate * g / (self.tau + sqrt(v)), v


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


RARER: tuple[type[Rule], ...] = (
    RMSPropStarted,
    RMSPropInsideRootStarted,
    AdamLate,
    EpsilonHatFromZero,
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
    GradientAndAverage,
    Rprop,
    RpropLate,
    FTRL,
    FTRLProximal,
    FTRLLate,
    FTML,
    SMORMS3,
    DiffGrad,
    QHAdam,
    MADGRAD,
    MirrorMADGRAD,
    StepsOfADVI,
    AdaGradWindow,
)
FORMS: tuple[type[Rule], ...] = (*FORMS_OF_THE_COURSE, *RARER)

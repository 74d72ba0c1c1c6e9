"""Rules that other libraries run and the course does not tell of, mostly by their papers.

By them, and by the forms of the course's own rules, :func:`identify` knows what is in the atlas. No
page of an exercise loads this file.
"""
# mypy: allow-untyped-defs

from dataclasses import dataclass
from typing import ClassVar

from ..base import Decay, Epsilon, Mixture, Rate, Rule, Speed
from ..forms import FORMS as FORMS_OF_THE_COURSE
from ..ops import clip, maximum, sign, sqrt
from ..rules import Adam
from .rarer_forms import RARER


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


FORMS: tuple[type[Rule], ...] = (
    *FORMS_OF_THE_COURSE,
    *RARER,
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
)

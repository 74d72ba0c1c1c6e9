r"""The algorithms that came after AdamW and change a line or two of Adam.

Each is a rule like those of :mod:`adam_edu.rules`, with the same letters, and can be read alone.
Which of them descends from which is in :mod:`adam_edu.family`.
"""

from dataclasses import dataclass

from .base import Decay, Epsilon, Mixture, Rate, Rule, Strength
from .ops import clip, maximum, sign, sqrt


@dataclass(frozen=True)
class Yogi(Rule):
    r"""Adam whose second moment moves by a share of the squared gradient, up or down.

    .. math::
        m &\leftarrow \beta_1 m + (1 - \beta_1) g \\
        v &\leftarrow v - (1 - \beta_2) \operatorname{sign}(v - g^2)\, g^2 \\
        x &\leftarrow x - \frac{\alpha m}{\sqrt v + \epsilon}

    Where gradients become small, Adam's :math:`v` falls by a share of itself, this one by a share
    of the small :math:`g^2`: the steps grow more slowly.

    Source: Zaheer, Reddi, Sachan, Kale and Kumar (2018), algorithm 2, with the rate and the large
    epsilon that they recommend. It has no bias correction. Optax corrects both moments and starts
    them at 1e-6.

    Chapter: The family tree.

    Examples
    --------
    >>> x, m, v = Yogi(lr=0.1, eps=0.0).update(1, 1.0, -3.0, 0.0, 0.0)
    >>> round(x, 6), round(m, 6), round(v, 6)
    (1.316228, -0.3, 0.009)
    """

    lr: Rate = 1e-2
    beta1: Decay = 0.9
    beta2: Decay = 0.999
    eps: Epsilon = 1e-3
    slots = ("m", "v")

    def step(self, x, g, m, v):
        m = self.beta1 * m + (1 - self.beta1) * g
        v = v - (1 - self.beta2) * sign(v - g * g) * g * g
        return -self.lr * m / (sqrt(v) + self.eps), m, v


@dataclass(frozen=True)
class AdaBelief(Rule):
    r"""Adam that divides by how far the gradient is from its average, not by its size.

    .. math::
        m &\leftarrow \beta_1 m + (1 - \beta_1) g \\
        s &\leftarrow \beta_2 s + (1 - \beta_2) (g - m)^2 + \epsilon \\
        \hat m &= \frac{m}{1 - \beta_1^t} \qquad \hat s = \frac{s}{1 - \beta_2^t} \\
        x &\leftarrow x - \frac{\alpha \hat m}{\sqrt{\hat s} + \epsilon}

    A steady gradient is one to believe, and its steps are long. The :math:`\epsilon` in the second
    line is added at every step and gathers: under the root it is worth
    :math:`\epsilon / (1 - \beta_2)`, which is 1e-5 with the defaults.

    Source: Zhuang et al. (2020), algorithm 2, with the paper's defaults. The authors' code and
    Optax have an epsilon of 1e-16; the authors' code rectifies as
    :class:`~adam_edu.rules.RAdam` does unless told otherwise.

    Chapter: The family tree.

    Examples
    --------
    >>> x, m, s = AdaBelief(lr=0.1, eps=0.0).update(1, 1.0, -3.0, 0.0, 0.0)
    >>> round(x, 6), round(m, 6), round(s, 6)
    (1.111111, -0.3, 0.00729)
    """

    lr: Rate = 1e-3
    beta1: Decay = 0.9
    beta2: Decay = 0.999
    eps: Epsilon = 1e-8
    slots = ("m", "s")

    def scalars(self, t):
        return 1 - self.beta1**t, 1 - self.beta2**t

    def step(self, x, g, m, s, bias1, bias2):
        m = self.beta1 * m + (1 - self.beta1) * g
        s = self.beta2 * s + (1 - self.beta2) * (g - m) * (g - m) + self.eps
        m_hat = m / bias1
        s_hat = s / bias2
        return -self.lr * m_hat / (sqrt(s_hat) + self.eps), m, s


@dataclass(frozen=True)
class Adan(Rule):
    r"""Adam with Nesterov's look ahead, made of an average of the gradient's differences.

    .. math::
        b_t &= \operatorname{sign}(t - 1) \\
        d &= b_t (g - p) \\
        u &= g + \beta_2 d \\
        m &\leftarrow \beta_1 m + (1 - \beta_1) g \\
        y &\leftarrow \beta_2 y + (1 - \beta_2) d \\
        v &\leftarrow \beta_3 v + (1 - \beta_3) u^2 \\
        \hat m &= \frac{m}{1 - \beta_1^t} \qquad \hat y = \frac{y}{1 - \beta_2^t} \qquad
            \hat v = \frac{v}{1 - \beta_3^t} \\
        x &\leftarrow \frac{1}{1 + \alpha \lambda} \left(x -
            \frac{\alpha (\hat m + \beta_2 \hat y)}{\sqrt{\hat v} + \epsilon}\right) \\
        p &\leftarrow g

    :math:`p` is the gradient of the step before, and :math:`b_t` is 0 in the first step, which has
    none. Its four slots are twice Adam's.

    Source: Xie et al. (2022), algorithm 1, whose betas are 1 minus these, and whose v and n are y
    and v here. The bias correction and the default betas are those of the authors' code, which has
    a decay of 0; the 0.02 here is that of their runs on images. Optax has :math:`1 - \beta_2` in
    place of :math:`\beta_2` in :math:`u` and in the step.

    Chapter: The family tree.

    Examples
    --------
    >>> rule = Adan(lr=0.1, weight_decay=0.0)
    >>> x, m, y, v, p = rule.update(1, 1.0, -3.0, *rule.init(1.0))
    >>> round(x, 6), round(m, 6), y, round(v, 6), p
    (1.1, -0.06, 0.0, 0.09, -3.0)
    """

    lr: Rate = 1e-3
    beta1: Decay = 0.98
    beta2: Decay = 0.92
    beta3: Decay = 0.99
    eps: Epsilon = 1e-8
    weight_decay: Strength = 2e-2
    slots = ("m", "y", "v", "p")

    def scalars(self, t):
        return 1 - self.beta1**t, 1 - self.beta2**t, 1 - self.beta3**t, sign(t - 1)

    def step(self, x, g, m, y, v, p, bias1, bias2, bias3, begun):
        difference = begun * (g - p)
        ahead = g + self.beta2 * difference
        m = self.beta1 * m + (1 - self.beta1) * g
        y = self.beta2 * y + (1 - self.beta2) * difference
        v = self.beta3 * v + (1 - self.beta3) * ahead * ahead
        m_hat = m / bias1
        y_hat = y / bias2
        v_hat = v / bias3
        delta = self.lr * (m_hat + self.beta2 * y_hat) / (sqrt(v_hat) + self.eps)
        decay = self.lr * self.weight_decay
        return -(delta + decay * x) / (1 + decay), m, y, v, g


@dataclass(frozen=True)
class ADOPT(Rule):
    r"""Adam that divides by the second moment of the steps before, and averages after the division.

    .. math::
        c_t &= (t - 1)^{1/4} \qquad k_t = \beta_2 \operatorname{sign}(t - 1) \\
        u &= \operatorname{clip}\left(\frac{g}{\max(\sqrt v, \epsilon)}, -c_t, c_t\right) \\
        m &\leftarrow \beta_1 m + (1 - \beta_1) u \\
        v &\leftarrow k_t v + (1 - k_t) g^2 \\
        x &\leftarrow x - \alpha m

    The gradient that is divided has no part in what divides it. In the first step :math:`c_t` and
    :math:`k_t` are 0: it moves nothing and fills :math:`v` with its own :math:`g^2`. From then on
    :math:`k_t` is :math:`\beta_2`.

    Source: Taniguchi et al. (2024), algorithm 2 with the clipping that they added against a
    :math:`v` that begins near zero, which the authors' code and Optax have too; with
    :math:`c_t = \infty` after the first step it is the algorithm without it.

    Chapter: The family tree.

    Examples
    --------
    >>> rule = ADOPT(lr=0.1)
    >>> x, m, v = rule.update(1, 1.0, -3.0, 0.0, 0.0)
    >>> x, m, v
    (1.0, 0.0, 9.0)
    >>> x, m, v = rule.update(2, x, -1.5, m, v)
    >>> round(x, 6), round(m, 6)
    (1.005, -0.05)
    """

    lr: Rate = 1e-3
    beta1: Decay = 0.9
    beta2: Decay = 0.9999
    eps: Epsilon = 1e-6
    slots = ("m", "v")

    def scalars(self, t):
        return (t - 1) ** 0.25, self.beta2 * sign(t - 1)

    def step(self, x, g, m, v, bound, kept):
        scaled = clip(g / maximum(sqrt(v), self.eps), -bound, bound)
        m = self.beta1 * m + (1 - self.beta1) * scaled
        v = kept * v + (1 - kept) * g * g
        return -self.lr * m, m, v


@dataclass(frozen=True)
class AdEMAMix(Rule):
    r"""AdamW with a second average of the gradient, so slow that it remembers 10,000 steps.

    .. math::
        m &\leftarrow \beta_1 m + (1 - \beta_1) g \\
        v &\leftarrow \beta_2 v + (1 - \beta_2) g^2 \\
        m_2 &\leftarrow \beta_3 m_2 + (1 - \beta_3) g \\
        \hat m &= \frac{m}{1 - \beta_1^t} \qquad \hat v = \frac{v}{1 - \beta_2^t} \\
        x &\leftarrow x - \alpha \lambda x
            - \frac{\alpha (\hat m + \kappa m_2)}{\sqrt{\hat v} + \epsilon}

    The slow average is not corrected: it starts at zero and comes in by itself.

    Source: Pagliardini, Ablin and Grangier (2024), where :math:`\kappa`, ``mix`` here, is called
    alpha. The paper raises it and :math:`\beta_3` over the run by two schedules. They are not in
    here, as they are off unless asked for in the authors' code and in Optax, whose default decay is
    0.

    Chapter: The family tree.

    Examples
    --------
    >>> rule = AdEMAMix(lr=0.1, weight_decay=0.0)
    >>> x, m, v, m2 = rule.update(1, 1.0, -3.0, 0.0, 0.0, 0.0)
    >>> round(x, 6), round(m, 6), round(v, 6), round(m2, 6)
    (1.10005, -0.3, 0.009, -0.0003)
    """

    lr: Rate = 1e-3
    beta1: Decay = 0.9
    beta2: Decay = 0.999
    beta3: Decay = 0.9999
    mix: Mixture = 5.0
    eps: Epsilon = 1e-8
    weight_decay: Strength = 1e-2
    slots = ("m", "v", "m2")

    def scalars(self, t):
        return 1 - self.beta1**t, 1 - self.beta2**t

    def step(self, x, g, m, v, m2, bias1, bias2):
        m = self.beta1 * m + (1 - self.beta1) * g
        v = self.beta2 * v + (1 - self.beta2) * g * g
        m2 = self.beta3 * m2 + (1 - self.beta3) * g
        m_hat = m / bias1
        v_hat = v / bias2
        decay = self.lr * self.weight_decay * x
        return -decay - self.lr * (m_hat + self.mix * m2) / (sqrt(v_hat) + self.eps), m, v, m2


@dataclass(frozen=True)
class CautiousAdamW(Rule):
    r"""AdamW that leaves a weight alone where its momentum points against the gradient.

    .. math::
        m &\leftarrow \beta_1 m + (1 - \beta_1) g \\
        v &\leftarrow \beta_2 v + (1 - \beta_2) g^2 \\
        \phi &= \max(\operatorname{sign}(m) \operatorname{sign}(g), 0) \\
        \hat m &= \frac{m}{1 - \beta_1^t} \qquad \hat v = \frac{v}{1 - \beta_2^t} \\
        x &\leftarrow x - \alpha \lambda x
            - \frac{\alpha \phi \hat m}{\sqrt{\hat v} + \epsilon}

    The weight decay acts on all weights.

    Source: Liang et al. (2024), algorithm 1, without its scale: the paper multiplies :math:`\alpha`
    by :math:`d / (n + 1)`, where :math:`n` of the tensor's :math:`d` weights have a :math:`\phi` of
    1, and the authors' code divides by the mean of :math:`\phi`. A rule sees one weight at a time
    and cannot; tune the rate to make up for it.

    Chapter: The family tree.

    Examples
    --------
    >>> rule = CautiousAdamW(lr=0.1, weight_decay=0.0)
    >>> x, m, v = rule.update(1, 1.0, -3.0, 0.0, 0.0)
    >>> round(x, 6), rule.update(2, 1.0, 0.5, m, v)[0]
    (1.1, 1.0)
    """

    lr: Rate = 1e-3
    beta1: Decay = 0.9
    beta2: Decay = 0.999
    eps: Epsilon = 1e-8
    weight_decay: Strength = 1e-2
    slots = ("m", "v")

    def scalars(self, t):
        return 1 - self.beta1**t, 1 - self.beta2**t

    def step(self, x, g, m, v, bias1, bias2):
        m = self.beta1 * m + (1 - self.beta1) * g
        v = self.beta2 * v + (1 - self.beta2) * g * g
        agreed = maximum(sign(m) * sign(g), 0.0)  # signs first: the product of both may underflow
        m_hat = m / bias1
        v_hat = v / bias2
        decay = self.lr * self.weight_decay * x
        return -decay - self.lr * agreed * m_hat / (sqrt(v_hat) + self.eps), m, v


RECENT: dict[str, type[Rule]] = {
    rule.__name__: rule
    for rule in (
        Yogi,
        AdaBelief,
        Adan,
        ADOPT,
        AdEMAMix,
        CautiousAdamW,
    )
}

r"""The algorithms, in the order in which the course meets them.

Each is a rule of a few lines (:class:`adam_edu.base.Rule`), pure and elementwise. In all of them
:math:`x` is the parameter, :math:`g` its gradient, :math:`t = 1, 2, \dots` the step number, and
``lr`` the learning rate, :math:`\alpha` in the papers. Parameter, gradient and slots have one and
the same shape, any shape, and start from slots of zero; ``step`` returns the change of :math:`x`
followed by the new slots. Squares, roots and quotients of arrays are taken element by element.

Those that came after AdamW and change a line or two of Adam are in :mod:`adam_edu.recent_rules`;
``RULES`` has them all.
"""

from dataclasses import dataclass
from typing import ClassVar

from .base import Decay, Epsilon, Rate, Rule, Speed, Strength
from .ops import clip, maximum, product, sign, sqrt
from .recent_rules import RECENT


@dataclass(frozen=True)
class SGD(Rule):
    r"""Stochastic gradient descent: against the gradient, by a fixed rate.

    .. math:: x \leftarrow x - \alpha g

    Source: Robbins and Monro (1951), for a rate that falls with t. Every library agrees on it.

    Chapter: Gradient descent.

    Examples
    --------
    >>> SGD(lr=0.1).update(1, 2.0, 5.0)
    (1.5,)
    """

    lr: Rate = 1e-3

    def step(self, x, g):
        return (-self.lr * g,)


@dataclass(frozen=True)
class Momentum(Rule):
    r"""Gradient descent with a heavy ball: gradients add up in a buffer that decays.

    .. math::
        m &\leftarrow \mu m + g \\
        x &\leftarrow x - \alpha m

    Under a constant gradient the buffer grows to :math:`g / (1 - \mu)`: momentum 0.9 multiplies
    the step by ten.

    Source: Polyak (1964), equation 9. This is ``torch.optim.SGD(momentum=...)`` and
    ``optax.trace``. Polyak, Sutskever et al. (2013) and Keras keep :math:`-\alpha m` in the buffer
    instead: the same path while :math:`\alpha` is constant, another one under a schedule.

    Examples
    --------
    >>> Momentum(lr=0.5, momentum=0.5).update(2, 2.0, 5.0, 4.0)
    (-1.5, 7.0)
    """

    lr: Rate = 1e-3
    momentum: Decay = 0.9
    slots = ("m",)

    def step(self, x, g, m):
        m = self.momentum * m + g
        return -self.lr * m, m


@dataclass(frozen=True)
class Nesterov(Rule):
    r"""Momentum that looks ahead: the step that the next one would be if this gradient held.

    .. math::
        m &\leftarrow \mu m + g \\
        x &\leftarrow x - \alpha (g + \mu m)

    Source: Nesterov (1983); in this form, with the gradient taken at :math:`x` itself, Bengio,
    Boulanger-Lewandowski and Pascanu (2013), equation 7. This is
    ``torch.optim.SGD(nesterov=True)`` and ``optax.trace(nesterov=True)``.

    Examples
    --------
    >>> Nesterov(lr=0.5, momentum=0.5).update(2, 2.0, 5.0, 4.0)
    (-2.25, 7.0)
    """

    lr: Rate = 1e-3
    momentum: Decay = 0.9
    slots = ("m",)

    def step(self, x, g, m):
        m = self.momentum * m + g
        return -self.lr * (g + self.momentum * m), m


@dataclass(frozen=True)
class AdaGrad(Rule):
    r"""A rate for each parameter that falls with the squared gradients it has seen.

    .. math::
        s &\leftarrow s + g^2 \\
        x &\leftarrow x - \frac{\alpha g}{\sqrt{s} + \epsilon}

    Source: Duchi, Hazan and Singer (2011), figure 1, with the diagonal matrix; there
    :math:`\delta` stands for :math:`\epsilon`. Defaults as in Torch. Optax and Keras start
    :math:`s` at 0.1 and add an epsilon of 1e-7 to it inside the root.

    Chapter: AdaGrad.

    Examples
    --------
    >>> AdaGrad(lr=0.1, eps=0.0).update(1, 2.0, -3.0, 16.0)
    (2.06, 25.0)
    """

    lr: Rate = 1e-2
    eps: Epsilon = 1e-10
    slots = ("s",)

    def step(self, x, g, s):
        s = s + g * g
        return -self.lr * g / (sqrt(s) + self.eps), s


@dataclass(frozen=True)
class RMSProp(Rule):
    r"""AdaGrad that forgets: a moving average of the squared gradient instead of their sum.

    .. math::
        v &\leftarrow \rho v + (1 - \rho) g^2 \\
        x &\leftarrow x - \frac{\alpha g}{\sqrt{v} + \epsilon}

    Source: Tieleman and Hinton (2012), lecture 6.5, with :math:`\rho = 0.9`; it has no epsilon.
    Defaults as in Torch, which calls :math:`\rho` ``alpha``. Optax adds epsilon inside the root
    unless told otherwise; so does Keras.

    Chapter: RMSProp and AdaDelta.

    Examples
    --------
    >>> x, v = RMSProp(lr=0.1, rho=0.5, eps=0.0).update(1, 2.0, 4.0, 2.0)
    >>> round(x, 6), v
    (1.866667, 9.0)
    """

    lr: Rate = 1e-2
    rho: Decay = 0.99
    eps: Epsilon = 1e-8
    slots = ("v",)

    def step(self, x, g, v):
        v = self.rho * v + (1 - self.rho) * g * g
        return -self.lr * g / (sqrt(v) + self.eps), v


@dataclass(frozen=True)
class CenteredRMSProp(Rule):
    r"""RMSProp that divides by an estimate of the standard deviation: the mean is subtracted.

    .. math::
        m &\leftarrow \rho m + (1 - \rho) g \\
        v &\leftarrow \rho v + (1 - \rho) g^2 \\
        x &\leftarrow x - \frac{\alpha g}{\sqrt{\max(v - m^2, 0)} + \epsilon}

    Under a constant gradient the variance goes to zero, and the steps grow until
    :math:`\epsilon` stops them. Rounding can make the difference negative, hence the maximum,
    without which the root is not a number.

    Source: Graves (2013), equations 38 to 41, where epsilon is inside the root.
    ``torch.optim.RMSprop(centered=True)`` has it outside, as here, but no maximum. Optax (unless
    told otherwise) and Keras have it inside.

    Examples
    --------
    >>> x, m, v = CenteredRMSProp(lr=0.1, rho=0.5, eps=0.0).update(1, 2.0, 4.0, 0.0, 0.0)
    >>> x, m, v
    (1.8, 2.0, 8.0)
    """

    lr: Rate = 1e-2
    rho: Decay = 0.99
    eps: Epsilon = 1e-8
    slots = ("m", "v")

    def step(self, x, g, m, v):
        m = self.rho * m + (1 - self.rho) * g
        v = self.rho * v + (1 - self.rho) * g * g
        variance = maximum(v - m * m, 0.0)
        return -self.lr * g / (sqrt(variance) + self.eps), m, v


@dataclass(frozen=True)
class AdaDelta(Rule):
    r"""RMSProp whose rate is the size of its own recent steps, so that the units agree.

    .. math::
        v &\leftarrow \rho v + (1 - \rho) g^2 \\
        \Delta &= \frac{\sqrt{d + \epsilon}}{\sqrt{v + \epsilon}}\, g \\
        d &\leftarrow \rho d + (1 - \rho) \Delta^2 \\
        x &\leftarrow x - \alpha \Delta

    Here epsilon is no safeguard but the size of the first step.

    Source: Zeiler (2012), algorithm 1, which has no :math:`\alpha` (it is 1) and uses
    :math:`\rho = 0.95`. Defaults as in Torch; Keras has a rate of 1e-3 and an epsilon of 1e-7.

    Chapter: RMSProp and AdaDelta.

    Examples
    --------
    >>> x, v, d = AdaDelta(rho=0.5, eps=1.0).update(1, 2.0, 4.0, 0.0, 0.0)
    >>> round(x, 6), v, round(d, 6)
    (0.666667, 8.0, 0.888889)
    """

    lr: Rate = 1.0
    rho: Decay = 0.9
    eps: Epsilon = 1e-6
    slots = ("v", "d")

    def step(self, x, g, v, d):
        v = self.rho * v + (1 - self.rho) * g * g
        delta = sqrt(d + self.eps) / sqrt(v + self.eps) * g
        d = self.rho * d + (1 - self.rho) * delta * delta
        return -self.lr * delta, v, d


@dataclass(frozen=True)
class Adam(Rule):
    r"""Adaptive moment estimation: averages of the gradient and of its square, each corrected.

    .. math::
        m &\leftarrow \beta_1 m + (1 - \beta_1) g \\
        v &\leftarrow \beta_2 v + (1 - \beta_2) g^2 \\
        \hat m &= \frac{m}{1 - \beta_1^t} \qquad \hat v = \frac{v}{1 - \beta_2^t} \\
        x &\leftarrow x - \frac{\alpha \hat m}{\sqrt{\hat v} + \epsilon}

    Source: Kingma and Ba (2015), algorithm 1. Torch and Optax agree with it. Keras, TensorFlow and
    scikit-learn use the form at the end of the paper's section 2, which adds a constant
    :math:`\hat\epsilon` to :math:`\sqrt v` before the correction (1e-7 in Keras): early in
    training, that is an epsilon larger by :math:`1 / \sqrt{1 - \beta_2^t}`.

    Chapters: Moment estimates; Bias correction; The update.

    Examples
    --------
    >>> x, m, v = Adam(lr=0.1).update(1, 1.0, -3.0, 0.0, 0.0)
    >>> round(x, 6), round(m, 6), round(v, 6)
    (1.1, -0.3, 0.009)
    """

    lr: Rate = 1e-3
    beta1: Decay = 0.9
    beta2: Decay = 0.999
    eps: Epsilon = 1e-8
    slots = ("m", "v")

    def scalars(self, t):
        return 1 - self.beta1**t, 1 - self.beta2**t

    def step(self, x, g, m, v, bias1, bias2):
        m = self.beta1 * m + (1 - self.beta1) * g
        v = self.beta2 * v + (1 - self.beta2) * g * g
        m_hat = m / bias1
        v_hat = v / bias2
        return -self.lr * m_hat / (sqrt(v_hat) + self.eps), m, v


@dataclass(frozen=True)
class AdamUncorrected(Rule):
    r"""Adam without its bias correction, to see what the correction does.

    .. math::
        m &\leftarrow \beta_1 m + (1 - \beta_1) g \\
        v &\leftarrow \beta_2 v + (1 - \beta_2) g^2 \\
        x &\leftarrow x - \frac{\alpha m}{\sqrt v + \epsilon}

    Its first step is :math:`(1 - \beta_1) / \sqrt{1 - \beta_2}` times too long: 3.16 with the
    defaults.

    Source: Kingma and Ba (2015), section 6.4, which compares Adam with it. MLX's Adam is this
    unless it is asked to correct, and the optimizer in BERT's published code is this with decoupled
    weight decay (Devlin, Chang, Lee and Toutanova, 2019).

    Chapter: Bias correction.

    Examples
    --------
    >>> x, m, v = AdamUncorrected(lr=0.1).update(1, 1.0, -3.0, 0.0, 0.0)
    >>> round(x, 6)
    1.316228
    """

    words: ClassVar[str] = "Adam without bias correction"
    lr: Rate = 1e-3
    beta1: Decay = 0.9
    beta2: Decay = 0.999
    eps: Epsilon = 1e-8
    slots = ("m", "v")

    def step(self, x, g, m, v):
        m = self.beta1 * m + (1 - self.beta1) * g
        v = self.beta2 * v + (1 - self.beta2) * g * g
        return -self.lr * m / (sqrt(v) + self.eps), m, v


@dataclass(frozen=True)
class AdaMax(Rule):
    r"""Adam with the infinity norm: a decaying maximum in place of the second moment.

    .. math::
        m &\leftarrow \beta_1 m + (1 - \beta_1) g \\
        u &\leftarrow \max(\beta_2 u, |g| + \epsilon) \\
        x &\leftarrow x - \frac{\alpha}{1 - \beta_1^t} \frac{m}{u}

    Source: Kingma and Ba (2015), section 7.1, algorithm 2, which has no epsilon and therefore
    divides zero by zero where the gradient has always been zero. Torch and Optax add it where it
    is added here; Keras and Lasagne add it to :math:`u` after the maximum.

    Examples
    --------
    >>> x, m, u = AdaMax(lr=0.1, eps=0.0).update(1, 1.0, -3.0, 0.0, 0.0)
    >>> round(x, 6), round(m, 6), u
    (1.1, -0.3, 3.0)
    """

    lr: Rate = 2e-3
    beta1: Decay = 0.9
    beta2: Decay = 0.999
    eps: Epsilon = 1e-8
    slots = ("m", "u")

    def scalars(self, t):
        return (1 - self.beta1**t,)

    def step(self, x, g, m, u, bias1):
        m = self.beta1 * m + (1 - self.beta1) * g
        u = maximum(self.beta2 * u, abs(g) + self.eps)
        return -self.lr * (m / bias1) / u, m, u


@dataclass(frozen=True)
class NAdam(Rule):
    r"""Adam with Nesterov's look ahead, and a momentum that warms up.

    .. math::
        \mu_t &= \beta_1 \left(1 - \tfrac12\, 0.96^{\,t \psi}\right) \\
        m &\leftarrow \beta_1 m + (1 - \beta_1) g \\
        v &\leftarrow \beta_2 v + (1 - \beta_2) g^2 \\
        \bar m &= \frac{\mu_{t+1}\, m}{1 - \prod_{i=1}^{t+1} \mu_i}
                + \frac{(1 - \mu_t)\, g}{1 - \prod_{i=1}^{t} \mu_i} \\
        x &\leftarrow x - \frac{\alpha \bar m}{\sqrt{v / (1 - \beta_2^t)} + \epsilon}

    :math:`\psi` is ``momentum_decay``.

    Source: Dozat (2016), algorithm 2 with the schedule of :math:`\mu_t` that it suggests. Defaults
    and average as in Torch. Keras has the schedule with :math:`\psi = 1`; Optax has
    :math:`\mu_t = \beta_1` throughout. Torch keeps the product in its default dtype, float32 unless
    changed, whatever that of the parameters.

    Examples
    --------
    >>> x, m, v = NAdam(lr=0.1, eps=0.0).update(1, 1.0, -3.0, 0.0, 0.0)
    >>> round(m, 6), round(v, 6)
    (-0.3, 0.009)
    """

    lr: Rate = 2e-3
    beta1: Decay = 0.9
    beta2: Decay = 0.999
    eps: Epsilon = 1e-8
    momentum_decay: Strength = 4e-3
    slots = ("m", "v")

    @staticmethod
    def mu(t, beta1, momentum_decay):
        """Return the momentum of step ``t``: from about beta1 / 2 up to beta1."""
        return beta1 * (1 - 0.5 * 0.96 ** (t * momentum_decay))

    def scalars(self, t):
        mu = self.mu(t, self.beta1, self.momentum_decay)
        mu_next = self.mu(t + 1, self.beta1, self.momentum_decay)
        mu_product = product(self.mu, t, self.beta1, self.momentum_decay)
        weight_m = mu_next / (1 - mu_product * mu_next)
        weight_g = (1 - mu) / (1 - mu_product)
        return weight_m, weight_g, 1 - self.beta2**t

    def step(self, x, g, m, v, weight_m, weight_g, bias2):
        m = self.beta1 * m + (1 - self.beta1) * g
        v = self.beta2 * v + (1 - self.beta2) * g * g
        m_bar = weight_m * m + weight_g * g
        v_hat = v / bias2
        return -self.lr * m_bar / (sqrt(v_hat) + self.eps), m, v


@dataclass(frozen=True)
class AMSGrad(Rule):
    r"""Adam that never forgets a large gradient: the largest second moment so far divides.

    .. math::
        m &\leftarrow \beta_1 m + (1 - \beta_1) g \\
        v &\leftarrow \beta_2 v + (1 - \beta_2) g^2 \\
        w &\leftarrow \max(w, v) \\
        x &\leftarrow x - \frac{\alpha\, m / (1 - \beta_1^t)}{\sqrt{w / (1 - \beta_2^t)} + \epsilon}

    Source: Reddi, Kale and Kumar (2018), algorithm 2, which leaves the bias correction out "for
    simplicity". With it, as here, in ``torch.optim.Adam(amsgrad=True)``. Optax takes the maximum
    of the corrected :math:`\hat v` instead, which is as large as :math:`g^2` at the first step and
    never comes down again. Keras takes that of :math:`v`, with the epsilon of its Adam.

    Examples
    --------
    >>> x, m, v, w = AMSGrad(lr=0.1).update(1, 1.0, -3.0, 0.0, 0.0, 0.0)
    >>> round(x, 6), round(w, 6)
    (1.1, 0.009)
    """

    lr: Rate = 1e-3
    beta1: Decay = 0.9
    beta2: Decay = 0.999
    eps: Epsilon = 1e-8
    slots = ("m", "v", "w")

    def scalars(self, t):
        return 1 - self.beta1**t, 1 - self.beta2**t

    def step(self, x, g, m, v, w, bias1, bias2):
        m = self.beta1 * m + (1 - self.beta1) * g
        v = self.beta2 * v + (1 - self.beta2) * g * g
        w = maximum(w, v)
        m_hat = m / bias1
        v_hat = w / bias2
        return -self.lr * m_hat / (sqrt(v_hat) + self.eps), m, v, w


@dataclass(frozen=True)
class AdamL2(Rule):
    r"""Adam on a loss with an L2 penalty: the penalty's gradient passes through the moments.

    .. math::
        g &\leftarrow g + \lambda x \\
        x, m, v &\leftarrow \text{Adam}(x, g, m, v)

    A parameter with large gradients is therefore decayed less, which is not what weight decay
    means: see :class:`AdamW`.

    Source: Loshchilov and Hutter (2019), algorithm 2, first highlighted line. This is
    ``torch.optim.Adam(weight_decay=...)``.

    Examples
    --------
    >>> x, m, v = AdamL2(lr=0.1, weight_decay=1.0).update(1, 2.0, 0.0, 0.0, 0.0)
    >>> round(x, 6), round(m, 6)
    (1.9, 0.2)
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
        g = g + self.weight_decay * x
        m = self.beta1 * m + (1 - self.beta1) * g
        v = self.beta2 * v + (1 - self.beta2) * g * g
        m_hat = m / bias1
        v_hat = v / bias2
        return -self.lr * m_hat / (sqrt(v_hat) + self.eps), m, v


@dataclass(frozen=True)
class AdamW(Rule):
    r"""Adam with weight decay beside the adaptive step, not through it.

    .. math::
        m &\leftarrow \beta_1 m + (1 - \beta_1) g \\
        v &\leftarrow \beta_2 v + (1 - \beta_2) g^2 \\
        \hat m &= \frac{m}{1 - \beta_1^t} \qquad \hat v = \frac{v}{1 - \beta_2^t} \\
        x &\leftarrow x - \alpha \lambda x - \frac{\alpha \hat m}{\sqrt{\hat v} + \epsilon}

    The decay acts on :math:`x` as it was before the step, as in Torch.

    Source: Loshchilov and Hutter (2019), algorithm 2, second highlighted line. There the decay is
    :math:`\eta_t \lambda x`, with a schedule :math:`\eta_t` but without :math:`\alpha`; every
    library multiplies it by the learning rate, as here. Default decay: 1e-2 in Torch, 1e-4 in
    Optax, 4e-3 in Keras.

    Examples
    --------
    >>> x, m, v = AdamW(lr=0.1, weight_decay=0.5).update(1, 2.0, 0.0, 0.0, 0.0)
    >>> round(x, 6), m
    (1.9, 0.0)
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
        m_hat = m / bias1
        v_hat = v / bias2
        decay = self.lr * self.weight_decay * x
        return -decay - self.lr * m_hat / (sqrt(v_hat) + self.eps), m, v


@dataclass(frozen=True)
class AdaBound(Rule):
    r"""Adam whose rate for each parameter is clipped to a band that closes in on that of SGD.

    .. math::
        m &\leftarrow \beta_1 m + (1 - \beta_1) g \\
        v &\leftarrow \beta_2 v + (1 - \beta_2) g^2 \\
        \eta &= \operatorname{clip}\left(
            \frac{\alpha / (1 - \beta_1^t)}{\sqrt{v / (1 - \beta_2^t)} + \epsilon},\;
            \alpha^* - \frac{\alpha^*}{\gamma t + 1},\; \alpha^* + \frac{\alpha^*}{\gamma t}
            \right) \\
        x &\leftarrow x - \eta\, m

    :math:`\alpha^*` is ``final_lr``, the rate of SGD with momentum that it ends as; a schedule
    scales it together with ``lr``.

    Source: Luo, Xiong, Liu and Sun (2019), algorithm 2, which in addition divides :math:`\eta` by
    :math:`\sqrt t`. The authors' code does not, and corrects the bias, as here; its epsilon is the
    constant :math:`\hat\epsilon` described at :class:`Adam`. No large library has it.

    Examples
    --------
    >>> x, m, v = AdaBound(lr=0.1).update(1, 1.0, -3.0, 0.0, 0.0)
    >>> round(x, 6), round(m, 6)
    (1.1, -0.3)
    """

    lr: Rate = 1e-3
    beta1: Decay = 0.9
    beta2: Decay = 0.999
    eps: Epsilon = 1e-8
    final_lr: Rate = 0.1
    gamma: Speed = 1e-3
    slots = ("m", "v")

    def scalars(self, t):
        low = self.final_lr * (1 - 1 / (self.gamma * t + 1))
        high = self.final_lr * (1 + 1 / (self.gamma * t))
        return 1 - self.beta1**t, 1 - self.beta2**t, low, high

    def step(self, x, g, m, v, bias1, bias2, low, high):
        m = self.beta1 * m + (1 - self.beta1) * g
        v = self.beta2 * v + (1 - self.beta2) * g * g
        v_hat = v / bias2
        rate = clip(self.lr / bias1 / (sqrt(v_hat) + self.eps), low, high)
        return -rate * m, m, v


@dataclass(frozen=True)
class RAdam(Rule):
    r"""Adam with a warm-up of its own: while the second moment is uncertain, steps are short.

    .. math::
        \rho_\infty &= \max\left(\frac{2}{1 - \beta_2} - 1,\, 5\right) \qquad
            \rho_t = \rho_\infty - \frac{2 t \beta_2^t}{1 - \beta_2^t} \\
        a_t &= \max\left(\operatorname{sign}(\rho_t - 5),\, 0\right) \\
        r_t &= a_t \sqrt{\max\left(\frac{(\rho_t - 4)(\rho_t - 2) \rho_\infty}
            {(\rho_\infty - 4)(\rho_\infty - 2) \rho_t},\, 0\right)} \\
        m &\leftarrow \beta_1 m + (1 - \beta_1) g \\
        v &\leftarrow \beta_2 v + (1 - \beta_2) g^2 \\
        \hat m &= \frac{m}{1 - \beta_1^t} \qquad \hat v = \frac{v}{1 - \beta_2^t} \\
        x &\leftarrow x - \alpha \hat m \left(1 - a_t + \frac{r_t}{\sqrt{\hat v} + \epsilon}\right)

    :math:`\rho_t` is the number of gradients that :math:`\hat v` is worth. Up to 5 of them, the
    first five steps with the defaults, :math:`a_t` is 0 and the step is that of momentum, not
    divided by anything. From then on the factor :math:`r_t` rises towards 1. With
    :math:`\beta_2` below 2/3 there are never 5.

    Source: Liu et al. (2020), algorithm 2, which asks for more than 4; the authors' code, Torch and
    Optax ask for 5. Torch adds the constant :math:`\hat\epsilon` described at :class:`Adam`.

    Chapter: Schedules.

    Examples
    --------
    >>> x, m, v = RAdam(lr=0.1).update(1, 1.0, -3.0, 0.0, 0.0)
    >>> round(x, 6), round(m, 6), round(v, 6)
    (1.3, -0.3, 0.009)
    """

    lr: Rate = 1e-3
    beta1: Decay = 0.9
    beta2: Decay = 0.999
    eps: Epsilon = 1e-8
    slots = ("m", "v")

    def scalars(self, t):
        bias2 = 1 - self.beta2**t
        rho_inf = maximum(2 / (1 - self.beta2) - 1, 5.0)
        rho_t = rho_inf - 2 * t * self.beta2**t / bias2
        adaptive = maximum(sign(rho_t - 5), 0.0)
        square = (rho_t - 4) * (rho_t - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho_t)
        rect = adaptive * sqrt(maximum(square, 0.0))
        return 1 - self.beta1**t, bias2, adaptive, rect

    def step(self, x, g, m, v, bias1, bias2, adaptive, rect):
        m = self.beta1 * m + (1 - self.beta1) * g
        v = self.beta2 * v + (1 - self.beta2) * g * g
        m_hat = m / bias1
        v_hat = v / bias2
        return -self.lr * m_hat * (1 - adaptive + rect / (sqrt(v_hat) + self.eps)), m, v


@dataclass(frozen=True)
class Lion(Rule):
    r"""The sign of an interpolation between momentum and gradient: every step is as long as alpha.

    .. math::
        c &= \beta_1 m + (1 - \beta_1) g \\
        m &\leftarrow \beta_2 m + (1 - \beta_2) g \\
        x &\leftarrow x - \alpha \lambda x - \alpha \operatorname{sign}(c)

    It has no second moment: one slot less than Adam. Its two betas are both decay rates of the
    first moment. The gradient counts more in the step (0.1 with the defaults) than in the memory
    (0.01).

    Source: Chen et al. (2023), algorithm 2, found by a search over programs. They advise a rate 3
    to 10 times lower than AdamW's, and a decay higher by the same factor. Default decay: 1e-3 as in
    Optax, 0 in the authors' code.

    Chapter: After Adam.

    Examples
    --------
    >>> x, m = Lion(lr=0.1, weight_decay=0.0).update(1, 1.0, -3.0, 0.0)
    >>> round(x, 6), round(m, 6)
    (1.1, -0.03)
    """

    lr: Rate = 1e-4
    beta1: Decay = 0.9
    beta2: Decay = 0.99
    weight_decay: Strength = 1e-3
    slots = ("m",)

    def step(self, x, g, m):
        c = self.beta1 * m + (1 - self.beta1) * g
        m = self.beta2 * m + (1 - self.beta2) * g
        decay = self.lr * self.weight_decay * x
        return -decay - self.lr * sign(c), m


@dataclass(frozen=True)
class ScheduleFreeSGD(Rule):
    r"""SGD whose result is the average of its path, with the gradient taken between the two.

    .. math::
        z &\leftarrow z - \alpha g \\
        x &\leftarrow x + \frac{\beta z}{t} - (1 - \beta) \alpha g \\
        z &\leftarrow \left(1 - \frac1t\right) z

    In the paper, :math:`z_t` is the path of SGD, :math:`\bar x_t` the mean of it so far, and the
    gradient is taken at :math:`(1 - \beta) z_t + \beta \bar x_t`. That point is the parameter
    here, and the slot is :math:`z_t - \bar x_t`, which starts at zero. The answer is the average,
    :meth:`averaged`.

    Source: Defazio et al. (2024), where the parameter is called y and the average x. Under a
    schedule, the authors' code weights the average by the squared rate; this does not.

    Chapter: After Adam.

    Examples
    --------
    >>> rule = ScheduleFreeSGD(lr=0.5)
    >>> x, z = rule.update(2, 2.0, 1.0, 0.0)
    >>> round(x, 6), z, rule.averaged(x, z)
    (1.725, -0.25, 1.75)
    """

    lr: Rate = 1e-3
    beta: Decay = 0.9
    slots = ("z",)

    def averaged(self, x, z):
        """Return the average of the path, given the parameter and the slot."""
        return x - (1 - self.beta) * z

    def scalars(self, t):
        return (1 / t,)

    def step(self, x, g, z, share):
        z = z - self.lr * g
        change = self.beta * share * z - (1 - self.beta) * self.lr * g
        return change, (1 - share) * z


@dataclass(frozen=True)
class ScheduleFreeAdamW(Rule):
    r"""Schedule-free averaging around AdamW without its first moment, which the average replaces.

    .. math::
        v &\leftarrow \beta_2 v + (1 - \beta_2) g^2 \\
        \Delta &= \frac{\alpha g}{\sqrt{v / (1 - \beta_2^t)} + \epsilon} + \alpha \lambda x \\
        z &\leftarrow z - \Delta \\
        x &\leftarrow x + \frac{\beta_1 z}{t} - (1 - \beta_1) \Delta \\
        z &\leftarrow \left(1 - \frac1t\right) z

    See :class:`ScheduleFreeSGD` for :math:`z` and for the average, which is the answer.

    Source: Defazio et al. (2024), algorithm 1, with the bias correction where Adam has it, as in
    the authors' later code and in Optax. They recommend a warm-up. Default rate: 2.5e-3 as in the
    authors' code and in Optax; both have a decay of 0.

    Chapter: After Adam.

    Examples
    --------
    >>> rule = ScheduleFreeAdamW(lr=0.1, weight_decay=0.0)
    >>> x, z, v = rule.update(1, 1.0, -3.0, 0.0, 0.0)
    >>> round(x, 6), z, round(v, 6), round(rule.averaged(x, z), 6)
    (1.1, 0.0, 0.009, 1.1)
    """

    lr: Rate = 2.5e-3
    beta1: Decay = 0.9
    beta2: Decay = 0.999
    eps: Epsilon = 1e-8
    weight_decay: Strength = 1e-2
    slots = ("z", "v")

    def averaged(self, x, z):
        """Return the average of the path, given the parameter and the slot."""
        return x - (1 - self.beta1) * z

    def scalars(self, t):
        return 1 - self.beta2**t, 1 / t

    def step(self, x, g, z, v, bias2, share):
        v = self.beta2 * v + (1 - self.beta2) * g * g
        v_hat = v / bias2
        delta = self.lr * g / (sqrt(v_hat) + self.eps) + self.lr * self.weight_decay * x
        z = z - delta
        change = self.beta1 * share * z - (1 - self.beta1) * delta
        return change, (1 - share) * z, v


RULES: dict[str, type[Rule]] = {
    rule.__name__: rule
    for rule in (
        SGD,
        Momentum,
        Nesterov,
        AdaGrad,
        RMSProp,
        CenteredRMSProp,
        AdaDelta,
        Adam,
        AdamUncorrected,
        AdaMax,
        NAdam,
        AMSGrad,
        AdamL2,
        AdamW,
        AdaBound,
        RAdam,
        Lion,
        ScheduleFreeSGD,
        ScheduleFreeAdamW,
    )
} | RECENT

"""Mistakes in AdaMax and NAdam."""
# mypy: allow-untyped-defs

from ...ops import maximum, sqrt
from ..mistake import wrong
from . import bias_correction, moments, returned, steps

# AdaMax


@wrong("bias1")
def m_not_corrected():
    """Your first moment is not corrected. It starts at zero, so after the first step it is only
    1 - beta1 of the gradient; divide by 1 - beta1**t."""
    return 1.0


@wrong("bias1")
def m_corrected_as_at_first(beta1):
    """Your correction divides by 1 - beta1 at every step. The zero that the moment started from
    fades as beta1**t."""
    return 1 - beta1


@wrong("bias1")
def m_corrected_with_beta2(t, beta2):
    """Your first moment is corrected with beta2. It was averaged with beta1."""
    return 1 - beta2**t


@wrong("bias1")
def m_correction_multiplies(t, beta1):
    """Your correction multiplies. The moment is too small at first, so divide by 1 - beta1**t."""
    return 1 / (1 - beta1**t)


@wrong("u")
def u_is_average(u, g, beta2, eps):
    """Your u is a moving average of the gradient's size. It is the larger of two numbers: the old u
    times beta2, and the gradient's size."""
    return beta2 * u + (1 - beta2) * abs(g) + eps


@wrong("u")
def u_is_sum(u, g, beta2, eps):
    """Your u adds the old one and the gradient's size. It takes the larger of the two."""
    return beta2 * u + abs(g) + eps


@wrong("u")
def u_without_abs(u, g, beta2, eps):
    """Your u takes the gradient with its sign, so that a large negative one is not seen."""
    return maximum(beta2 * u, g + eps)


@wrong("u")
def u_of_squares(u, g, beta2, eps):
    """Your u takes the squared gradient. In the infinity norm no square is taken, and no root."""
    return maximum(beta2 * u, g * g + eps)


@wrong("u")
def u_never_decays(u, g, eps):
    """Your old u is not multiplied by beta2: it never comes down."""
    return maximum(u, abs(g) + eps)


@wrong("u")
def u_forgets(g, eps):
    """Your u is the size of the last gradient: the old u is not in it."""
    return abs(g) + eps


@wrong("u")
def u_takes_share(u, g, beta2, eps):
    """Your u takes the share 1 - beta2 of the gradient's size. That is for an average; of a maximum
    the new value is a candidate as it is."""
    return maximum(beta2 * u, (1 - beta2) * abs(g) + eps)


@wrong("u")
def u_of_m(u, m, beta2, eps):
    """Your u is the decaying maximum of the first moment's size. It is that of the gradient's."""
    return maximum(beta2 * u, abs(m) + eps)


@wrong("change")
def adamax_step_along_g(g, bias1, denominator, lr):
    """Your step follows the gradient itself. It follows the first moment, corrected."""
    return -lr * (g / bias1) / denominator


@wrong("denominator")
def eps_twice(u, eps):
    """Epsilon is in your u already, where the gradient's size went in, and once more below the
    step. Divide by u."""
    return u + eps


@wrong("u")
def u_is_minimum(u, g, beta2, eps):
    """Your u takes the smaller of the two. It is the larger."""
    return -maximum(-beta2 * u, -(abs(g) + eps))


@wrong("denominator")
def root_of_u(u):
    """Your step divides by the root of u. No square was taken, so no root is needed."""
    return sqrt(u)


@wrong("denominator")
def u_corrected(u, t, beta2):
    """Your u is corrected. A maximum has no zero mixed into it that would have to be taken out; it
    is as large as the gradient from the first step on."""
    return u / (1 - beta2**t)


@wrong("u", "denominator")
def eps_after_maximum(u, g, beta2, eps):
    """Epsilon is added to u after the maximum, as Keras does. Asked for is the form of Torch and
    Optax: the larger of beta2 * u and abs(g) + eps."""
    return maximum(beta2 * u, abs(g)), maximum(beta2 * u, abs(g)) + eps


@wrong("u")
def u_keeps_eps_after_maximum(u, g, beta2, eps):
    """Epsilon is added after the maximum and stays in u, so that every step adds it again. Add it
    to the gradient's size: the larger of beta2 * u and abs(g) + eps."""
    return maximum(beta2 * u, abs(g)) + eps


@wrong("returned u")
def u_not_returned(u_before):
    """You return the maximum that you were given, not the new one."""
    return u_before


ADAMAX = (
    *steps.DIRECTION,
    m_not_corrected,
    m_corrected_as_at_first,
    m_corrected_with_beta2,
    m_correction_multiplies,
    *bias_correction.COUNTING,
    u_is_average,
    u_is_sum,
    u_without_abs,
    u_of_squares,
    u_never_decays,
    u_forgets,
    u_takes_share,
    u_of_m,
    adamax_step_along_g,
    eps_twice,
    u_is_minimum,
    root_of_u,
    u_corrected,
    eps_after_maximum,
    u_keeps_eps_after_maximum,
    steps.eps_missing,
    *moments.FIRST_MOMENT,
    u_not_returned,
)

# NAdam


@wrong("m_bar")
def nadam_is_adam(m, t, beta1):
    """Your step is that of Adam: m is corrected, and nothing looks ahead."""
    return m / (1 - beta1**t)


@wrong("m_bar")
def nadam_weights_swapped(m, g, weight_m, weight_g):
    """The two weights are swapped: the one with mu of the next step belongs to m, the other to
    g."""
    return weight_g * m + weight_m * g


@wrong("m_bar")
def nadam_without_g(m, weight_m):
    """Your m_bar has no gradient in it. The look ahead is a share of m and a share of g."""
    return weight_m * m


@wrong("weight_m", "weight_g")
def mu_constant(t, beta1):
    """Your mu is beta1 at every step, as in Optax. Asked for is the mu that warms up:
    beta1 * (1 - 0.5 * 0.96**(t * momentum_decay))."""
    return beta1 / (1 - beta1 ** (t + 1)), (1 - beta1) / (1 - beta1**t)


@wrong("weight_m", "weight_g")
def nadam_powers_for_product(t, beta1, momentum_decay):
    """Your corrections take powers of mu. It differs from step to step, so the product of all mu so
    far is needed: mu_1 * mu_2 * ... * mu_t."""
    now, then = _mu(t, beta1, momentum_decay), _mu(t + 1, beta1, momentum_decay)
    return then / (1 - then ** (t + 1)), (1 - now) / (1 - now**t)


@wrong("weight_m")
def nadam_mu_of_now(t, beta1, momentum_decay):
    """m is weighted with the mu of this step. It is the next step's that looks ahead, and its
    product goes one factor further."""
    product = _mu_product(t, beta1, momentum_decay)
    return _mu(t, beta1, momentum_decay) / (1 - product)


@wrong("weight_m")
def nadam_product_one_short(t, beta1, momentum_decay):
    """Below m stands the product of the mu up to this step. It goes one further, up to the
    next."""
    product = _mu_product(t, beta1, momentum_decay)
    return _mu(t + 1, beta1, momentum_decay) / (1 - product)


@wrong("weight_g")
def nadam_product_one_long(t, beta1, momentum_decay):
    """Below g stands the product of the mu up to the next step. For g it ends at this step's."""
    product = _mu_product(t + 1, beta1, momentum_decay)
    return (1 - _mu(t, beta1, momentum_decay)) / (1 - product)


@wrong("weight_m", "weight_g")
def nadam_mu_from_0(t, beta1, momentum_decay):
    """Your mu are those from mu_0 on. Steps count from 1, so the first is mu_1."""
    mu_0, product = _mu(0, beta1, momentum_decay), _mu_product(t - 1, beta1, momentum_decay)
    before, now = _mu(t - 1, beta1, momentum_decay), _mu(t, beta1, momentum_decay)
    return now / (1 - mu_0 * product * now), (1 - before) / (1 - mu_0 * product)


@wrong("m")
def nadam_m_with_mu(m, g, t, beta1, momentum_decay):
    """Your m is averaged with mu, as in Dozat's paper. Asked for is Torch's form, in which m is
    Adam's, with beta1."""
    mu = _mu(t, beta1, momentum_decay)
    return mu * m + (1 - mu) * g


@wrong("weight_g")
def nadam_g_with_mu(t, beta1, momentum_decay):
    """g is weighted with mu. Its share is what mu leaves: 1 - mu."""
    product = _mu_product(t, beta1, momentum_decay)
    return _mu(t, beta1, momentum_decay) / (1 - product)


@wrong("weight_m", "weight_g")
def nadam_uncorrected(t, beta1, momentum_decay):
    """Your weights are not corrected. Divide that of m by 1 minus the product of all mu up to the
    next step, and that of g by 1 minus the product up to this one."""
    return _mu(t + 1, beta1, momentum_decay), 1 - _mu(t, beta1, momentum_decay)


@wrong("weight_g")
def nadam_share_of_next(t, beta1, momentum_decay):
    """The share of g is what the next step's mu leaves. It is what this step's leaves: 1 - mu_t."""
    product = _mu_product(t, beta1, momentum_decay)
    return (1 - _mu(t + 1, beta1, momentum_decay)) / (1 - product)


@wrong("weight_g")
def nadam_share_of_beta1(t, beta1, momentum_decay):
    """The share of g is 1 - beta1. It is what the mu of this step leaves: 1 - mu_t."""
    return (1 - beta1) / (1 - _mu_product(t, beta1, momentum_decay))


@wrong("weight_g")
def nadam_g_uncorrected(t, beta1, momentum_decay):
    """The share of g is not corrected: it is divided by 1 minus the product of all mu so far."""
    return 1 - _mu(t, beta1, momentum_decay)


def _mu(t, beta1, momentum_decay):
    return beta1 * (1 - 0.5 * 0.96 ** (t * momentum_decay))


def _mu_product(t, beta1, momentum_decay):
    result = 1.0
    for i in range(1, t + 1):
        result *= _mu(i, beta1, momentum_decay)
    return result


NADAM = (
    *steps.DIRECTION,
    nadam_is_adam,
    nadam_weights_swapped,
    nadam_without_g,
    mu_constant,
    nadam_powers_for_product,
    nadam_mu_of_now,
    nadam_product_one_short,
    nadam_product_one_long,
    nadam_mu_from_0,
    nadam_m_with_mu,
    nadam_g_with_mu,
    nadam_g_uncorrected,
    nadam_uncorrected,
    nadam_share_of_next,
    nadam_share_of_beta1,
    *bias_correction.SECOND_CORRECTION,
    *(mistake.on(m_hat="m_bar") for mistake in steps.DENOMINATOR),
    *moments.FIRST_MOMENT,
    *moments.SECOND_MOMENT,
    returned.state_not_returned,
    returned.moments_returned_swapped,
)

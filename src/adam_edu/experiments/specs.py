"""The experiments of Kingma and Ba (2015), section 6: one spec for each figure.

Where the paper leaves something open, ``choices`` says what was chosen here.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import product

from torch import Tensor, nn

from ..problems.networks import (
    ConvolutionalNetwork,
    LogisticRegression,
    Loss,
    MultilayerNetwork,
    VariationalAutoencoder,
    cross_entropy,
    negative_elbo,
    size,
)
from ..problems.transformer import Transformer

Shape = tuple[int, ...]


def constant(t: Tensor | int) -> Tensor | float:
    """Schedule: the learning rate stays as it is."""
    return 1.0


def inverse_square_root(t: Tensor | int) -> Tensor | float:
    """Schedule: the learning rate of step ``t`` = 1, 2, ... is alpha / sqrt(t)."""
    return t**-0.5


def logistic_regression(shape: Shape, classes: int, noisy: bool) -> nn.Module:
    """Return the model of section 6.1; with noise, half of the features are dropped."""
    return LogisticRegression(size(shape), classes, p=0.5 if noisy else 0.0)


def multilayer_network(shape: Shape, classes: int, noisy: bool) -> nn.Module:
    """Return the model of section 6.2; with noise, half of the hidden units are dropped."""
    return MultilayerNetwork(size(shape), classes, p=0.5 if noisy else 0.0)


def convolutional_network(shape: Shape, classes: int, noisy: bool) -> nn.Module:
    """Return the model of section 6.3, with noise or without."""
    return ConvolutionalNetwork(
        shape, classes, p_input=0.2 if noisy else 0.0, p=0.5 if noisy else 0.0
    )


def variational_autoencoder(shape: Shape, classes: int, noisy: bool) -> nn.Module:
    """Return the model of section 6.4."""
    return VariationalAutoencoder(size(shape))


def transformer(shape: Shape, classes: int, noisy: bool) -> nn.Module:
    """Return a transformer of one block, to predict the next word; it has no noise."""
    (context,) = shape
    return Transformer(context, classes, width=32, heads=4, depth=1)


@dataclass(frozen=True)
class Entrant:
    """One optimizer in a comparison: a rule with everything but its learning rate.

    ``label`` names its curve; ``hyper`` are the rule's fields that differ from its defaults.
    ``constant`` exempts it from the experiment's schedule. ``rates`` are its own grid, for a rule
    whose rates are of another size than the others'; else it has the experiment's.
    """

    label: str
    rule: str
    hyper: dict[str, float] = field(default_factory=dict)
    constant: bool = False
    rates: tuple[float, ...] = ()


@dataclass(frozen=True)
class Spec:
    """One experiment: what is trained, on what, by whom, for how long.

    Attributes
    ----------
    figure, claim : the paper's figure, and what the paper says that it shows
    choices : what the paper leaves open, and what was chosen here
    data, quick_data : data sets, for a full and for a quick run
    images : examples keep the shape of images, and are whitened; else they are rows
    model : from an example's shape, the number of classes and "with dropout?" to a module; like
        the schedule a function with a name, so that other processes can be told of it
    loss : the objective, without the L2 penalty ``l2 / 2 * |weights|^2``
    dropout : which versions are run
    schedule : factor on the learning rate at step t
    grid : the learning rates tried, for every entrant without a grid of its own
    tuning_epochs : length of a tuning run; 0 if the grid itself is the experiment
    epochs : length of the run of each seed 0, 1, 2, ...
    steps : length of an epoch in minibatches, drawn anew from the whole training set each time; 0
        if an epoch goes once through it
    test_examples : so many of the test set at most, spread evenly over it; 0 for all
    groups : of classes, from the most frequent to the rarest, with equal shares of the training
        labels, for which the test loss is recorded by itself; 0 for none
    margin : a rate is not chosen if the next higher one of its grid diverged
    one_by_one : on a GPU too, one run at a time, since a single one keeps it busy
    tf32 : on a GPU, matrix products and convolutions with TF32's 10 bits of mantissa
    bfloat16 : products in bfloat16, unless told otherwise, on a processor that is faster with it
    """

    name: str
    figure: str
    claim: str
    choices: str
    data: str
    quick_data: str
    model: Callable[[Shape, int, bool], nn.Module]
    entrants: tuple[Entrant, ...]
    grid: tuple[float, ...]
    epochs: tuple[int, ...]
    tuning_epochs: int
    loss: Loss = cross_entropy
    batch: int = 128
    steps: int = 0
    test_examples: int = 0
    groups: int = 0
    margin: bool = False
    l2: float = 0.0
    dropout: tuple[bool, ...] = (False,)
    schedule: Callable[[Tensor | int], Tensor | float] = constant
    images: bool = False
    one_by_one: bool = False
    tf32: bool = False
    bfloat16: bool = False

    def rates(self, entrant: Entrant) -> tuple[float, ...]:
        """Return the learning rates tried for an entrant."""
        return entrant.rates or self.grid


def half_decades(low: int, high: int) -> tuple[float, ...]:
    """Return the learning rates from 10**low to 10**high, two to the decade."""
    return tuple(float(f"{10 ** (k / 2):.3g}") for k in range(2 * low, 2 * high + 1))


def halves(high: float, count: int) -> tuple[float, ...]:
    """Return so many learning rates up to ``high``, each half of the next.

    >>> halves(1.0, 3)
    (0.25, 0.5, 1.0)
    """
    return tuple(high / 2**k for k in reversed(range(count)))


ADAM = Entrant("Adam", "Adam")
ADAGRAD = Entrant("AdaGrad", "AdaGrad")
# AdaGrad's own steps fall as 1 / sqrt(t); under such a schedule they fall twice.
ADAGRAD_CONSTANT = Entrant("AdaGrad, constant rate", "AdaGrad", constant=True)
RMSPROP = Entrant("RMSProp", "RMSProp", {"rho": 0.9})
ADADELTA = Entrant("AdaDelta", "AdaDelta", {"rho": 0.95})
NESTEROV = Entrant("SGD with Nesterov momentum", "Nesterov", {"momentum": 0.9})

SFO = Entrant("SFO", "SFO")  # not a rule: it needs more than a gradient and the slots

OPEN = (
    "A new permutation of the training set each epoch; the last, incomplete minibatch is left "
    "out. Torch's default initial values. The curve is the mean objective over an epoch's "
    "minibatches, without an L2 penalty. Adam's defaults"
)
MOMENTUM = "; momentum 0.9 for Nesterov"
DECAYS = "; decay 0.9 for RMSProp"
ADADELTA_DECAY = " and 0.95 for AdaDelta, as their sources suggest"

TWO_ADAGRADS = (
    "The paper names the alpha / sqrt(t) decay without saying for whom: here it holds for all, and "
    "AdaGrad runs without it as well."
)

LOGISTIC_MNIST = Spec(
    name="logistic-mnist",
    figure="Figure 1, left (section 6.1)",
    claim="Adam converges like SGD with Nesterov momentum, and both faster than AdaGrad.",
    choices=OPEN + MOMENTUM + ". L2 strength 1e-4 on the weights. Pixels from 0 to 1. "
    "The alpha / sqrt(t) decay holds for all.",
    data="mnist",
    quick_data="digits",
    model=logistic_regression,
    entrants=(ADAM, NESTEROV, ADAGRAD),
    schedule=inverse_square_root,
    l2=1e-4,
    grid=half_decades(-3, 1),
    tuning_epochs=45,
    epochs=(45, 45, 45),
)

LOGISTIC_IMDB = Spec(
    name="logistic-imdb",
    figure="Figure 1, right (section 6.1)",
    claim="AdaGrad beats SGD with Nesterov momentum by a large margin on sparse features, with "
    "and without dropout noise; Adam converges as fast as AdaGrad.",
    choices=OPEN + MOMENTUM + DECAYS + ". A feature is 1 if the word occurs and 0 if not. "
    "No L2 penalty. " + TWO_ADAGRADS,
    data="imdb",
    quick_data="synthetic_bow",
    model=logistic_regression,
    entrants=(ADAM, ADAGRAD, RMSPROP, NESTEROV, ADAGRAD_CONSTANT),
    dropout=(True, False),
    schedule=inverse_square_root,
    grid=half_decades(-3, 1),
    tuning_epochs=40,
    epochs=(160, 160, 160),
)

MLP_MNIST = Spec(
    name="mlp-mnist",
    figure="Figure 2 (section 6.2)",
    claim="With dropout, Adam shows better convergence than the other first-order methods.",
    choices=OPEN
    + MOMENTUM
    + DECAYS
    + ADADELTA_DECAY
    + ". Dropout 0.5 on both hidden layers, none on the input. L2 strength 1e-5 on "
    "the weights. The paper's second panel, without dropout, compares Adam with SFO, a "
    "quasi-Newton method, which is left out: here it has the same five optimizers.",
    data="mnist",
    quick_data="digits",
    model=multilayer_network,
    entrants=(ADAM, ADAGRAD, RMSPROP, NESTEROV, ADADELTA),
    dropout=(True, False),
    l2=1e-5,
    bfloat16=True,
    grid=half_decades(-4, 0),
    tuning_epochs=10,
    epochs=(200, 50, 50),
)

MLP_SFO = replace(
    MLP_MNIST,
    name="mlp-mnist-sfo",
    figure="Figure 2 (b): the entrant that is not a first-order method (section 6.2)",
    claim="Without dropout, Adam makes faster progress than SFO, in iterations and in time; an "
    "iteration of SFO takes 5 to 10 times as long.",
    choices="Twenty-five minibatches of 2,400 that stay the same, chosen at random, as the "
    "authors of SFO advise for so many examples; their numbers for all that can be set. The curve "
    "is the mean objective over an epoch's evaluations, without the L2 penalty of strength 1e-5 "
    "on the weights. An epoch is as many evaluations as there are minibatches.",
    entrants=(SFO,),
    dropout=(False,),
    grid=(1.0,),
    tuning_epochs=0,
    bfloat16=False,  # it divides differences of gradients
)

# Tuning after one epoch, as far as our record's budget went, prefers a rate for a short run.
MLP_RATES = replace(
    MLP_MNIST,
    name="mlp-mnist-rates",
    figure="none: a control of our record of figure 2 (a)",
    claim="None of the paper's. Does Adam's place after some epochs hang on its learning rate?",
    choices=OPEN + ". Dropout 0.5 on both hidden layers, none on the input. L2 strength 1e-5 on "
    "the weights.",
    entrants=(ADAM,),
    dropout=(True,),
    grid=(1e-4, 3.16e-4, 1e-3),
    tuning_epochs=0,
    epochs=(50, 13, 13),
)

CNN_CIFAR10 = Spec(
    name="cnn-cifar10",
    figure="Figure 3 (section 6.3)",
    claim="Adam and AdaGrad lower the cost rapidly at first; in the end Adam and SGD converge "
    "considerably faster than AdaGrad.",
    choices=OPEN + MOMENTUM + ". ZCA whitening with 0.01 added to the eigenvalues (pixels from 0 "
    "to 1). Where there is dropout: 0.2 on the input, 0.5 on the layer of 1000. No L2 penalty. "
    "Padding keeps the side at a convolution and halves it at a pooling.",
    data="cifar10",
    quick_data="digits",
    model=convolutional_network,
    entrants=(ADAM, ADAGRAD, NESTEROV),
    dropout=(True, False),
    images=True,
    one_by_one=True,
    tf32=True,
    bfloat16=True,
    grid=half_decades(-4, 0),
    tuning_epochs=5,
    epochs=(45, 45, 45),
)

VAE_MNIST = Spec(
    name="vae-mnist",
    figure="Figure 4 (section 6.4)",
    claim="Without bias correction, beta2 close to 1 makes training unstable, above all in the "
    "first epochs; with it Adam does as well or better, whatever the hyper-parameters.",
    choices=OPEN
    + ", but for the settings of the grid. MNIST (the paper does not name the data), grey "
    "values as probabilities, minibatches of 100 as in Kingma and Welling (2014), one sample for "
    "each example, whole powers of ten for alpha.",
    data="mnist",
    quick_data="digits",
    model=variational_autoencoder,
    loss=negative_elbo,
    batch=100,
    tf32=True,
    bfloat16=True,
    entrants=tuple(
        Entrant(f"{rule}, beta1 {beta1:g}, beta2 {beta2:g}", rule, {"beta1": beta1, "beta2": beta2})
        for rule, beta1, beta2 in product(
            ("Adam", "AdamUncorrected"), (0.0, 0.9), (0.99, 0.999, 0.9999)
        )
    ),
    grid=(1e-5, 1e-4, 1e-3, 1e-2, 1e-1),
    tuning_epochs=0,
    epochs=(100, 100, 100),
)

# A question of the course, and no figure of the paper's.
TRANSFORMER_IMDB = Spec(
    name="transformer-imdb",
    figure="none: our record of a language model",
    claim="None of the paper's. Where does Adam lead SGD: on rare words, or on all?",
    choices="Next-word prediction on film reviews: 2,999 words and one that stands for all others. "
    "Minibatches of 16 pieces of 32 words. A transformer of one block, width 32, four "
    "heads. Torch's default initial values, a constant rate, no clipping, no decay. Momentum 0.9 "
    "and Adam's defaults. Sign descent is Lion with both betas 0.9 and no decay: the sign of the "
    "average that momentum keeps. A tuning run is as long as a run that is reported. A rate is not "
    "taken if the next higher one diverged: without that margin, momentum had 0.8, and diverged on "
    "two of two new seeds.",
    data="imdb_text",
    quick_data="alice",
    model=transformer,
    entrants=(
        Entrant("SGD", "SGD", rates=halves(2.0, 5)),
        Entrant("Momentum", "Momentum", {"momentum": 0.9}, rates=halves(1.6, 6)),
        Entrant(
            "Sign descent",
            "Lion",
            {"beta1": 0.9, "beta2": 0.9, "weight_decay": 0.0},
            rates=halves(1.6e-2, 5),
        ),
        ADAM,
    ),
    grid=halves(3.2e-2, 5),
    batch=16,
    steps=100,
    test_examples=500,
    groups=5,
    margin=True,
    tuning_epochs=8,
    epochs=(8, 8, 8),
)

SPECS: dict[str, Spec] = {
    spec.name: spec
    for spec in (
        LOGISTIC_MNIST,
        LOGISTIC_IMDB,
        MLP_MNIST,
        MLP_RATES,
        MLP_SFO,
        CNN_CIFAR10,
        VAE_MNIST,
        TRANSFORMER_IMDB,
    )
}

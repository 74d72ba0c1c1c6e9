"""The models of Kingma and Ba (2015), section 6, as small Torch modules.

Each takes the generator of its noise as an argument: with one, dropout and sampling are drawn from
it; without one the model is deterministic, as for testing. So a run's random numbers belong to
that run, and a checkpoint can hold them.
"""

from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from math import prod
from typing import Any

try:
    import torch
    import torch.nn.functional as F
    from torch import Generator, Tensor, nn
except ModuleNotFoundError as error:
    wanted = "the networks need Torch: pip install 'adam-edu[torch]'"
    raise ModuleNotFoundError(wanted, name=error.name) from error

from .masks import keep

Loss = Callable[[Callable[..., Any], Any, Tensor, Generator | None], Tensor]


def dropout(x: Tensor, p: float, generator: Generator | None) -> Tensor:
    """Set a share ``p`` of ``x`` to zero and scale the rest by 1 / (1 - p), as in training.

    Returns ``x`` itself without a generator. Source: Srivastava et al. (2014), section 10.
    """
    if generator is None or p == 0:
        return x
    kept = keep(x.shape, p, generator).to(x.dtype)
    return x * (kept / (1 - p))


class LogisticRegression(nn.Module):
    """Multinomial logistic regression: a linear map to the logits of the classes (section 6.1).

    ``p`` is the dropout noise on the features, 0.5 in the paper's experiment on film reviews. On
    the CPU, examples may come as a SciPy matrix of their non-zeros (:mod:`.sparse`).
    """

    def __init__(self, features: int, classes: int, p: float = 0.0) -> None:
        super().__init__()
        self.linear = nn.Linear(features, classes)
        self.p = p

    def forward(self, x: Any, generator: Generator | None = None) -> Tensor:
        """Map (batch, features) to logits (batch, classes)."""
        return self.noisy_linear(x, self.linear.weight, self.linear.bias, generator)

    def side_by_side(
        self, parameters: Mapping[str, Tensor], x: Any, generator: Generator | None = None
    ) -> Tensor:
        """Map (batch, features) to the logits of several such models, (runs, batch, classes).

        ``parameters`` are theirs, each with a leading run axis. One product serves all, and all see
        the same noise.
        """
        weight, bias = parameters["linear.weight"], parameters["linear.bias"]
        logits = self.noisy_linear(x, weight.flatten(0, 1), bias.flatten(), generator)
        return logits.view(-1, *bias.shape).transpose(0, 1)

    def noisy_linear(
        self, x: Any, weight: Tensor, bias: Tensor, generator: Generator | None
    ) -> Tensor:
        """Map (batch, features) to (batch, outputs), with dropout on the features."""
        if isinstance(x, Tensor):
            return F.linear(dropout(x, self.p, generator), weight, bias)
        from . import sparse

        return sparse.linear(sparse.dropout(x, self.p, generator), weight, bias)


class MultilayerNetwork(nn.Module):
    """Two hidden layers of ReLU units, 1000 each in the paper (section 6.2).

    ``p`` is the dropout on both hidden layers.
    """

    def __init__(self, features: int, classes: int, p: float = 0.0, hidden: int = 1000) -> None:
        super().__init__()
        self.first = nn.Linear(features, hidden)
        self.second = nn.Linear(hidden, hidden)
        self.output = nn.Linear(hidden, classes)
        self.p = p

    def forward(self, x: Tensor, generator: Generator | None = None) -> Tensor:
        """Map (batch, features) to logits (batch, classes)."""
        x = dropout(F.relu(self.first(x)), self.p, generator)
        x = dropout(F.relu(self.second(x)), self.p, generator)
        return self.output(x)


class ConvolutionalNetwork(nn.Module):
    """c64-c64-c128-1000: three 5x5 convolutions, each with a 3x3 max pooling of stride 2 (6.3).

    Convolutions and poolings are padded, so that a pooling halves the side: 32, 16, 8, 4.
    ``p_input`` and ``p`` are the dropout on the input and on the layer of 1000.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        classes: int,
        p_input: float = 0.0,
        p: float = 0.0,
        channels: tuple[int, ...] = (64, 64, 128),
        hidden: int = 1000,
    ) -> None:
        super().__init__()
        colours, height, width = shape
        self.convolutions = nn.ModuleList(
            nn.Conv2d(n_in, n_out, kernel_size=5, padding=2)
            for n_in, n_out in pairwise((colours, *channels))
        )
        for _ in self.convolutions:
            height, width = (height + 1) // 2, (width + 1) // 2
        self.hidden = nn.Linear(channels[-1] * height * width, hidden)
        self.output = nn.Linear(hidden, classes)
        self.p_input = p_input
        self.p = p

    def forward(self, x: Tensor, generator: Generator | None = None) -> Tensor:
        """Map (batch, channels, height, width) to logits (batch, classes)."""
        x = dropout(x, self.p_input, generator)
        for convolution in self.convolutions:
            # The same as the other way round, on a quarter of the numbers.
            x = F.relu(F.max_pool2d(convolution(x), kernel_size=3, stride=2, padding=1))
        x = F.relu(self.hidden(x.flatten(1)))
        return self.output(dropout(x, self.p, generator))


class VariationalAutoencoder(nn.Module):
    """A Gaussian encoder and a Bernoulli decoder with softplus units (section 6.4).

    As in Kingma and Welling (2014), appendix C, with 500 hidden units on either side and 50
    latent variables with a spherical Gaussian prior.
    """

    def __init__(self, features: int, hidden: int = 500, latent: int = 50) -> None:
        super().__init__()
        self.encoder = nn.Linear(features, hidden)
        self.posterior = nn.Linear(hidden, 2 * latent)
        self.decoder = nn.Linear(latent, hidden)
        self.output = nn.Linear(hidden, features)

    def forward(
        self, x: Tensor, generator: Generator | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Map (batch, features) to the decoder's logits, and the posterior's mean and log variance.

        One sample of the latent variables for each example; their mean without a generator.
        """
        mean, log_variance = self.posterior(F.softplus(self.encoder(x))).chunk(2, dim=-1)
        z = mean
        if generator is not None:
            noise = torch.randn(mean.shape, generator=generator, device=x.device)
            z = mean + torch.exp(log_variance / 2) * noise
        return self.output(F.softplus(self.decoder(z))), mean, log_variance


def cross_entropy(
    model: Callable[..., Any], x: Any, y: Tensor, generator: Generator | None = None
) -> Tensor:
    """Return the mean negative log likelihood of the labels ``y``, in nats.

    The model maps an example to logits (classes,), or to (context, classes) where it has a label
    for each word.
    """
    return F.cross_entropy(model(x, generator).flatten(0, -2), y.flatten())


def negative_elbo(
    model: Callable[..., Any],
    x: Tensor,
    y: Tensor,
    generator: Generator | None = None,
) -> Tensor:
    """Return the mean negative evidence lower bound of the images ``x``, in nats; ``y`` is unused.

    Grey values from 0 to 1 are taken as probabilities of the Bernoulli variables. Source: Kingma
    and Welling (2014), equation 10.
    """
    logits, mean, log_variance = model(x, generator)
    reconstruction = F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1)
    divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1)
    return (reconstruction + divergence).mean()


def l2_penalty(parameters: Iterable[Tensor], strength: float) -> Tensor | float:
    """Return ``strength / 2`` times the sum of the squared weights; biases are left out."""
    if strength == 0:
        return 0.0
    return strength / 2 * sum(w.square().sum() for w in parameters if w.ndim > 1)


def build(model: Callable[[], nn.Module], seed: int) -> nn.Module:
    """Build a model with Torch's default initial values, drawn from ``seed`` and nothing else."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return model()


def size(shape: tuple[int, ...]) -> int:
    """Return how many features an example of this shape has once it is flattened."""
    return prod(shape)

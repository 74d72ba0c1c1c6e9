"""The Torch models of the paper's experiments."""

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array
from torch import nn

from adam_edu.problems import networks, sparse


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def parameters(model):
    return sum(p.numel() for p in model.parameters())


def test_architectures_have_the_papers_sizes():
    assert parameters(networks.LogisticRegression(784, 10)) == 7850
    assert parameters(networks.MultilayerNetwork(784, 10)) == 785_000 + 1_001_000 + 10_010
    convolutions = 64 * (3 * 25 + 1) + 64 * (64 * 25 + 1) + 128 * (64 * 25 + 1)
    dense = (128 * 4 * 4 + 1) * 1000 + 10_010
    assert parameters(networks.ConvolutionalNetwork((3, 32, 32), 10)) == convolutions + dense
    vae = 785 * 500 + 501 * 100 + 51 * 500 + 501 * 784
    assert parameters(networks.VariationalAutoencoder(784)) == vae


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 8, 8), (1, 28, 28)])
def test_convolutional_network_takes_any_image_size(shape):
    logits = networks.ConvolutionalNetwork(shape, 10)(torch.rand(2, *shape))
    assert logits.shape == (2, 10)


def test_dropout_keeps_the_mean_and_drops_its_share():
    x = torch.ones(200, 500)
    y = networks.dropout(x, 0.2, generator())
    assert (y == 0).float().mean() == pytest.approx(0.2, abs=0.01)
    assert y.mean() == pytest.approx(1.0, abs=0.01)
    assert networks.dropout(x, 0.2, None) is x


@pytest.mark.parametrize(
    "model",
    [
        networks.LogisticRegression(16, 3, p=0.5),
        networks.MultilayerNetwork(16, 3, p=0.5, hidden=8),
        networks.ConvolutionalNetwork((1, 4, 4), 3, p_input=0.2, p=0.5),
    ],
    ids=lambda model: type(model).__name__,
)
def test_noise_comes_from_the_generator_alone(model):
    x = torch.rand(5, 1, 4, 4) if isinstance(model, networks.ConvolutionalNetwork) else None
    x = torch.rand(5, 16) if x is None else x
    torch.testing.assert_close(model(x, generator(1)), model(x, generator(1)), rtol=0, atol=0)
    assert not torch.equal(model(x, generator(1)), model(x, generator(2)))
    assert torch.equal(model(x), model(x))


def test_sparse_linear_has_the_dense_layers_value_and_gradients():
    x = torch.rand(5, 7, generator=generator(), dtype=torch.float64) * (
        torch.rand(5, 7, generator=generator(1)) > 0.6
    )
    layer = nn.Linear(7, 3).double()
    g = torch.rand(5, 3, generator=generator(2), dtype=torch.float64)
    dense = layer(x)
    expected = torch.autograd.grad(dense, list(layer.parameters()), g)
    out = sparse.linear(csr_array(x.numpy()), layer.weight, layer.bias)
    found = torch.autograd.grad(out, list(layer.parameters()), g)
    torch.testing.assert_close(out, dense)
    torch.testing.assert_close(found, expected)


def test_sparse_dropout_drops_its_share_and_keeps_the_mean():
    x = csr_array(np.ones((200, 500), np.float32))
    y = sparse.dropout(x, 0.2, generator())
    assert y.dtype == np.float32
    assert (y.data == 0).mean() == pytest.approx(0.2, abs=0.01)
    assert y.mean() == pytest.approx(1.0, abs=0.01)
    assert sparse.dropout(x, 0.2, None) is x
    again = sparse.dropout(x, 0.2, generator())
    assert (again != y).nnz == 0
    assert x.data.min() == 1


def test_initial_values_come_from_the_seed_and_leave_the_global_state_alone():
    before = torch.get_rng_state()
    first, again, other = (networks.build(lambda: nn.Linear(3, 4), seed) for seed in (1, 1, 2))
    assert torch.equal(first.weight, again.weight)
    assert not torch.equal(first.weight, other.weight)
    assert torch.equal(torch.get_rng_state(), before)


def test_negative_elbo_agrees_with_torch_distributions():
    """The same bound from Torch's own Bernoulli, Normal and Kullback-Leibler divergence."""
    from torch.distributions import Bernoulli, Normal, kl_divergence

    model = networks.VariationalAutoencoder(12, hidden=7, latent=3).double()
    x = (torch.rand(6, 12) > 0.5).double()
    logits, mean, log_variance = model(x, generator(3))
    posterior = Normal(mean, torch.exp(log_variance / 2))
    prior = Normal(torch.zeros_like(mean), torch.ones_like(mean))
    likelihood = Bernoulli(logits=logits).log_prob(x).sum(1)
    expected = (kl_divergence(posterior, prior).sum(1) - likelihood).mean()
    found = networks.negative_elbo(model, x, torch.zeros(6), generator(3))
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


def test_l2_penalty_gradient_is_the_weights_and_spares_biases():
    layer = nn.Linear(3, 2).double()
    networks.l2_penalty(layer.parameters(), 0.25).backward()
    torch.testing.assert_close(layer.weight.grad, 0.25 * layer.weight.detach())
    assert layer.bias.grad is None
    assert networks.l2_penalty(layer.parameters(), 0.0) == 0.0

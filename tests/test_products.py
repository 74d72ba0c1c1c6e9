"""Products in bfloat16: what is rounded, that all of it is, and how little it matters."""

from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny_experiments import SPEC, small_task
from torch import nn

from adam_edu.experiments import products as module, reproduce
from adam_edu.experiments.products import best_precision, named, products
from adam_edu.experiments.specs import SPECS
from adam_edu.experiments.train import EagerRun
from adam_edu.experiments.trials import Trial


def rounded(x):
    return x.bfloat16().float()


def linear(batch, inputs, outputs):
    """Return a layer, what goes through it, and what comes back, products in bfloat16."""
    torch.manual_seed(0)
    layer, x = nn.Linear(inputs, outputs), torch.randn(batch, inputs, requires_grad=True)
    gradient = torch.randn(batch, outputs)
    with products("bfloat16-products"):
        y = layer(x)
        y.backward(gradient)
    return layer, x, gradient, y.detach()


def found_and_made_of(sides, layer, x, gradient, y):
    """Return each product of a linear layer, and what it is of sides treated like this."""
    x_, w, g = sides(x.detach()), sides(layer.weight.detach()), sides(gradient)
    yield y, x_ @ w.T + layer.bias.detach()
    yield x.grad, g @ w
    yield layer.weight.grad, g.T @ x_


def test_a_linear_layers_products_are_of_rounded_numbers_forward_and_backward():
    layer, *rest = linear(256, 300, 200)
    for found, made in found_and_made_of(rounded, layer, *rest):
        torch.testing.assert_close(found, made, rtol=1e-5, atol=1e-4)
    for found, made in found_and_made_of(lambda x: x, layer, *rest):
        assert (found - made).abs().max() > 1e-3  # ten times what is allowed above
    torch.testing.assert_close(layer.bias.grad, rest[1].sum(0), rtol=1e-2, atol=1e-2)


def test_a_small_product_is_of_rounded_numbers_or_exact():
    made = zip(
        found_and_made_of(rounded, *linear(8, 30, 20)),
        found_and_made_of(lambda x: x, *linear(8, 30, 20)),
        strict=True,
    )
    for (found, of_rounded), (_, exact) in made:
        assert any(torch.allclose(found, one, atol=1e-5) for one in (of_rounded, exact))


def test_a_convolutions_products_are_of_rounded_numbers():
    torch.manual_seed(0)
    layer, x = nn.Conv2d(3, 4, 3, bias=False), torch.randn(2, 3, 8, 8)
    with products("bfloat16-products"):
        y = layer(x)
        y.sum().backward()
    exact = nn.functional.conv2d(rounded(x), rounded(layer.weight.detach()))
    torch.testing.assert_close(y.detach(), exact)
    assert layer.weight.grad.dtype is torch.float32


def test_weights_state_and_loss_stay_in_float32_and_differ_from_rounded_ones():
    run = EagerRun(SPEC, small_task(SPEC), Trial(SPEC.entrants[0], 1e-3, False, 0, 1))
    with products("bfloat16-products"):
        run.train_epoch()
    weights = [p.detach() for p in run.model.parameters()]
    slots = [s for state in run.optimizer.state.values() for s in state.values()]
    tensors = weights + [s for s in slots if isinstance(s, torch.Tensor) and s.ndim]
    assert {t.dtype for t in tensors} == {torch.float32}
    assert not all(torch.equal(w, rounded(w)) for w in weights)


def test_float32_leaves_every_bit_as_it_is():
    x, y = torch.randn(50, 60), torch.randn(60, 70)
    with products("float32"):
        assert torch.equal(x @ y, x @ y)
        inside = x @ y
    assert torch.equal(inside, x @ y)


def test_the_choice_follows_the_processor(monkeypatch):
    monkeypatch.setattr(module, "has_bfloat16", lambda: True)
    assert best_precision("cpu") == "bfloat16-products"
    assert best_precision("cuda") == "float32"
    assert named("bfloat16-products") == "float32, products in bfloat16 (rounded by the processor)"
    monkeypatch.setattr(module, "has_bfloat16", lambda: False)
    assert best_precision("cpu") == "float32"
    assert named("bfloat16-products") == "float32, products in bfloat16 (rounded by hand)"
    assert named("float32") == "float32"


def test_where_onednn_does_not_round_it_is_done_by_hand(monkeypatch):
    monkeypatch.setattr(module, "_onednn_in_bfloat16", nullcontext)  # as if it did nothing
    module.has_bfloat16.cache_clear()
    try:
        assert not module.has_bfloat16()
        layer, *rest = linear(8, 30, 20)
    finally:
        module.has_bfloat16.cache_clear()
    for found, made in found_and_made_of(rounded, layer, *rest):
        torch.testing.assert_close(found, made)


def test_the_switch_of_onednn_is_put_back(monkeypatch):
    monkeypatch.setattr(module, "has_bfloat16", lambda: True)
    before = torch.backends.mkldnn.matmul.fp32_precision
    with products("bfloat16-products"):
        assert torch.backends.mkldnn.matmul.fp32_precision == "bf16"
    assert torch.backends.mkldnn.matmul.fp32_precision == before


def test_an_unknown_precision_is_refused():
    told = "must be one of float32, bfloat16-products, not 'int8'"
    with pytest.raises(ValueError, match=told), products("int8"):
        pass


def test_only_what_is_bound_by_products_takes_bfloat16_by_itself():
    assert {name for name, spec in SPECS.items() if spec.bfloat16} == {
        "mlp-mnist", "mlp-mnist-rates", "cnn-cifar10", "vae-mnist",
    }  # fmt: skip


def test_rounding_moves_the_curves_less_than_another_seed_does(tmp_path):
    """The mean of three seeds, with and without rounding, beside the spread of the seeds."""
    spec = replace(
        SPEC,
        entrants=SPEC.entrants[:2],
        grid=(3e-3,),
        epochs=(8, 8, 8),
        tuning_epochs=0,
        dropout=(False,),
    )
    task = small_task(spec)
    losses = {}
    for precision in ("float32", "bfloat16-products"):
        found = reproduce.Reproduction(spec, task, tmp_path, precision=precision).run()
        losses[precision] = np.array([run["train"] for run in found["runs"]])
    exact, short = losses["float32"], losses["bfloat16-products"]
    assert not np.array_equal(exact, short)
    for entrant in range(len(spec.entrants)):
        mine = slice(entrant, None, len(spec.entrants))  # seed by seed
        seeds = np.ptp(exact[mine], axis=0)
        moved = np.abs(exact[mine].mean(0) - short[mine].mean(0))
        assert np.median(moved / seeds) < 0.2

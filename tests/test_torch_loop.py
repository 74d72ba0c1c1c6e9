"""The step of a training loop, and the networks that try its faults side by side."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from adam_edu.torch.loop import decay_groups, edited, train_step
from adam_edu.torch.side_by_side import trained

OFF = torch.amp.GradScaler("cpu", enabled=False)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 4), nn.LayerNorm(4), nn.Linear(4, 3)).double()


@pytest.fixture
def batch():
    rng = np.random.default_rng(0)
    return torch.tensor(rng.normal(size=(12, 5))), torch.tensor(rng.integers(3, size=12))


def loss_of(outputs, labels):
    return nn.functional.cross_entropy(outputs, labels, reduction="sum")


def stepped(model, batch, *, cut=(12,), scaler=OFF, max_norm=1e9, step=train_step, steps=3):
    """Return the weights after steps of SGD from those of the model, which stays as it is."""
    model = copy.deepcopy(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda t: 0.5**t)
    parts = list(zip(batch[0].split(cut), batch[1].split(cut), strict=True))
    for _ in range(steps):
        step(model, loss_of, parts, optimizer, schedule, scaler, max_norm)
    return nn.utils.parameters_to_vector(model.parameters()).detach()


@pytest.mark.parametrize("cut", [(6, 6), (11, 1), (5, 4, 3), (1,) * 12])
def test_parts_of_any_sizes_make_the_step_of_the_whole(model, batch, cut):
    torch.testing.assert_close(stepped(model, batch, cut=cut), stepped(model, batch))


def test_the_whole_is_the_mean_of_the_examples(model, batch):
    loss = nn.functional.cross_entropy(model(batch[0]), batch[1])
    gradients = torch.autograd.grad(loss, list(model.parameters()))
    before = nn.utils.parameters_to_vector(model.parameters())

    expected = before - 0.1 * nn.utils.parameters_to_vector(gradients)

    torch.testing.assert_close(stepped(model, batch, steps=1), expected)


def test_a_scale_changes_no_bit_also_where_gradients_are_clipped(model, batch):
    scaler = torch.amp.GradScaler("cpu")

    assert torch.equal(
        stepped(model, batch, scaler=scaler, max_norm=0.1), stepped(model, batch, max_norm=0.1)
    )


def test_clipped_steps_have_the_length_that_was_asked_for(model, batch):
    start = nn.utils.parameters_to_vector(model.parameters()).detach()
    moved = stepped(model, batch, max_norm=0.01, steps=1) - start

    assert moved.norm().item() == pytest.approx(0.1 * 0.01, rel=1e-3)


@pytest.mark.filterwarnings("ignore:Detected call of `lr_scheduler.step")
def test_a_step_that_is_not_finite_is_left_out(model, batch):
    batch[0][0, 0] = torch.inf
    start = nn.utils.parameters_to_vector(model.parameters())

    assert torch.equal(stepped(model, batch, scaler=torch.amp.GradScaler("cpu")), start)
    assert stepped(model, batch).isnan().any()


def test_in_half_precision_weights_and_gradients_stay_in_float32(model, batch):
    model = model.float()
    optimizer = torch.optim.AdamW(decay_groups(model, 0.1))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda t: 1.0)
    kept = []

    def of_outputs(outputs, labels):
        kept.append(outputs.dtype)
        return loss_of(outputs.float(), labels)

    parts = [(batch[0].float(), batch[1])]
    train_step(model, of_outputs, parts, optimizer, schedule, OFF, half=torch.bfloat16)

    assert kept == [torch.bfloat16]
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert {s["exp_avg"].dtype for s in optimizer.state.values()} == {torch.float32}


def test_every_parameter_is_in_one_group_and_matrices_alone_decay(model):
    decaying, others = decay_groups(model, 0.1)

    assert [tuple(p.shape) for p in decaying["params"]] == [(4, 5), (3, 4)]
    assert (decaying["weight_decay"], others["weight_decay"]) == (0.1, 0.0)
    assert {*decaying["params"], *others["params"]} == {*model.parameters()}
    assert len(decaying["params"]) + len(others["params"]) == len(list(model.parameters()))


def test_an_edited_step_does_what_it_says(model, batch):
    late = edited(("clip_grad_norm_(model.parameters(), max_norm)", "pass"))

    assert torch.equal(stepped(model, batch, step=late, max_norm=0.1), stepped(model, batch))
    with pytest.raises(ValueError, match="2 times"):
        edited(("optimizer)", "model)"))


def sgd(model):
    return torch.optim.SGD(model.parameters(), lr=0.3, momentum=0.9)


@pytest.mark.parametrize("options", [{}, {"max_norm": 0.1}, {"raw": 2}, {"scaled": True}])
def test_a_network_trains_in_company_as_it_does_alone(options):
    def last(seeds):
        *_, model = trained([], sgd, lambda t: 1.0, seeds=seeds, steps=5, **options)
        return model.test_losses()

    alone = [last([seed]).item() for seed in (3, 5)]

    np.testing.assert_allclose(last([3, 5]), alone, rtol=1e-9)


def test_a_network_without_a_number_has_an_infinite_loss():
    *_, model = trained([], sgd, lambda t: 1e300, seeds=[0], steps=3)

    assert model.test_losses().tolist() == [np.inf]

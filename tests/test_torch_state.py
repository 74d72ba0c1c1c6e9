"""What the Torch optimizers keep: checkpoints, devices, precision."""

import copy
import io
import pickle

import pytest
import torch
from torch import nn
from torch_networks import CLOSED_LOOP, network, same, train

import adam_edu.torch as ours
from adam_edu import RULES

cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


# Checkpoints


@pytest.mark.parametrize("name", RULES)
def test_going_on_from_a_checkpoint_changes_nothing(name):
    whole, half = network(), network()
    made = optimizer_of(name, whole)
    train(whole, made, 6)
    first = optimizer_of(name, half)
    train(half, first, 3)
    file = io.BytesIO()
    torch.save({"model": half.state_dict(), "optimizer": first.state_dict()}, file)
    file.seek(0)
    saved = torch.load(file, weights_only=True)
    resumed = network(seed=9)
    resumed.load_state_dict(saved["model"])
    second = optimizer_of(name, resumed)
    second.load_state_dict(saved["optimizer"])
    generator_skips(resumed, second)
    same(whole, resumed, 0.0)


def optimizer_of(name, model):
    return getattr(ours, name)(model.parameters())


def generator_skips(model, made):
    """Go on from step 3 to 6 of what ``train`` does."""
    generator = torch.Generator().manual_seed(1)
    for t in range(6):
        x = torch.randn(32, 8, generator=generator, dtype=torch.float64)
        if t < 3:
            continue
        y = (x[:, :3] + 0.1 * x[:, 3:6]).argmax(1)
        made.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        made.step()


@pytest.mark.parametrize("name", CLOSED_LOOP)
def test_a_checkpoint_of_torchs_namesake_is_taken_over(name):
    mine, theirs, arguments = CLOSED_LOOP[name]
    model, other = network(), network()
    before = getattr(torch.optim, theirs)(model.parameters(), **arguments)
    train(model, before, 5)
    other.load_state_dict(model.state_dict())
    after = getattr(ours, mine)(other.parameters(), **arguments)
    after.load_state_dict(before.state_dict())
    train(model, before, 5)
    train(other, after, 5)
    same(model, other, 1e-12)


def test_another_optimizers_checkpoint_is_refused_before_anything_changes():
    model = network()
    adam = ours.Adam(model.parameters())
    train(model, adam, 2)
    before = copy.deepcopy(adam.state_dict())
    momentum = ours.AdaGrad(model.parameters())
    train(model, momentum, 1)
    with pytest.raises(ValueError, match="keeps m, v"):
        adam.load_state_dict(momentum.state_dict())
    other = nn.Linear(2, 2)
    few = ours.Adam(other.parameters())
    with pytest.raises(ValueError, match="groups of"):
        adam.load_state_dict(few.state_dict())
    wrong = copy.deepcopy(before)
    wrong["state"][0]["exp_avg"] = torch.zeros(1)
    with pytest.raises(ValueError, match="shape"):
        adam.load_state_dict(wrong)
    for number, entries in adam.state_dict()["state"].items():
        assert entries["step"] == before["state"][number]["step"]
        assert torch.equal(entries["exp_avg"], before["state"][number]["exp_avg"])


def test_a_checkpoint_goes_to_another_dtype():
    model = network()
    made = ours.Adam(model.parameters())
    train(model, made, 2)
    low = network(torch.bfloat16)
    other = ours.Adam(low.parameters())
    other.load_state_dict(made.state_dict())
    for p, q in zip(model.parameters(), low.parameters(), strict=True):
        assert other.state[q]["m"].dtype is torch.float32
        torch.testing.assert_close(other.state[q]["m"], made.state[p]["m"].float())
        assert other.state[q]["step"] == 2


@cuda
@pytest.mark.parametrize("name", RULES)
def test_cuda_computes_what_the_cpu_does(name):
    model, other = network(), network().cuda()
    made = optimizer_of(name, model)
    train(model, made, 3)
    other.load_state_dict(model.state_dict())
    there = optimizer_of(name, other)
    there.load_state_dict(made.state_dict())
    for p, q in zip(model.parameters(), other.parameters(), strict=True):
        q.grad = p.grad.cuda()
    made.step()
    with torch.cuda.device(0):
        torch.cuda.set_sync_debug_mode("error")
        try:
            there.step()
        finally:
            torch.cuda.set_sync_debug_mode("default")
    same(model, other.cpu(), 1e-12)


def test_copies_and_pickles_go_on():
    model = network()
    made = ours.AdamW(model.parameters(), implementation="eager", state_dtype=torch.float32)
    train(model, made, 2)
    for clone in (copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert type(clone) is type(made)
        assert (clone.implementation, clone.state_dtype) == ("eager", torch.float32)
        p = clone.param_groups[0]["params"][0]
        p.grad = torch.ones_like(p)
        clone.step()
        assert clone.state[p]["step"] == 3


# Precision


def test_a_second_moment_in_bfloat16_never_decays():
    p = torch.zeros(1, dtype=torch.bfloat16, requires_grad=True)
    seen = {}
    for dtype in (torch.bfloat16, None):
        made = ours.Adam([p], lr=0.0, state_dtype=dtype)
        p.grad = torch.zeros_like(p)
        made.step()
        made.state[p]["v"].fill_(1.0)
        for _ in range(1000):
            made.step()
        seen[dtype] = made.state[p]["v"].item()
    assert seen[torch.bfloat16] == 1.0  # 0.999 rounds to 1 in 8 bits of mantissa
    assert seen[None] == pytest.approx(0.999**1000, rel=1e-4)


@pytest.mark.parametrize("implementation", ["eager", "compiled"])
def test_low_precision_parameters_have_float32_state(implementation):
    model, exact = network(torch.bfloat16), network(torch.float32)
    exact.load_state_dict(model.state_dict())
    made = ours.Adam(model.parameters(), lr=0.01, implementation=implementation)
    train(model, made, 40, dtype=torch.bfloat16)
    train(exact, ours.Adam(exact.parameters(), lr=0.01), 40, dtype=torch.float32)
    for p, q in zip(model.parameters(), exact.parameters(), strict=True):
        assert made.state[p]["v"].dtype is torch.float32
        assert (p - q).abs().max() < 0.1


def test_grad_scaler_skips_a_step_that_overflowed():
    model = network()
    made = ours.Adam(model.parameters())
    scaler = torch.amp.GradScaler("cpu", init_scale=8.0)
    before = copy.deepcopy(model)
    for factor, moved in [(float("inf"), False), (1.0, True)]:
        made.zero_grad()
        loss = model(torch.ones(2, 8, dtype=torch.float64)).sum() * factor
        scaler.scale(loss).backward()
        scaler.step(made)
        scaler.update()
        same_now = all(map(torch.equal, model.parameters(), before.parameters()))
        assert same_now is not moved


def test_clipped_gradients():
    results = []
    for module in (ours, torch.optim):
        model = network()
        made = module.Adam(model.parameters())
        for _ in range(3):
            made.zero_grad()
            model(torch.ones(2, 8, dtype=torch.float64)).square().sum().backward()
            nn.utils.clip_grad_norm_(model.parameters(), 0.1)
            nn.utils.clip_grad_value_(model.parameters(), 0.01)
            made.step()
        results.append(model)
    same(*results, 1e-12)

"""The Torch optimizers in training: schedules, checkpoints, precision, tensors of all kinds."""

import copy
import io
import pickle
import re
import subprocess
import sys
import warnings

import pytest
import torch
from torch import nn
from torch.optim import lr_scheduler

import adam_edu.torch as ours
from adam_edu import RULES
from adam_edu.torch import base, native

cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


def network(dtype=torch.float64, seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.LayerNorm(16), nn.Linear(16, 3)).to(dtype)


def train(model, optimizer, steps, schedule=None, dtype=torch.float64):
    """Train on one noisy task; the same minibatches for everyone. Return the losses."""
    generator = torch.Generator().manual_seed(1)
    losses = []
    for _ in range(steps):
        x = torch.randn(32, 8, generator=generator, dtype=torch.float64).to(dtype)
        y = (x[:, :3] + 0.1 * x[:, 3:6]).argmax(1)
        loss = nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if schedule is not None:
            schedule.step()
        losses.append(loss.item())
    return losses


def same(model, other, rtol):
    for p, q in zip(model.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(p, q, rtol=rtol, atol=rtol)


# The settings are ones at which training is stable: elsewhere two runs that differ in their last
# bit drift apart, whoever computes them.
CLOSED_LOOP = {
    "SGD": ("SGD", "SGD", {"lr": 0.05}),
    "Momentum": ("Momentum", "SGD", {"lr": 0.02, "momentum": 0.9}),
    "Nesterov": ("SGD", "SGD", {"lr": 0.02, "momentum": 0.9, "nesterov": True}),
    "AdaGrad": ("AdaGrad", "Adagrad", {"lr": 0.02}),
    "RMSProp": ("RMSProp", "RMSprop", {"lr": 1e-3, "eps": 1e-3}),
    "centered": ("RMSProp", "RMSprop", {"lr": 1e-3, "eps": 1e-2, "centered": True}),
    "AdaDelta": ("AdaDelta", "Adadelta", {"lr": 0.1}),
    "Adam": ("Adam", "Adam", {"lr": 1e-3}),
    "amsgrad": ("Adam", "Adam", {"lr": 1e-3, "amsgrad": True}),
    "AdamL2": ("AdamL2", "Adam", {"lr": 1e-3, "weight_decay": 1e-2}),
    "AdamW": ("AdamW", "AdamW", {"lr": 1e-3, "weight_decay": 1e-2}),
    "AdaMax": ("AdaMax", "Adamax", {"lr": 1e-3}),
}


@pytest.mark.parametrize(("dtype", "rtol"), [(torch.float64, 1e-10), (torch.float32, 1e-3)])
@pytest.mark.parametrize("name", CLOSED_LOOP)
def test_a_thousand_steps_of_a_network_end_where_torchs_do(name, dtype, rtol):
    mine, theirs, arguments = CLOSED_LOOP[name]
    steps = 1000 if dtype is torch.float64 else 100
    model, other = network(dtype), network(dtype)
    losses = train(model, getattr(ours, mine)(model.parameters(), **arguments), steps, dtype=dtype)
    train(other, getattr(torch.optim, theirs)(other.parameters(), **arguments), steps, dtype=dtype)
    same(model, other, rtol)
    assert losses[-1] < losses[0]


def test_nadam_differs_from_torchs_by_the_float32_of_its_product():
    model, other = network(), network()
    train(model, ours.NAdam(model.parameters(), lr=1e-3), 100)
    train(other, torch.optim.NAdam(other.parameters(), lr=1e-3), 100)
    apart = max(
        (p - q).abs().max().item()
        for p, q in zip(model.parameters(), other.parameters(), strict=True)
    )
    assert 1e-12 < apart < 1e-4


def test_radam_differs_from_torchs_by_where_epsilon_stands():
    """Torch adds it before the correction; the paper has none."""

    def apart(eps):
        model, other = network(), network()
        train(model, ours.RAdam(model.parameters(), eps=eps), 100)
        train(other, torch.optim.RAdam(other.parameters(), eps=eps), 100)
        pairs = zip(model.parameters(), other.parameters(), strict=True)
        return max((p - q).abs().max().item() for p, q in pairs)

    assert apart(0.0) < 1e-10
    assert apart(1e-6) > 1e-8


# Schedules


def schedules():
    return {
        "step": lambda o: lr_scheduler.StepLR(o, 5),
        "multistep": lambda o: lr_scheduler.MultiStepLR(o, [3, 7]),
        "constant": lambda o: lr_scheduler.ConstantLR(o, total_iters=5),
        "linear": lambda o: lr_scheduler.LinearLR(o, total_iters=10),
        "exponential": lambda o: lr_scheduler.ExponentialLR(o, 0.9),
        "polynomial": lambda o: lr_scheduler.PolynomialLR(o, 20, 2.0),
        "cosine": lambda o: lr_scheduler.CosineAnnealingLR(o, 20),
        "restarts": lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 7),
        "lambda": lambda o: lr_scheduler.LambdaLR(o, lambda t: 1 / (1 + t)),
        "multiplicative": lambda o: lr_scheduler.MultiplicativeLR(o, lambda t: 0.95),
        "one cycle": lambda o: lr_scheduler.OneCycleLR(o, 0.01, total_steps=25),
        "cyclic": lambda o: lr_scheduler.CyclicLR(o, 1e-3, 1e-2, 5, cycle_momentum=True),
        "sequential": lambda o: lr_scheduler.SequentialLR(
            o, [lr_scheduler.LinearLR(o, 0.1), lr_scheduler.ExponentialLR(o, 0.9)], [5]
        ),
    }


@pytest.mark.parametrize("name", ["Adam", "SGD"])
@pytest.mark.parametrize("schedule", schedules())
def test_every_schedule_moves_it_as_it_moves_torchs(schedule, name):
    arguments = {"lr": 1e-2, **({"momentum": 0.9} if name == "SGD" else {})}
    results = []
    for module in (ours, torch.optim):
        model = network()
        made = getattr(module, name)(model.parameters(), **arguments)
        train(model, made, 22, schedules()[schedule](made))
        results.append((model, [dict(group, params=None) for group in made.param_groups]))
    (model, (mine,)), (other, (theirs,)) = results
    same(model, other, 1e-10)
    for key in {"lr", "betas", "momentum"} & set(mine):
        assert mine[key] == theirs[key]


def test_momentum_is_cycled():
    model = network()
    made = ours.SGD(model.parameters(), lr=0.01)  # of no momentum, until the schedule gives it one
    schedule = lr_scheduler.OneCycleLR(made, 0.01, total_steps=25, base_momentum=0.8)
    train(model, made, 3, schedule)
    assert 0.8 < made.param_groups[0]["momentum"] <= 0.95
    assert set(made.state[next(model.parameters())]) == {"step", "m"}


def test_plateau_schedule():
    model = network()
    made = ours.Adam(model.parameters(), lr=1e-2)
    schedule = lr_scheduler.ReduceLROnPlateau(made, patience=0)
    for _ in range(3):
        schedule.step(1.0)
    assert made.param_groups[0]["lr"] == pytest.approx(1e-4)


def test_a_schedule_never_compiles_again():
    model = network(torch.float32)
    made = ours.Adam(model.parameters(), lr=1e-2, implementation="compiled")
    train(model, made, 2, dtype=torch.float32)
    before = native.kernel.cache_info().misses
    train(model, made, 20, lr_scheduler.CosineAnnealingLR(made, 20), dtype=torch.float32)
    assert native.kernel.cache_info().misses == before


def test_the_rate_may_be_a_tensor():
    rate = torch.tensor(1e-2, dtype=torch.float64)
    model, other = network(), network()
    made = ours.Adam(model.parameters(), lr=rate)
    train(model, made, 5)
    rate.mul_(0.1)
    train(model, made, 5)
    plain = ours.Adam(other.parameters(), lr=1e-2)
    train(other, plain, 5)
    plain.param_groups[0]["lr"] = 1e-3
    train(other, plain, 5)
    same(model, other, 1e-12)


def test_the_final_rate_of_adabound_follows_the_schedule():
    p = torch.ones(1, dtype=torch.float64, requires_grad=True)
    made = ours.AdaBound([p], lr=1e-3, final_lr=0.1)
    made.param_groups[0]["lr"] *= 0.5
    p.grad = torch.ones_like(p)
    made.step()
    expected = RULES["AdaBound"](lr=5e-4, final_lr=0.05).update(1, 1.0, 1.0, 0.0, 0.0)[0]
    assert p.item() == pytest.approx(expected, rel=1e-14)


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
    wrong["state"][0]["m"] = torch.zeros(1)
    with pytest.raises(ValueError, match="shape"):
        adam.load_state_dict(wrong)
    for number, entries in adam.state_dict()["state"].items():
        assert entries["step"] == before["state"][number]["step"]
        assert torch.equal(entries["m"], before["state"][number]["m"])


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


@cuda
def test_a_cuda_graph_captures_steps():
    p = torch.ones(1000, device="cuda", requires_grad=True)
    p.grad = torch.ones_like(p)
    made = ours.Adam([p], capturable=True, implementation="eager")
    made.step()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        made.step()
    for _ in range(3):
        graph.replay()
    torch.cuda.synchronize()
    assert made.state[p]["step"].item() == 4
    torch.testing.assert_close(p, torch.full_like(p, 1 - 4e-3))


@pytest.mark.parametrize("name", [name for name in RULES if name != "NAdam"])
def test_capturable_counts_on_the_device_and_computes_the_same(name):
    model, other = network(), network()
    train(model, optimizer_of(name, model), 4)
    made = getattr(ours, name)(other.parameters(), capturable=True)
    train(other, made, 2)
    state = made.state_dict()
    made = getattr(ours, name)(other.parameters(), capturable=True)
    made.load_state_dict(state)
    steps = {id(entries["step"]) for entries in made.state.values()}
    assert len(steps) == 1
    first = made.state[next(other.parameters())]["step"]
    assert (first.item(), first.dtype) == (2, torch.float64)


def test_nadam_is_not_capturable():
    with pytest.raises(ValueError, match="NAdam has no capturable"):
        ours.NAdam([torch.ones(1, requires_grad=True)], capturable=True)


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


# Tensors of all kinds


def both(tensors, grads, steps=3, name="Adam", **arguments):
    """Step ours, compiled, and the eager one on copies; return both results."""
    results = []
    for implementation in ("compiled", "eager"):
        params = [t.clone(memory_format=torch.preserve_format).requires_grad_() for t in tensors]
        made = getattr(ours, name)(params, lr=0.1, implementation=implementation, **arguments)
        for _ in range(steps):
            for p, g in zip(params, grads, strict=True):
                p.grad = None if g is None else g.clone()
            made.step()
        results.append(params)
    for p, q in zip(*results, strict=True):
        torch.testing.assert_close(p, q, rtol=1e-6, atol=1e-6)
    return results[0]


def test_shapes_and_layouts():
    torch.manual_seed(0)
    tensors = [
        torch.tensor(1.0),
        torch.ones(0),
        torch.ones(3, 0, 2),
        torch.randn(4, 5).t(),
        torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last),
        torch.randn(300_000),  # enough for two threads
    ]
    grads = [torch.randn(t.shape) for t in tensors]  # contiguous, whatever the parameter is
    moved = both(tensors, grads)
    for before, after in zip(tensors, moved, strict=True):
        assert before.numel() == 0 or not torch.equal(before, after)


def test_a_view_with_gaps():
    whole = torch.zeros(4, 6)
    p = whole[:, ::2].requires_grad_()
    made = ours.Adam([p], lr=0.1)
    for _ in range(2):
        p.grad = torch.ones_like(p)
        made.step()
    assert torch.equal(whole[:, 1::2], torch.zeros(4, 3))
    torch.testing.assert_close(whole[:, ::2].detach(), torch.full((4, 3), -0.2))


def test_parameters_without_gradients_stay_and_keep_no_state():
    still, moving = torch.ones(3, requires_grad=True), torch.ones(3, requires_grad=True)
    made = ours.Adam([still, moving], weight_decay=0.1)
    for _ in range(3):
        moving.grad = torch.ones(3)
        made.step()
    assert torch.equal(still, torch.ones(3))
    assert still not in made.state
    still.grad = torch.ones(3)  # joins late: its own step number is 1
    made.step()
    assert (made.state[still]["step"], made.state[moving]["step"]) == (1, 4)
    torch.testing.assert_close(still.detach(), torch.full((3,), 1 - 1e-3))


def test_tied_parameters_are_updated_once():
    model = nn.Module()
    model.a, model.b = nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False)
    model.b.weight = model.a.weight
    made = ours.SGD(model.parameters(), lr=1.0)
    before = model.a.weight.detach().clone()
    (model.a.weight.sum() + model.b.weight.sum()).backward()
    made.step()
    torch.testing.assert_close(model.b.weight.detach(), before - 2.0)


def test_groups_have_their_own_hyper_parameters():
    a, b, c = (torch.ones(2, requires_grad=True) for _ in range(3))
    made = ours.SGD([{"params": [a]}, {"params": [b], "lr": 0.5}], lr=0.1)
    made.add_param_group({"params": [c], "lr": 0.0, "momentum": 0.9})
    for p in (a, b, c):
        p.grad = torch.ones(2)
    made.step()
    assert [p[0].item() for p in (a, b, c)] == pytest.approx([0.9, 0.5, 1.0])
    assert set(made.state[c]) == {"step", "m"}


def test_closure():
    p = torch.ones(2, requires_grad=True)
    made = ours.SGD([p], lr=0.1)

    def closure():
        made.zero_grad()
        loss = p.square().sum()
        loss.backward()
        return loss

    with torch.no_grad():
        assert made.step(closure).item() == 2.0
    torch.testing.assert_close(p.detach(), torch.full((2,), 0.8))


@pytest.mark.parametrize("change", ["data", "state", "slot", "t"])
def test_a_plan_notices_what_was_changed_by_hand(change):
    results = []
    for implementation in ("compiled", "eager"):
        p = torch.arange(5.0, requires_grad=True)
        made = ours.Adam([p], lr=0.1, implementation=implementation)
        for t in range(4):
            p.grad = torch.full_like(p, 1.0 + t)
            made.step()
            if t != 1:
                continue
            if change == "data":
                p.data = torch.ones(3, 2).t().contiguous()[:, :2]
                made.state[p] = {}
            elif change == "state":
                made.state[p] = {"step": 5, "m": torch.ones(5), "v": torch.ones(5)}
            elif change == "slot":
                made.state[p]["v"] = torch.full((5,), 7.0)
            else:
                made.state[p]["step"] = 100
        results.append(p.detach())
    torch.testing.assert_close(*results)


@pytest.mark.parametrize("implementation", ["compiled", "eager"])
def test_autograd_notices_a_step_between_forward_and_backward(implementation):
    model = network()
    made = ours.SGD(model.parameters(), implementation=implementation)
    train(model, made, 3)
    loss = model(torch.ones(2, 8, dtype=torch.float64)).square().sum()
    loss.backward(retain_graph=True)
    made.step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_nothing_changes_if_a_gradient_is_sparse():
    dense, embedding = torch.ones(2, requires_grad=True), nn.Embedding(4, 2, sparse=True)
    made = ours.Adam([dense, *embedding.parameters()])
    dense.grad = torch.ones(2)
    embedding(torch.tensor([1])).sum().backward()
    with pytest.raises(TypeError, match="needs dense gradients"):
        made.step()
    assert torch.equal(dense, torch.ones(2))
    assert not made.state


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"lr": -1.0}, ValueError, "lr must be"),
        ({"betas": (0.9, 1.0)}, ValueError, "beta2 must be"),
        ({"betas": 0.9}, TypeError, "betas must be a pair"),
        ({"weight_decay": -0.1}, ValueError, "weight_decay must be"),
        ({"fused": True}, TypeError, "no argument 'fused'"),
        ({"implementation": "fast"}, ValueError, "implementation must be one of"),
        ({"implementation": "triton", "amsgrad": True}, (ValueError, ImportError), "Triton"),
    ],
)
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        ours.Adam([torch.ones(1, requires_grad=True)], **arguments)


def test_what_cannot_be_optimized_is_refused():
    with pytest.raises(TypeError, match="view_as_real"):
        ours.Adam([torch.ones(2, dtype=torch.complex64, requires_grad=True)])
    with pytest.raises(ValueError, match="nesterov=True needs a momentum"):
        ours.SGD([torch.ones(1, requires_grad=True)], nesterov=True)
    made = ours.Adam([torch.ones(1, requires_grad=True)])
    with pytest.raises(TypeError, match="floating point"):
        made.add_param_group({"params": [torch.ones(2, dtype=torch.complex64, requires_grad=True)]})
    assert len(made.param_groups) == 1


def test_names_are_found_however_they_are_spelled():
    assert ours.RMSprop is ours.RMSProp
    assert ours.Adagrad is ours.AdaGrad
    with pytest.raises(AttributeError, match="did you mean 'AdaMax' or 'Adam'"):
        ours.AdamX  # noqa: B018


def test_a_rule_registered_later_has_its_class(monkeypatch):
    class Halves(RULES["SGD"]):
        pass

    monkeypatch.setitem(RULES, "Halves", Halves)
    p = torch.ones(1, requires_grad=True)
    made = ours.Halves([p], lr=0.5)
    p.grad = torch.ones(1)
    made.step()
    assert p.item() == 0.5


# Compilers


def test_without_a_compiler_one_warning_and_the_eager_step(monkeypatch):
    for cached in (native.kernel, native._compiler, base._kernel, base._warn):
        cached.cache_clear()
    monkeypatch.setenv("CXX", "/no/such/compiler")
    try:
        p = torch.ones(1, requires_grad=True)
        p.grad = torch.ones(1)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for name in ("Adam", "SGD"):
                made = getattr(ours, name)([p], lr=0.25)
                made.step()
                made.step()
        (warning,) = caught
        assert re.search(r"no C\+\+ compiler .* falls back", str(warning.message))
        assert p.item() == pytest.approx(0.0, abs=1e-6)
    finally:
        for cached in (native.kernel, native._compiler, base._kernel):
            cached.cache_clear()


def test_a_whole_training_step_compiles():
    p, q = (torch.ones(10, requires_grad=True) for _ in range(2))
    made, plain = ours.Adam([p], lr=0.1), ours.Adam([q], lr=0.1)

    def step(p, made, x):
        loss = (p * x).square().sum()
        loss.backward()
        made.step()
        made.zero_grad()
        return loss

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compiled = torch.compile(step, backend="aot_eager")
        schedule = lr_scheduler.ExponentialLR(made, 0.9)
        other = lr_scheduler.ExponentialLR(plain, 0.9)
        frames = []
        for _ in range(6):
            compiled(p, made, torch.ones(10))
            step(q, plain, torch.ones(10))
            schedule.step()
            other.step()
            frames.append(torch._dynamo.utils.counters["frames"]["ok"])
    torch.testing.assert_close(p, q)
    assert frames[-1] == frames[2]  # no recompilation as the rate changes


def test_the_program_for_devices_computes_the_rule():
    """The GPU's implementation, compiled for the CPU by the same compiler."""
    code = """
import torch
from adam_edu.torch import AdamW, device
model = [torch.linspace(-1, 1, n).requires_grad_() for n in (5, 300)]
other = [p.detach().clone().requires_grad_() for p in model]
step = device.compiled.__wrapped__
made, plain = AdamW(model, lr=0.1), AdamW(other, lr=0.1, implementation="eager")
made._kernel = lambda *_: None
made._eager = lambda *_: False
for t in range(3):
    made.param_groups[0]["lr"] = plain.param_groups[0]["lr"] = 0.1 / (t + 1)
    for p, q in zip(model, other):
        p.grad = torch.sin(p.detach() * 9 + t)
        q.grad = p.grad.clone()
    made.step()
    plain.step()
for p, q in zip(model, other):
    torch.testing.assert_close(p, q, rtol=1e-6, atol=1e-7)
assert torch._dynamo.utils.counters["frames"]["ok"] == 1, torch._dynamo.utils.counters
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr

"""The Torch optimizers on tensors of all kinds, on bad arguments, and under compilers."""

import re
import warnings

import pytest
import torch
from torch import nn
from torch.optim import lr_scheduler
from torch_networks import network, train

import adam_edu.torch as ours
from adam_edu import RULES
from adam_edu.native import library, loop
from adam_edu.torch import batches

cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


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


def test_a_step_is_planned_for_images_whose_channels_lie_last():
    torch.manual_seed(0)
    model = torch.nn.Conv2d(3, 4, 5).to(memory_format=torch.channels_last)
    plain = torch.nn.Conv2d(3, 4, 5)
    plain.load_state_dict(model.state_dict())
    made = [ours.Adam(one.parameters(), lr=0.1) for one in (model, plain)]
    for _ in range(3):
        for one, optimizer in zip((model, plain), made, strict=True):
            optimizer.zero_grad()
            one(torch.ones(2, 3, 6, 6)).square().sum().backward()
            optimizer.step()
    assert not model.weight.is_contiguous()
    assert made[0]._plans
    torch.testing.assert_close(model.weight, plain.weight)


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
        ({"turbo": True}, TypeError, "no argument 'turbo'"),
        ({"fused": True, "implementation": "eager"}, ValueError, 'implementation="compiled"'),
        ({"fused": True, "foreach": True}, RuntimeError, "cannot be True together"),
        ({"differentiable": True}, ValueError, "cannot follow differentiable=True"),
        ({"lr": "1e-3"}, TypeError, r"lr must be no text; write 0.001, a number"),
        ({"lr": torch.tensor([0.1, 0.2])}, ValueError, "a tensor with 2 elements"),
        ({"amsgrad": "False"}, TypeError, "amsgrad must be no text"),
        ({"weight_decay": "0.1"}, TypeError, "weight_decay must be no text"),
        ({"state_dtype": "float32"}, TypeError, "state_dtype must be such as"),
        ({"eps": None}, TypeError, "eps must be a number"),
        ({"implementation": "fast"}, ValueError, "implementation must be one of"),
        ({"implementation": "triton", "amsgrad": True}, (ValueError, ImportError), "Triton"),
    ],
)
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        ours.Adam([torch.ones(1, requires_grad=True)], **arguments)


def test_a_rule_with_three_betas_takes_three_as_its_authors_code_does():
    w = torch.ones(1, requires_grad=True)
    made = ours.AdEMAMix([w], betas=(0.8, 0.99, 0.999))

    assert made.param_groups[0]["betas"] == (0.8, 0.99, 0.999)
    w.grad = torch.ones(1)
    made.step()
    assert made.state[w]["m2"].item() == pytest.approx(0.001)
    with pytest.raises(
        TypeError, match=r"betas must be three numbers such as \(0.9, 0.999, 0.9999"
    ):
        ours.Adan([w], betas=(0.9, 0.999))


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
    for cached in (loop, library._compiler, batches.kernel_for, batches._warn):
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
        for cached in (loop, library._compiler, batches.kernel_for):
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

"""``torch.compile(fullgraph=True)`` over functions that take a step."""

from functools import partial

import pytest
import torch
from torch import nn
from torch._dynamo.testing import CompileCounterWithBackend
from torch.optim import lr_scheduler

import adam_edu.torch as ours
from adam_edu import RULES
from adam_edu.torch import device, traced

# It makes each graph ready for a compiler, changes in place and all, but runs it as it is: Torch's
# own compiler takes many seconds each time, and is tried twice, below.
BACKEND = "aot_eager"


@pytest.fixture(autouse=True)
def nothing_compiled_before():
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def parameters(dtype=torch.float64):
    torch.manual_seed(0)
    return [torch.randn(shape, dtype=dtype).requires_grad_() for shape in ((3, 2), (4,))]


def compiled(function, backend=BACKEND):
    """Return it compiled into one graph, and what counts how often it has been."""
    counter = CompileCounterWithBackend(backend)
    return torch.compile(function, backend=counter, fullgraph=True), counter


def steps(step, params, numbers, after=lambda: None):
    for t in numbers:
        for p in params:
            p.grad = torch.sin(9 * p.detach() + t)
        step()
        after()


def close(params, others, rtol=1e-12):
    for p, q in zip(params, others, strict=True):
        torch.testing.assert_close(p, q, rtol=rtol, atol=rtol)


# Every rule in one of the two ways, and at night in the other.
WAYS = [
    pytest.param(name, whole, marks=[pytest.mark.nightly] if number % 2 == whole else [])
    for number, name in enumerate(RULES)
    for whole in (True, False)
]


@pytest.mark.parametrize(("name", "whole"), WAYS)
def test_a_step_of_every_rule_is_one_graph_and_never_compiled_again(name, whole, monkeypatch):
    if not whole:  # as on a GPU
        monkeypatch.setattr(traced, "stays_whole", lambda batch: False)
    params, others = parameters(), parameters()
    made, plain = getattr(ours, name)(params, capturable=True), getattr(ours, name)(others)
    step, counter = compiled(made.step)
    steps(step, params, range(20))
    steps(plain.step, others, range(20))
    close(params, others)
    assert counter.frame_count == 1


def falling(made):
    """Return a schedule by hand: those of Torch wrap ``step`` in what it does not compile whole."""

    def move():
        (group,) = made.param_groups
        group["lr"] *= 0.9
        if group.get("momentum"):
            group["momentum"] *= 0.99

    return move


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("name", ["Adam", "AdaBound", "SGD", "Momentum"])
def test_a_schedule_compiles_once_more(name, whole, monkeypatch):
    """As in torch.optim, a number that changes is a constant of the first graph alone."""
    if not whole:
        monkeypatch.setattr(traced, "stays_whole", lambda batch: False)
    arguments = {"momentum": 0.9} if name == "SGD" else {}
    params, others = parameters(), parameters()
    make = partial(getattr(ours, name), lr=0.1, **arguments)
    made, plain = make(params, capturable=True), make(others)
    step, counter = compiled(made.step)
    steps(step, params, range(20), falling(made))
    steps(plain.step, others, range(20), falling(plain))
    close(params, others)
    assert counter.frame_count == 2


def test_a_schedule_of_torch_costs_the_whole_graph_and_no_more():
    params, others = parameters(), parameters()
    made, plain = ours.Adam(params, capturable=True), ours.Adam(others)
    schedules = [lr_scheduler.CosineAnnealingLR(each, 25) for each in (made, plain)]
    counter = CompileCounterWithBackend(BACKEND)
    step = torch.compile(lambda: made.step(), backend=counter)
    steps(step, params, range(20), schedules[0].step)
    steps(plain.step, others, range(20), schedules[1].step)
    close(params, others)
    assert counter.frame_count == 2


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_rate_in_a_tensor_never_compiles_again(dtype):
    params, others = parameters(), parameters()
    rate = torch.tensor(0.1, dtype=dtype)
    made = ours.Adam(params, lr=rate, capturable=True)
    plain = ours.Adam(others, lr=rate.clone())
    step, counter = compiled(made.step)
    steps(step, params, range(2), lambda: rate.mul_(0.9))
    before = counter.frame_count
    steps(step, params, range(2, 20), lambda: rate.mul_(0.9))
    steps(plain.step, others, range(20), lambda: plain.param_groups[0]["lr"].mul_(0.9))
    close(params, others, 1e-6 if dtype is torch.float32 else 1e-12)
    assert counter.frame_count == before


@pytest.mark.parametrize("name", ["Adam", "NAdam"])
def test_plain_steps_before_and_after(name):
    params, others = parameters(), parameters()
    made, plain = getattr(ours, name)(params, capturable=True), getattr(ours, name)(others)
    step, counter = compiled(made.step)
    steps(made.step, params, range(3))
    steps(step, params, range(3, 6))
    steps(made.step, params, range(6, 9))
    steps(step, params, range(9, 12))
    steps(plain.step, others, range(12))
    close(params, others)
    assert counter.frame_count == 1
    made.load_state_dict(plain.state_dict())
    steps(step, params, range(12, 14))
    steps(plain.step, others, range(12, 14))
    close(params, others)


@pytest.mark.parametrize("frozen", [0, 1])
def test_a_frozen_parameter_stays_and_does_not_count(frozen):
    params, others = parameters(), parameters()
    made, plain = ours.NAdam(params, capturable=True), ours.NAdam(others)
    step, _ = compiled(made.step)
    for each, all_params in ((step, params), (plain.step, others)):
        steps(each, all_params, range(3))
        all_params[frozen].grad = None
        steps(each, [all_params[1 - frozen]], range(3, 6))
        steps(each, all_params, range(6, 9))
    close(params, others)
    assert [int(made.state[params[i]]["step"]) for i in (frozen, 1 - frozen)] == [6, 9]


def test_groups_options_and_low_precision():
    results = []
    for way in (lambda step: compiled(step)[0], lambda step: step):
        a, b = parameters(torch.bfloat16)
        groups = [{"params": [a]}, {"params": [b], "lr": 0.5, "momentum": 0.0}]
        made = ours.SGD(
            groups, lr=0.1, momentum=0.9, weight_decay=0.1, maximize=True, capturable=True
        )
        steps(way(made.step), (a, b), range(4))
        assert made.state[a]["m"].dtype is torch.float32
        results.append((a, b))
    close(*results, rtol=1e-2)


@pytest.mark.parametrize("implementation", ["auto", "eager"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_single_number_and_a_view_with_gaps(dtype, implementation):
    results = []
    for way in (lambda step: compiled(step)[0], lambda step: step):
        whole = torch.linspace(0, 1, 24, dtype=dtype).reshape(4, 6)
        params = [torch.ones((), dtype=dtype).requires_grad_(), whole[:, ::2].requires_grad_()]
        made = ours.Adam(params, lr=0.1, implementation=implementation, capturable=True)
        steps(way(made.step), params, range(3))
        results.append((params[0], whole))
    close(*results, rtol=1e-6)
    assert results[0][0].item() != 1


@pytest.mark.parametrize("size", [0, 8])
@pytest.mark.parametrize("what", ["data", "gradient", "m"])
def test_memory_that_was_freed_after_tracing(what, size):
    p = torch.ones(4000, requires_grad=True)
    p.grad = torch.ones(4000)
    made = ours.Adam([p], capturable=True)
    step, _ = compiled(made.step, "eager")
    step()
    tensor = {"data": p, "gradient": p.grad, "m": made.state[p]["m"]}[what]
    tensor.untyped_storage().resize_(size)
    # This backend leaves gradients off after any error within no_grad().
    with torch.enable_grad(), pytest.raises(RuntimeError, match="has no memory"):
        step()


def training_step(name, compile_it):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1)).double()
    x, y = torch.randn(16, 4, dtype=torch.float64), torch.randn(16, 1, dtype=torch.float64)
    made = getattr(ours, name)(model.parameters(), lr=0.01, capturable=True)

    def step():
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        made.step()
        for p in model.parameters():
            p.grad = None
        return loss.detach()

    taken, counter = compiled(step) if compile_it else (step, None)
    losses = [taken().item() for _ in range(10)]
    if counter:
        assert counter.frame_count <= 2
    return losses, list(model.parameters())


@pytest.mark.skipif(
    not hasattr(torch._dynamo.config, "trace_autograd_ops"),
    reason="this Torch cannot trace backward()",
)
@pytest.mark.parametrize("name", ["Adam", "NAdam", "SGD"])
def test_forward_backward_and_step_in_one_graph(name):
    with torch._dynamo.config.patch(trace_autograd_ops=True):
        losses, params = training_step(name, compile_it=True)
    expected, others = training_step(name, compile_it=False)
    assert losses == pytest.approx(expected, rel=1e-12)
    assert losses[-1] < losses[0]
    close(params, others)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what the compiler itself imports
@pytest.mark.parametrize("name", ["Adam", "NAdam"])
def test_torchs_own_compiler_takes_it(name):
    params, others = parameters(), parameters()
    made, plain = getattr(ours, name)(params, capturable=True), getattr(ours, name)(others)
    step, counter = compiled(made.step, "inductor")
    steps(step, params, range(20), falling(made))
    steps(plain.step, others, range(20), falling(plain))
    close(params, others)
    assert counter.frame_count == 2


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_program_for_devices_computes_the_rule(monkeypatch):
    """The GPU's implementation, compiled for the CPU by the same compiler."""
    device.compiled.cache_clear()
    torch._dynamo.utils.counters.clear()
    params, others = ([torch.linspace(-1, 1, n).requires_grad_() for n in (5, 300)] for _ in "ab")
    made, plain = ours.AdamW(params, lr=0.1), ours.AdamW(others, lr=0.1, implementation="eager")
    monkeypatch.setattr(made, "_kernel", lambda *_: None)
    monkeypatch.setattr(made, "_eager", lambda _: False)
    steps(made.step, params, range(3), falling(made))
    steps(plain.step, others, range(3), falling(plain))
    close(params, others, 1e-6)
    assert torch._dynamo.utils.counters["frames"]["ok"] == 1, torch._dynamo.utils.counters


def test_the_triton_kernel_is_left_between_two_graphs():
    p = torch.ones(3, requires_grad=True)
    p.grad = torch.ones(3)
    made = ours.Adam([p], capturable=True)
    made.implementation = "triton"
    step, _ = compiled(made.step)
    with pytest.raises(torch._dynamo.exc.Unsupported, match="_left_between_graphs"):
        step()


def test_without_capturable_a_step_stays_the_plain_one_between_two_graphs():
    params, others = parameters(), parameters()
    made, plain = ours.Adam(params), ours.Adam(others)
    steps(torch.compile(lambda: made.step(), backend=BACKEND), params, range(3))
    steps(plain.step, others, range(3))
    close(params, others)
    assert all(type(made.state[p]["step"]) is int for p in params)


def test_without_capturable_there_is_no_whole_graph():
    params = parameters()
    made = ours.Adam(params)
    with pytest.raises(torch._dynamo.exc.Unsupported, match="_left_between_graphs"):
        steps(compiled(lambda: made.step())[0], params, range(1))

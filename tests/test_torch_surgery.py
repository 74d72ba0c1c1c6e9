"""What users do to parameters, state and groups between steps gives what torch.optim gives."""

import weakref

import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils._pytree import tree_map

import adam_edu.torch as ours

HOW = [
    {"implementation": "auto"},
    {"implementation": "compiled"},
    {"implementation": "eager"},
    {"capturable": True},
]


@pytest.fixture(params=HOW, ids=lambda how: next(f"{name}={how[name]}" for name in how))
def adam(request):
    """Return our Adam, made in one of the ways there are."""
    return lambda params, **options: ours.Adam(params, **request.param, **options)


def begun(make, shape=(4, 3), steps=2, **options):
    """Return a parameter and its optimizer, which has taken some steps."""
    p = nn.Parameter(torch.arange(1.0, 1 + torch.Size(shape).numel()).reshape(shape))
    made = make([p], lr=0.1, **options)
    for _ in range(steps):
        p.grad = torch.ones_like(p)
        made.step()
    return p, made


def refused(p, made, what):
    """Check that a step is refused in words, before anything changes."""
    before, slots = p.detach().clone(), [s.clone() for s in made.state[p].values() if is_tensor(s)]
    t = int(made.state[p]["step"])
    with pytest.raises(RuntimeError, match=what):
        made.step()
    assert torch.equal(p, before)
    assert int(made.state[p]["step"]) == t
    now = [s for s in made.state[p].values() if is_tensor(s)]
    assert all(a.is_meta or torch.equal(a, b) for a, b in zip(now, slots, strict=True))


def is_tensor(value):
    return isinstance(value, torch.Tensor)


# Sizes and memory


def test_a_vocabulary_that_grows_without_its_state(adam):
    emb = nn.Embedding(1000, 8)
    made = adam(emb.parameters())
    for _ in range(2):
        made.zero_grad()
        emb(torch.arange(10)).sum().backward()
        made.step()
    emb.weight.data = torch.cat([emb.weight.data, torch.zeros(2000, 8)])
    made.zero_grad()
    emb(torch.arange(2500)).sum().backward()
    refused(emb.weight, made, r"has the size \[3000, 8\], its m \[1000, 8\]")


def test_a_parameter_that_shrinks(adam):
    p, made = begun(adam)
    p.data = p.data[2:].clone()
    p.grad = torch.ones_like(p)
    refused(p, made, r"has the size \[2, 3\], its m \[4, 3\]")


def test_a_parameter_that_grows_beyond_its_gradient(adam):
    p, made = begun(adam)
    p.data = torch.zeros(8, 3)
    refused(p, made, r"has the size \[8, 3\], its gradient \[4, 3\]")


@pytest.mark.parametrize(
    ("slot", "what"),
    [
        (torch.zeros(2, 3), r"its m \[2, 3\]"),
        (torch.zeros(12), r"its m \[12\]"),
        ("text", r"its m \['str'\]"),
        (torch.zeros(4, 3, device="meta"), "on cpu, its m on meta"),
        (torch.zeros(4, 3, dtype=torch.float64), "its m has torch.float64: convert it"),
        (torch.zeros(4, 3, dtype=torch.int64), "its m has torch.int64: convert it"),
    ],
)
def test_a_slot_that_does_not_fit(adam, slot, what):
    p, made = begun(adam)
    made.state[p]["exp_avg"] = slot
    refused(p, made, what)


@pytest.mark.parametrize("names", [["exp_avg"], ["exp_avg_sq", "step"]])
def test_a_state_that_lacks_something(adam, names):
    p, made = begun(adam)
    for name in names:
        del made.state[p][name]
    with pytest.raises(KeyError, match="in its state, which has"):
        made.step()
    del made.state[p]
    made.step()
    assert int(made.state[p]["step"]) == 1


@pytest.mark.parametrize("size", [0, 8])
@pytest.mark.parametrize("what", ["data", "gradient", "m"])
def test_memory_that_was_freed(adam, what, size):
    p, made = begun(adam, (4000,))
    tensor = {"data": p, "gradient": p.grad, "m": made.state[p]["m"]}[what]
    tensor.untyped_storage().resize_(size)
    with pytest.raises(RuntimeError, match=f"its {what} has no memory"):
        made.step()


@pytest.mark.parametrize("what", ["data", "gradient", "m"])
def test_memory_that_comes_back_shorter(what):
    """At the same address: the pages that are given back at once are those that are asked for."""
    p, made = begun(ours.Adam, (9_000_000,))
    tensor = {"data": p, "gradient": p.grad, "m": made.state[p]["m"]}[what]
    place, storage = tensor.data_ptr(), tensor.untyped_storage()
    size, fillers = storage.nbytes() - 64, []
    storage.resize_(0)
    storage.resize_(size)
    while len(fillers) < 20 and storage.data_ptr() != place:
        storage.resize_(0)
        fillers.append(torch.empty(size, dtype=torch.uint8))
        storage.resize_(size)
    if storage.data_ptr() != place:
        pytest.skip("this allocator did not hand out the same memory again")
    with pytest.raises(RuntimeError, match=f"its {what} has no memory"):
        made.step()


def test_no_memory_is_kept_that_was_let_go(adam):
    p, made = begun(adam, steps=3)
    gone = [weakref.ref(tensor.untyped_storage()) for tensor in (p, p.grad)]
    p.data = torch.ones(4, 3)
    made.step()
    p.grad = None
    assert [storage() for storage in gone] == [None, None]


def test_parameters_that_come_to_share_memory(adam):
    """The order in which they are updated is Torch's, whatever they are sorted into."""
    results = []
    for make in (torch.optim.Adam, adam):
        p, q, r = (nn.Parameter(torch.ones(4)) for _ in range(3))
        made = make([p, q, r], lr=0.1)
        for t in range(3):
            p.grad, q.grad, r.grad = torch.ones(4), -torch.ones(4), torch.ones(4) if t else None
            made.step()
        one = torch.arange(8.0)
        p.data, q.data, r.data = one[:4], one[::2], one[2:6]
        made.step()
        made.step()
        results.append(one)
    torch.testing.assert_close(*results)


# What only looks like memory


def test_a_gradient_that_is_a_lazy_negative(adam):
    p = nn.Parameter(torch.tensor(0.0))
    made = adam([p], lr=0.05)
    for _ in range(200):
        made.zero_grad()
        z = torch.complex(torch.tensor(1.0), p)
        loss = ((z.conj() * torch.tensor(1 + 3j)).real - 7) ** 2
        loss.backward()
        made.step()
    assert p.grad.is_neg()
    assert p.item() == pytest.approx(2.0, abs=1e-3)
    assert loss.item() < 1e-5


class Wrapped(torch.Tensor):
    """A tensor that is no memory but holds one that is."""

    @staticmethod
    def __new__(cls, held):
        return torch.Tensor._make_wrapper_subclass(cls, held.shape, dtype=held.dtype)

    def __init__(self, held):
        self.held = held

    @classmethod
    def __torch_dispatch__(cls, function, types, args=(), kwargs=None):
        given = args, kwargs or {}
        args, kwargs = tree_map(lambda t: t.held if isinstance(t, cls) else t, given)
        return tree_map(
            lambda t: cls(t) if isinstance(t, torch.Tensor) else t, function(*args, **kwargs)
        )


def test_a_wrapper(adam):
    results = []
    for make in (torch.optim.Adam, adam):
        held = torch.ones(3)
        p = Wrapped(held).requires_grad_()
        made = make([p], lr=0.1)
        for _ in range(3):
            p.grad = Wrapped(torch.full((3,), 2.0))
            made.step()
        results.append(held)
    torch.testing.assert_close(*results)
    assert results[0][0] < 0.8


def test_fake_tensors(adam):
    with FakeTensorMode():
        p = nn.Parameter(torch.ones(3))
        made = adam([p])
        for _ in range(3):
            p.grad = torch.ones(3)
            made.step()
        assert type(made.state[p]["m"]).__name__ == "FakeTensor"
    p, made = begun(adam)
    before = p.detach().clone()
    with FakeTensorMode(allow_non_fake_inputs=True):
        made.step()
    assert torch.equal(p, before)
    made.step()  # and the mode has left nothing behind
    assert not torch.equal(p, before)


@pytest.mark.parametrize("pre_dispatch", [False, True])
def test_a_trace_contains_the_update(adam, pre_dispatch):
    p, made = begun(adam, (3,))

    def step(g):
        p.grad = g
        with torch.no_grad():
            made.step()
        return p.detach().clone()

    trace = make_fx(step, pre_dispatch=pre_dispatch)(torch.ones(3))
    called = {str(node.target) for node in trace.graph.nodes}
    assert "aten.sqrt.default" in called
    before = p.detach().clone()
    with torch.no_grad():
        assert not torch.equal(trace(torch.ones(3)), before)


def test_inference_mode(adam):
    p, made = begun(adam)
    with torch.inference_mode():
        made.step()
    made.step()
    q, _ = begun(torch.optim.Adam, steps=4)
    torch.testing.assert_close(p, q)
    assert p._version == q._version


# Other tensors in the groups, other numbers in the options


@pytest.mark.parametrize("with_state", [False, True])
def test_a_parameter_that_is_replaced(adam, with_state):
    results = []
    for make in (torch.optim.Adam, adam):
        p, made = begun(make)
        q = nn.Parameter(torch.ones(4, 3))
        made.param_groups[0]["params"][0] = q
        if with_state:
            made.state[q] = made.state.pop(p)
        before = p.detach().clone()
        for t in (1.0, 2.0):
            q.grad = torch.full((4, 3), t)
            made.step()
        assert torch.equal(p, before)
        assert int(made.state[q]["step"]) == (4 if with_state else 2)
        results.append(q)
    torch.testing.assert_close(*results)


def test_betas_in_a_list(adam):
    results = []
    for make in (torch.optim.Adam, adam):
        p, made = begun(make)
        made.param_groups[0]["betas"] = betas = [0.9, 0.999]
        for t in range(4):
            p.grad = torch.full((4, 3), 1.0 + t)
            betas[t % 2] -= 0.1
            made.step()
        results.append(p)
    torch.testing.assert_close(*results)


def test_a_state_that_somebody_holds(adam):
    """The dictionary that a reader got before the first step is the one that the step fills."""
    p = nn.Parameter(torch.ones(3))
    made = adam([p])
    held = made.state[p]
    p.grad = torch.ones(3)
    made.step()
    assert torch.equal(held["exp_avg"], torch.full((3,), 0.1))
    assert held is made.state[p]


def test_a_counter_in_a_tensor_is_shared_by_those_who_count_together():
    p, q = nn.Parameter(torch.ones(3)), nn.Parameter(torch.ones(3))
    made = ours.NAdam([{"params": [p, q]}, {"params": []}], capturable=True)
    p.grad = q.grad = torch.ones(3)
    made.step()
    made.param_groups[1]["params"].append(made.param_groups[0]["params"].pop())
    made.step()
    assert [int(made.state[x]["step"]) for x in (p, q)] == [2, 2]
    made.param_groups[1]["params"].clear()  # q waits outside
    made.step()
    made.param_groups[0]["params"].append(q)
    made.step()
    assert [int(made.state[x]["step"]) for x in (p, q)] == [4, 3]


def test_a_counter_that_somebody_sets():
    """Whoever has a step number of its own has products of its own, where nobody steps too."""
    p, q = nn.Parameter(torch.ones(3)), nn.Parameter(torch.ones(3))
    made = ours.NAdam([{"params": [p]}, {"params": [q]}], capturable=True)
    p.grad = q.grad = torch.ones(3)
    made.step()
    made.state[q]["products"] = made.state[p]["products"]
    before = made.state[p]["products"].clone()
    p.grad = None
    made.step()
    assert torch.equal(made.state[p]["products"], before)
    assert made.state[q]["products"] < before


@pytest.mark.parametrize("name", ["SGD", "Momentum", "Nesterov"])
def test_momentum_cycled_to_zero_and_back(adam, name):
    results = []
    for module in (torch.optim, ours):
        p = nn.Parameter(torch.ones(3))
        options = {"lr": 0.1, "momentum": 0.9}
        if name == "SGD" or module is torch.optim:
            options["nesterov"] = name != "Momentum"
        made = getattr(module, "SGD" if module is torch.optim else name)([p], **options)
        for t, momentum in enumerate([0.9, 0.9, 0.0, 0.0, 0.5, 0.9]):
            made.param_groups[0]["momentum"] = momentum
            p.grad = torch.full((3,), 1.0 + t)
            made.step()
        results.append((p.detach(), made.state[p]["momentum_buffer"]))
    torch.testing.assert_close(*results)


def test_precision_that_changes(adam):
    p, made = begun(adam)
    p.data = p.data.double()
    p.grad = torch.ones_like(p)
    refused(p, made, "keeps its state in torch.float64, but its m has torch.float32")
    low, made = begun(adam)
    low.data = low.data.bfloat16()  # its state is in float32 in any case
    low.grad = torch.ones_like(low)
    made.step()
    assert int(made.state[low]["step"]) == 3

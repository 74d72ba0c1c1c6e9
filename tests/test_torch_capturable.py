"""Steps that a CUDA graph may capture: counted by tensors, and never waited for."""

from dataclasses import dataclass

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch_networks import network, same, train

import adam_edu.torch as ours
from adam_edu import RULES
from adam_edu.base import Rate
from adam_edu.ops import product
from adam_edu.rules import SGD

cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


class NoLooking(TorchDispatchMode):
    """Raises where a number would be read from a tensor: on a GPU, that waits for the device."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func is torch.ops.aten._local_scalar_dense.default:
            raise RuntimeError("a number was read from a tensor")
        return func(*args, **(kwargs or {}))


def two_parameters():
    torch.manual_seed(0)
    return [torch.randn(shape, dtype=torch.float64).requires_grad_() for shape in ((3, 2), (4,))]


def steps(made, params, numbers):
    for t in numbers:
        for p in params:
            p.grad = torch.sin(9 * p.detach() + t)
        made.step()


@pytest.mark.parametrize("name", RULES)
def test_counts_in_a_tensor_and_goes_where_the_plain_step_goes(name):
    model, other = network(), network()
    train(model, getattr(ours, name)(model.parameters()), 20)
    made = getattr(ours, name)(other.parameters(), capturable=True)
    train(other, made, 20)
    same(model, other, 1e-12)
    states = list(made.state.values())
    assert len({id(own["step"]) for own in states}) == 1
    assert (states[0]["step"].item(), states[0]["step"].dtype) == (20, torch.int64)
    assert all(torch.is_tensor(value) for own in states for value in own.values())


def test_nadam_goes_where_torchs_goes():
    model, other = network(), network()
    train(model, ours.NAdam(model.parameters(), capturable=True), 200)
    default = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)  # in which Torch keeps the product
    try:
        train(other, torch.optim.NAdam(other.parameters(), capturable=False), 200)
    finally:
        torch.set_default_dtype(default)
    same(model, other, 1e-10)


@pytest.mark.parametrize("name", RULES)
def test_no_number_is_read_from_a_tensor(name):
    params = two_parameters()
    made = getattr(ours, name)(params, capturable=True, implementation="eager")
    with NoLooking():
        steps(made, params, range(3))
    assert made.state[params[0]]["step"].item() == 3


def test_reading_a_number_would_be_noticed():
    params = two_parameters()
    made = ours.Adam(params, capturable=True)
    steps(made, params, range(1))
    with NoLooking(), pytest.raises(RuntimeError, match="a number was read"):
        made.state[params[0]]["step"].item()


@pytest.mark.parametrize("name", RULES)
def test_on_a_device_without_contents(name):
    """What a step needs is on the parameter's device, or else a number known in Python."""
    p = torch.ones(4, device="meta", requires_grad=True)
    made = getattr(ours, name)([p], capturable=True, implementation="eager")
    for _ in range(2):
        p.grad = torch.ones(4, device="meta")
        made.step()
    assert {value.device.type for value in made.state[p].values()} == {"meta"}


@cuda
@pytest.mark.parametrize("name", ["Adam", "NAdam"])
def test_a_cuda_graph_captures_steps(name):
    p, q = (torch.ones(1000, device="cuda", requires_grad=True) for _ in range(2))
    p.grad, q.grad = torch.ones_like(p), torch.ones_like(q)
    made = getattr(ours, name)([p], capturable=True, implementation="eager")
    plain = getattr(ours, name)([q], implementation="eager")
    made.step()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        made.step()
    for _ in range(3):
        graph.replay()
    for _ in range(4):
        plain.step()
    torch.cuda.synchronize()
    assert made.state[p]["step"].item() == 4
    torch.testing.assert_close(p, q)


# Who counts with whom


@pytest.mark.parametrize("name", ["Adam", "NAdam"])
def test_a_checkpoint_goes_on_in_either_way_of_counting(name):
    for first, second in [(False, True), (True, False), (True, True)]:
        whole, half = two_parameters(), two_parameters()
        steps(getattr(ours, name)(whole), whole, range(6))
        before = getattr(ours, name)(half, capturable=first)
        steps(before, half, range(3))
        after = getattr(ours, name)(half, capturable=second)
        after.load_state_dict(before.state_dict())
        steps(after, half, range(3, 6))
        for p, q in zip(whole, half, strict=True):
            torch.testing.assert_close(p, q, rtol=1e-14, atol=1e-14)


def test_capturable_may_be_switched_on_later():
    whole, half = two_parameters(), two_parameters()
    steps(ours.NAdam(whole), whole, range(6))
    made = ours.NAdam(half)
    steps(made, half, range(3))
    made.param_groups[0]["capturable"] = True
    steps(made, half, range(3, 6))
    for p, q in zip(whole, half, strict=True):
        torch.testing.assert_close(p, q, rtol=1e-14, atol=1e-14)


def test_groups_from_one_checkpoint_count_their_own_steps():
    a, b = two_parameters()
    made = ours.Adam([{"params": [a]}, {"params": [b]}], capturable=True)
    steps(made, [a, b], range(2))
    made.load_state_dict(made.state_dict())
    steps(made, [a, b], range(2))
    assert [made.state[p]["step"].item() for p in (a, b)] == [4, 4]


@pytest.mark.parametrize("name", ["Adam", "NAdam"])
def test_a_frozen_parameter_does_not_count(name):
    results = []
    for capturable in (False, True):
        a, b = two_parameters()
        made = getattr(ours, name)([a, b], capturable=capturable)
        steps(made, [a, b], range(2))
        b.grad = None
        steps(made, [a], range(2, 5))
        steps(made, [a, b], range(5, 7))
        assert [int(made.state[p]["step"]) for p in (a, b)] == [7, 4]
        results.append((a, b))
    for p, q in zip(*results, strict=True):
        torch.testing.assert_close(p, q, rtol=1e-14, atol=1e-14)


# Which rules


@dataclass(frozen=True)
class Looks(SGD):
    """Warms up by a branch."""

    def scalars(self, t):
        return (t / 10 if t < 10 else 1.0,)

    def step(self, x, g, warmup):
        return (-self.lr * warmup * g,)


def test_a_rule_that_looks_at_the_step_number_is_refused():
    p = torch.ones(1, requires_grad=True)
    with pytest.raises(ValueError, match="Looks has no capturable=True"):
        ours.optimizer_class(Looks)([p], capturable=True)


@dataclass(frozen=True)
class TwoProducts(SGD):
    """Asks for two products, one of them a step ahead."""

    lr: Rate = 1.0

    @staticmethod
    def less(i):
        return 1 - 0.5**i

    @staticmethod
    def more(i):
        return 1 + 0.5**i

    def scalars(self, t):
        halves = product(self.less, t)
        return product(self.more, t + 1), halves

    def step(self, x, g, ahead, halves):
        return (-self.lr * ahead * halves * g,)


def test_products_are_carried_from_where_they_begin():
    params, others = two_parameters(), two_parameters()
    steps(ours.optimizer_class(TwoProducts)(params), params, range(5))
    made = ours.optimizer_class(TwoProducts)(others, capturable=True)
    steps(made, others, range(5))
    assert made.state[others[0]]["products"].shape == (2,)
    for p, q in zip(params, others, strict=True):
        torch.testing.assert_close(p, q, rtol=1e-14, atol=1e-14)

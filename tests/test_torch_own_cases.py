"""PyTorch's own cases, with our classes in place of its own."""

import copy
import inspect
import io
import pickle
import warnings

import pytest
import torch
from libraries import torch_default_dtype
from own_cases import (
    CASES,
    ERRORS,
    INFOS,
    REFUSED,
    closure_of,
    fresh,
    refused,
    task,
    train,
)
from torch.optim.lr_scheduler import ReduceLROnPlateau

import adam_edu.torch as ours


def each(cases):
    return pytest.mark.parametrize(
        ("info", "kwargs"), [c[1:] for c in cases], ids=[c[0] for c in cases]
    )


@pytest.fixture(params=INFOS, ids=lambda info: info.name)
def info(request):
    return request.param


def made_of(info, kwargs, params):
    return info.optim_cls(params, **fresh(kwargs))


# The cases


def test_there_are_cases_for_each():
    assert {info.name for info in INFOS} == {name.split(":")[0] for name, *_ in CASES + REFUSED}
    assert len(CASES) > 70
    assert len(ERRORS) > 50


@each(CASES)
def test_case_computes_what_torch_does(info, kwargs):
    results = []
    for cls in (info.optim_cls, info.theirs):
        arguments = fresh(kwargs)
        if info.name == "RAdam":  # whose epsilon counts otherwise
            arguments["eps"] = 0.0
        if cls is info.theirs:  # on a CPU it has none of these, or computes the same by them
            arguments |= dict.fromkeys(("capturable", "foreach", "fused"), False)
            known = inspect.signature(cls).parameters
            arguments = {name: value for name, value in arguments.items() if name in known}
        params, loss = task()
        with torch_default_dtype(torch.float64):
            made = cls(params, **arguments)
            results.append((train(made, loss, 8), params))
    for mine, theirs in zip(*results, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-12, atol=1e-12)


@each(REFUSED)
def test_case_is_refused_in_words(info, kwargs):
    params, _ = task()
    option = refused(info, kwargs)
    with pytest.raises(ValueError, match=f"cannot follow {option}="):
        made_of(info, kwargs, params)


ACCEPTED = ("lr as a Tensor is not", "betas must be either", "as a Tensor is not supported")


@pytest.mark.parametrize(("info", "case"), [e[1:] for e in ERRORS], ids=[e[0] for e in ERRORS])
def test_error_case(info, case):
    given = case.optimizer_error_input
    params = given.params if given.params is not None else task()[0]
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        if any(words in case.error_regex.replace("\\", "") for words in ACCEPTED):
            info.optim_cls(params, **fresh(given.kwargs))  # ours takes them: numbers are numbers
        else:
            with pytest.raises(case.error_type):
                info.optim_cls(params, **fresh(given.kwargs))


@each(CASES)
@pytest.mark.parametrize("transposed", [False, True])
def test_right_direction(info, kwargs, transposed):
    for schedulers in [(), *info.scheduler_inputs]:
        params, loss = task(transposed=transposed)
        made = made_of(info, kwargs, params)
        made_schedulers = [make(made) for make in schedulers]
        first = loss().detach().item()
        for _ in range(20):
            value = made.step(closure_of(made, loss))
            for scheduler in made_schedulers:
                if isinstance(scheduler, ReduceLROnPlateau):
                    scheduler.step(value.detach())
                else:
                    scheduler.step()
        assert (loss().detach().item() > first) is bool(kwargs.get("maximize"))


@each(CASES)
def test_state_dict_is_deterministic_and_equal_after_a_load(info, kwargs):
    params, loss = task()
    made = made_of(info, kwargs, params)
    train(made, loss)
    others, other_loss = task()
    with torch.no_grad():
        for p, q in zip(params, others, strict=True):
            q.copy_(p)
    other = made_of(info, kwargs, others)
    other.load_state_dict(copy.deepcopy(made.state_dict()))
    assert equal(made.state_dict(), other.state_dict())
    assert list(map(sorted, made.param_groups)) == list(map(sorted, other.param_groups))
    train(made, loss)
    train(other, other_loss)
    assert all(map(torch.equal, params, others))
    assert equal(made.state_dict(), other.state_dict())


def equal(one, other):
    """Say whether two nested structures hold the same, of the same types."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(equal(one[k], other[k]) for k in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(equal, one, other))
    return torch.equal(one, other) if isinstance(one, torch.Tensor) else one == other


@each(CASES)
def test_copies_go_on_alike(info, kwargs):
    params, loss = task()
    made = made_of(info, kwargs, params)
    train(made, loss)
    file = io.BytesIO()
    torch.save(made.state_dict(), file)
    file.seek(0)
    loaded = torch.load(file, weights_only=True)
    assert equal(loaded, made.state_dict())
    for copied in (copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))):
        clones, clone = copied((params, made))
        for p, q in zip(params, clones, strict=True):
            p.grad, q.grad = torch.ones_like(p), torch.ones_like(q)
        twin, _ = copied((clones, clone))
        assert len(twin) == len(clones)
        clone.step()
        made.step()
        assert all(map(torch.equal, params, clones))
        assert equal(made.state_dict(), clone.state_dict())


# What every optimizer does


def test_a_checkpoint_from_before_some_options_existed(info):
    params, loss = task()
    made = info.optim_cls(params)
    train(made, loss)
    old = copy.deepcopy(made.state_dict())
    for group in old["param_groups"]:
        for flag in info.not_og_supported_flags:
            group.pop(flag, None)
    before = [list(group) for group in made.param_groups]
    made.load_state_dict(old)
    assert [sorted(group) for group in made.param_groups] == [sorted(names) for names in before]
    train(made, loss)


@pytest.mark.parametrize("implementation", ["auto", "eager"])
def test_mixed_dtypes_in_one_group(info, implementation):
    params = [
        torch.nn.Parameter(torch.ones(4, dtype=dtype))
        for dtype in (torch.float64, torch.float32, torch.bfloat16, torch.float16)
    ]
    made = info.optim_cls(params, lr=0.01, implementation=implementation)
    for _ in range(5):
        for p in params:
            p.grad = torch.ones_like(p)
        made.step()
    for p in params:
        torch.testing.assert_close(p.double(), params[0].double(), rtol=0, atol=0.05)
        # AdaDelta's first steps are as long as a rounding error of low precision.
        assert p.double()[0] < 1 or (p.dtype.itemsize == 2 and "rho" in made.defaults)


def test_groups_with_options_of_their_own(info):
    (weight, bias), loss = task()
    made = info.optim_cls([{"params": [weight]}, {"params": bias, "lr": 0.0}], lr=0.01)
    other = torch.nn.Parameter(torch.ones(3))
    made.add_param_group({"params": other, "weight_decay": 0.5, "mine": "kept"})
    before = bias.detach().clone()
    train(made, loss, 3)
    assert torch.equal(bias, before)
    assert [group["lr"] for group in made.param_groups] == [0.01, 0.0, 0.01]
    assert made.param_groups[2]["mine"] == "kept"
    assert made.state_dict()["param_groups"][2]["mine"] == "kept"
    assert "Parameter Group 1\n" in repr(made)


def test_names_of_parameters(info):
    (weight, bias), loss = task()
    made = info.optim_cls([("weight", weight), ("bias", bias)])
    train(made, loss)
    assert made.state_dict()["param_groups"][0]["param_names"] == ["weight", "bias"]


def test_nothing_moves_without_a_gradient(info):
    params, _ = task()
    made = info.optim_cls(params, weight_decay=0.1)
    before = [p.detach().clone() for p in params]
    made.step()
    assert all(map(torch.equal, params, before))
    assert not made.state_dict()["state"]


def test_a_zero_gradient_without_decay_changes_nothing(info):
    params, _ = task()
    made = info.optim_cls(params, weight_decay=0.0)
    before = [p.detach().clone() for p in params]
    for p in params:
        p.grad = torch.zeros_like(p)
    made.step()
    assert all(map(torch.equal, params, before))


def test_what_a_closure_returns_is_what_step_returns(info):
    params, loss = task()
    made = info.optim_cls(params)
    expected = loss().detach().item()
    assert made.step(closure_of(made, loss)).detach().item() == expected
    assert made.step() is None
    graded = []
    with torch.no_grad():
        made.step(lambda: graded.append(torch.is_grad_enabled()))
    assert graded == [True]


def test_hooks_around_a_step(info):
    params, loss = task()
    made = info.optim_cls(params, lr=0.01)
    late = torch.nn.Parameter(torch.ones(3))
    late.grad = torch.ones(3)
    calls = []

    def before(optimizer, args, kwargs):
        calls.append(("before", optimizer is made, args, kwargs, params[0].detach().clone()))
        if len(optimizer.param_groups) == 1:
            optimizer.add_param_group({"params": late})

    def after(optimizer, args, kwargs):
        calls.append(("after", optimizer is made, args, kwargs, params[0].detach().clone()))

    handles = [made.register_step_pre_hook(before), made.register_step_post_hook(after)]
    closure = closure_of(made, loss)
    loss().backward()
    start = params[0].detach().clone()
    made.step()
    assert [call[:2] for call in calls] == [("before", True), ("after", True)]
    assert calls[0][2][-1:] in ((), (made,))
    assert torch.equal(calls[0][4], start)
    assert torch.equal(calls[1][4], params[0])
    assert late[0] != 1.0  # what the hook added took part
    for handle in handles:
        handle.remove()
    made.step(closure)
    assert len(calls) == 2


def test_a_pre_hook_may_replace_the_arguments(info):
    params, _ = task()
    made = info.optim_cls(params)
    made.register_step_pre_hook(lambda optimizer, args, kwargs: ((optimizer, lambda: 7.0), {}))
    assert made.step() == 7.0


def test_hooks_around_state_dict(info):
    params, loss = task()
    made = info.optim_cls(params)
    train(made, loss)
    order = []
    made.register_state_dict_pre_hook(lambda optimizer: order.append("second"))
    made.register_state_dict_pre_hook(lambda optimizer: order.append("first"), prepend=True)

    def post(optimizer, state_dict):
        order.append(sorted(state_dict["state"][0]))
        state_dict["note"] = "kept"

    made.register_state_dict_post_hook(post)
    made.register_state_dict_post_hook(lambda o, sd: sd | {"last": list(sd)})
    written = made.state_dict()
    assert order[:2] == ["first", "second"]
    assert order[2] == sorted(written["state"][0])
    assert written["last"] == ["state", "param_groups", "note"]


def test_every_class_of_ours_takes_what_torchs_takes(info):
    mine = inspect.signature(info.optim_cls).parameters
    theirs = inspect.signature(info.theirs).parameters
    assert set(theirs) <= set(mine)
    by_position = [n for n, p in theirs.items() if p.kind is p.POSITIONAL_OR_KEYWORD]
    own = [n for n, p in mine.items() if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert own[: len(by_position)] == by_position
    for name, parameter in theirs.items():
        if name not in ("params", "lr"):
            assert mine[name].default == parameter.default, name
    assert ours.optimizer_class(info.optim_cls.rule) is info.optim_cls

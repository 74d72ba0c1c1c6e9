"""State that travels: checkpoints to and from torch.optim, hooks, and tools that read the state."""

import copy
from functools import partial

import pytest
import torch
from libraries import torch_default_dtype
from torch import nn
from torch.optim.lr_scheduler import CyclicLR
from torch_networks import network, same, train

import adam_edu.torch as ours
from adam_edu import RULES

# Ours, its namesake, and options. RAdam is not here: its epsilon counts otherwise.
NAMESAKES = {
    "SGD": ("SGD", "SGD", {"lr": 0.02}),
    "SGD with momentum": ("SGD", "SGD", {"lr": 0.02, "momentum": 0.9}),
    "SGD nesterov": ("SGD", "SGD", {"lr": 0.02, "momentum": 0.9, "nesterov": True}),
    "Momentum": ("Momentum", "SGD", {"lr": 0.02, "momentum": 0.8}),
    "Nesterov": ("Nesterov", "SGD", {"lr": 0.02, "momentum": 0.8}),
    "AdaGrad": ("AdaGrad", "Adagrad", {"lr": 0.02}),
    "RMSProp": ("RMSProp", "RMSprop", {"lr": 1e-3, "eps": 1e-3}),
    "RMSProp centered": ("RMSProp", "RMSprop", {"lr": 1e-3, "eps": 1e-2, "centered": True}),
    "CenteredRMSProp": ("CenteredRMSProp", "RMSprop", {"lr": 1e-3, "eps": 1e-2}),
    "AdaDelta": ("AdaDelta", "Adadelta", {"lr": 0.1}),
    "Adam": ("Adam", "Adam", {"lr": 1e-3, "weight_decay": 0.1}),
    "Adam amsgrad": ("Adam", "Adam", {"lr": 1e-3, "amsgrad": True}),
    "AMSGrad": ("AMSGrad", "Adam", {"lr": 1e-3}),
    "AdamL2": ("AdamL2", "Adam", {"lr": 1e-3, "weight_decay": 0.01}),
    "AdamW": ("AdamW", "AdamW", {"lr": 1e-3}),
    "AdamW amsgrad": ("AdamW", "AdamW", {"lr": 1e-3, "amsgrad": True}),
    "AdaMax": ("AdaMax", "Adamax", {"lr": 1e-3}),
    "NAdam": ("NAdam", "NAdam", {"lr": 1e-3, "momentum_decay": 6e-3}),
}
NEEDED = {"Nesterov": {"nesterov": True}, "CenteredRMSProp": {"centered": True}}
NEEDED["AMSGrad"] = {"amsgrad": True}


@pytest.fixture(params=NAMESAKES)
def pair(request):
    """Return what makes ours and what makes its namesake, with the same options."""
    mine, theirs, options = NAMESAKES[request.param]
    told = options | NEEDED.get(mine, {})
    with torch_default_dtype(torch.float64):  # in which Torch keeps NAdam's product
        yield partial(getattr(ours, mine), **options), partial(getattr(torch.optim, theirs), **told)


# To and from torch.optim


@pytest.mark.parametrize("to_torch", [True, False])
@pytest.mark.parametrize("fresh", [True, False])
def test_a_checkpoint_goes_both_ways(pair, to_torch, fresh):
    before, after = pair if to_torch else pair[::-1]
    models = [network(), network()]
    first = before(models[0].parameters())
    train(models[0], first, 5)
    models[1].load_state_dict(models[0].state_dict())
    # The options come with the checkpoint: those of the constructor need not be the same.
    options = {} if fresh and "AMSGrad" not in str(pair[0].func) else after.keywords
    second = after.func(models[1].parameters(), **options)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    train(models[0], first, 10)
    train(models[1], second, 10)
    same(*models, 1e-12)


def test_steps_beyond_what_float32_can_count():
    p = nn.Parameter(torch.ones(2, dtype=torch.float64))
    made = ours.Adam([p])
    p.grad = torch.ones_like(p)
    made.step()
    made.state[p]["step"] = 2**24 + 1
    written = made.state_dict()
    made.load_state_dict(written)
    assert made.state[p]["step"] == 2**24 + 1


# Options that ours cannot follow

REFUSED = [
    ("SGD", {"momentum": 0.9, "dampening": 0.5}, "SGD", "dampening"),
    ("Adagrad", {"lr_decay": 0.1}, "AdaGrad", "lr_decay"),
    (
        "Adam",
        {"amsgrad": True, "decoupled_weight_decay": True},
        "AMSGrad",
        "decoupled_weight_decay",
    ),
    ("SGD", {"momentum": 0.9, "nesterov": True}, "Momentum", "nesterov"),
    ("RMSprop", {"momentum": 0.9}, "RMSProp", "momentum"),
    ("RMSprop", {"momentum": 0.9, "centered": True}, "RMSProp", "momentum"),
    ("RMSprop", {"momentum": 0.9, "centered": True}, "CenteredRMSProp", "momentum"),
    ("RMSprop", {"centered": True}, "CenteredRMSProp", None),
    ("Adam", {"amsgrad": True}, "AdamL2", "amsgrad"),
]


@pytest.mark.parametrize(("theirs", "options", "mine", "name"), REFUSED)
def test_a_checkpoint_that_asks_for_more_is_refused(theirs, options, mine, name):
    model = network()
    there = getattr(torch.optim, theirs)(model.parameters(), lr=1e-3, **options)
    train(model, there, 2)
    here = getattr(ours, mine)(model.parameters())
    before = copy.deepcopy(here.state_dict())
    if name is None:
        here.load_state_dict(there.state_dict())
        return
    with pytest.raises(ValueError, match=f"cannot follow {name}=.*: ") as caught:
        here.load_state_dict(there.state_dict())
    assert "\n" not in str(caught.value)
    assert here.state_dict() == before
    with pytest.raises(ValueError, match=f"cannot follow {name}="):
        getattr(ours, mine)([{"params": list(model.parameters()), **options}])


def test_a_group_that_is_set_to_more_is_refused_at_the_step():
    p = nn.Parameter(torch.ones(2))
    made = ours.SGD([p], momentum=0.9)
    p.grad = torch.ones(2)
    made.step()
    made.param_groups[0]["dampening"] = 0.5
    before = p.detach().clone()
    with pytest.raises(ValueError, match=r"SGD cannot follow dampening=0\.5"):
        made.step()
    assert torch.equal(p, before)


# Hooks


def test_a_pre_hook_that_reorders_by_names():
    """As Torch's documentation shows it: the state goes where the names are."""
    shapes = {"a": 2, "b": 2, "c": 2}
    params = {name: nn.Parameter(torch.ones(n)) for name, n in shapes.items()}
    made = ours.Adam(params.items())
    for k, p in enumerate(params.values()):
        p.grad = torch.full_like(p, 1.0 + k)
    made.step()
    saved = made.state_dict()
    order = ["c", "a", "b"]
    other = ours.Adam([(name, params[name]) for name in order])

    def by_name(optimizer, state_dict):
        given = state_dict["param_groups"][0]
        old = dict(zip(given["param_names"], given["params"], strict=True))
        names = optimizer.param_groups[0]["param_names"]
        state = {k: state_dict["state"][old[name]] for k, name in enumerate(names)}
        group = {**given, "params": list(range(len(names))), "param_names": list(names)}
        return {"state": state, "param_groups": [group]}

    other.register_load_state_dict_pre_hook(by_name)
    other.load_state_dict(saved)
    for name, p in params.items():
        assert torch.equal(other.state[p]["exp_avg"], made.state[p]["exp_avg"]), name


def test_load_hooks_run_in_order_and_see_what_torch_shows():
    p = nn.Parameter(torch.ones(2))
    made = ours.Adam([p])
    p.grad = torch.ones(2)
    made.step()
    saved = made.state_dict()
    seen = []
    other = ours.Adam([p])

    def pre(optimizer, state_dict):
        seen.append(("pre", optimizer is other, sorted(state_dict), dict(optimizer.state)))
        state_dict["state"][0]["exp_avg"] = torch.full((2,), 5.0)

    def post(optimizer):
        seen.append(("post", optimizer is other, optimizer.state[p]["exp_avg"].clone()))
        optimizer.state[p]["exp_avg"].mul_(2)
        optimizer.param_groups[0]["lr"] = 0.5

    other.register_load_state_dict_pre_hook(lambda o, sd: seen.append("last"))
    other.register_load_state_dict_pre_hook(pre, prepend=True)
    other.register_load_state_dict_post_hook(post)
    other.load_state_dict(copy.deepcopy(saved))
    assert seen[0] == ("pre", True, ["param_groups", "state"], {})
    assert seen[1] == "last"
    assert torch.equal(seen[2][2], torch.full((2,), 5.0))
    assert torch.equal(other.state[p]["m"], torch.full((2,), 10.0))
    assert other.param_groups[0]["lr"] == 0.5


@pytest.mark.parametrize("early", [True, False])
def test_a_load_hook_that_loads(early):
    p = nn.Parameter(torch.ones(2))
    made = ours.Adam([p])
    saved = []
    for _ in range(3):
        p.grad = torch.ones(2)
        made.step()
        saved.append(copy.deepcopy(made.state_dict()))

    def load(optimizer, *_):
        if not seen:
            seen.append(None)
            optimizer.load_state_dict(saved[1])
            seen[0] = optimizer.state[p]["step"]

    seen = []
    when = "pre" if early else "post"
    getattr(made, f"register_load_state_dict_{when}_hook")(load)
    made.load_state_dict(saved[0])
    assert seen == [2]
    assert made.state[p]["step"] == (1 if early else 2)


# What is carried, and what is not


def test_entries_of_the_user_are_carried():
    p = nn.Parameter(torch.ones(2))
    made = ours.Adam([{"params": [p], "mask": torch.ones(3), "label": "head"}])
    made.state[p]["ema"] = torch.full((2,), 7.0)
    made.state[p]["note"] = "mine"
    for _ in range(2):
        p.grad = torch.ones(2)
        made.step()
    other = ours.Adam([p])
    other.load_state_dict(copy.deepcopy(made.state_dict()))
    assert torch.equal(other.state[p]["ema"], torch.full((2,), 7.0))
    assert other.state[p]["note"] == "mine"
    assert other.param_groups[0]["label"] == "head"
    assert torch.equal(other.param_groups[0]["mask"], torch.ones(3))


@pytest.mark.parametrize("theirs", [True, False])
def test_a_load_adds_no_key_to_the_groups(pair, theirs):
    model = network()
    made = pair[theirs](model.parameters())
    train(model, made, 2)
    other = pair[0](model.parameters())
    before = set(other.param_groups[0])
    other.load_state_dict(made.state_dict())
    assert set(other.param_groups[0]) == before


@pytest.mark.parametrize("name", RULES)
def test_the_callers_dictionary_is_the_group(name):
    p = nn.Parameter(torch.ones(2))
    group = {"params": [p]}
    made = getattr(ours, name)([group], lr=0.1, **{"weight_decay": 0.0})
    assert made.param_groups[0] is group
    group["lr"] = 0.0
    p.grad = torch.ones(2)
    made.step()
    assert torch.equal(p, torch.ones(2))


# NAdam's product


@pytest.mark.parametrize("capturable", [False, True])
def test_nadam_under_a_schedule_that_moves_the_betas(capturable):
    with torch_default_dtype(torch.float64):
        models = [network(), network()]
        for model, module in zip(models, (ours, torch.optim), strict=True):
            extra = {"capturable": capturable} if module is ours else {}
            made = module.NAdam(model.parameters(), lr=1e-3, **extra)
            moving = CyclicLR(
                made, 1e-4, 1e-3, step_size_up=5, base_momentum=0.7, max_momentum=0.95
            )
            train(model, made, 12, moving)
        same(*models, 1e-12)


def test_nadam_keeps_the_product_of_a_foreign_checkpoint():
    with torch_default_dtype(torch.float64):
        model, other = network(), network()
        there = torch.optim.NAdam(model.parameters())
        train(model, there, 3)
        for group in there.param_groups:
            group["betas"] = (0.5, 0.99)
        train(model, there, 3)
        other.load_state_dict(model.state_dict())
        here = ours.NAdam(other.parameters())
        here.load_state_dict(there.state_dict())
        product = there.state_dict()["state"][0]["mu_product"]
        assert torch.equal(here.state_dict()["state"][0]["mu_product"], product)
        train(model, there, 10)
        train(other, here, 10)
        same(model, other, 1e-12)


# Tools that know Torch's names


def prune_and_grow(made, tensors, keep, rows):
    """As the code of 3D Gaussian splatting does it, in two functions."""
    for group in made.param_groups:
        stored = made.state.get(group["params"][0], None)
        new = tensors[group["name"]]
        kept = group["params"][0][keep]
        if stored is not None:
            for name in ("exp_avg", "exp_avg_sq"):
                stored[name] = torch.cat((stored[name][keep], torch.zeros_like(new)), dim=0)
            del made.state[group["params"][0]]
            group["params"][0] = nn.Parameter(torch.cat((kept, new), dim=0).requires_grad_(True))
            made.state[group["params"][0]] = stored
        else:
            group["params"][0] = nn.Parameter(torch.cat((kept, new), dim=0).requires_grad_(True))


def test_gaussian_splatting_prunes_and_grows():
    results = []
    for make in (torch.optim.Adam, ours.Adam):
        generator = torch.Generator().manual_seed(0)
        draw = partial(torch.randn, generator=generator, dtype=torch.float64)
        made = make(
            [{"params": [nn.Parameter(draw(9, n))], "lr": 0.1 * n, "name": str(n)} for n in (1, 3)],
            lr=0.0,
            eps=1e-15,
        )
        for _ in range(4):
            for _ in range(3):
                for group in made.param_groups:
                    group["params"][0].grad = draw(group["params"][0].shape)
                made.step()
            keep = torch.arange(len(made.param_groups[0]["params"][0])) % 4 != 1
            prune_and_grow(made, {"1": draw(3, 1), "3": draw(3, 3)}, keep, 3)
        results.append([group["params"][0].detach() for group in made.param_groups])
    torch.testing.assert_close(*results, rtol=1e-12, atol=1e-12)


def test_the_state_is_read_written_and_deleted_by_torchs_names():
    p = nn.Parameter(torch.ones(2))
    made = ours.SGD([p], lr=1.0, momentum=0.5)
    p.grad = torch.ones(2)
    made.step()
    state = made.state[p]
    assert "momentum_buffer" in state
    assert torch.equal(state["momentum_buffer"], torch.ones(2))
    state["momentum_buffer"] = torch.full((2,), 4.0)  # as SWAG and SAM put one back
    made.step()
    assert torch.equal(state["m"], torch.full((2,), 3.0))
    del state["momentum_buffer"]
    made.step()
    assert torch.equal(state.pop("momentum_buffer"), torch.ones(2))
    assert state.get("momentum_buffer") is None
    for entries in made.state.values():  # as tools move a state to another device
        for name, value in entries.items():
            if torch.is_tensor(value):
                entries[name] = value.to("cpu")

"""The Torch optimizers in training, beside Torch's own, and under every schedule."""

import pytest
import torch
from torch.optim import lr_scheduler
from torch_networks import CLOSED_LOOP, network, same, train

import adam_edu.torch as ours
from adam_edu import RULES
from adam_edu.native import loop


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
    before = loop.cache_info().misses
    train(model, made, 20, lr_scheduler.CosineAnnealingLR(made, 20), dtype=torch.float32)
    assert loop.cache_info().misses == before


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

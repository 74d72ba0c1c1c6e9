"""The sum-of-functions optimizer on sums whose minimum is known, and as an entrant."""

from dataclasses import replace

import cluster_models
import pytest
import torch
from tiny_experiments import small_task

from adam_edu.experiments import checkpoint, specs, sums
from adam_edu.experiments.sfo import SFO, curvature
from adam_edu.experiments.specs import SPECS
from adam_edu.experiments.tasks import load_task
from adam_edu.experiments.trials import Trial


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def quadratics(count, size, condition):
    """Return a sum of quadratic functions, and its minimum."""
    g = generator(1)
    curvatures = torch.logspace(0, float(torch.tensor(condition).log10()), size).double()
    hessians, centres = [], []
    for _ in range(count):
        q, _ = torch.linalg.qr(torch.randn(size, size, generator=g, dtype=torch.float64))
        hessians.append(q @ torch.diag(curvatures) @ q.T)
        centres.append(torch.randn(size, generator=g, dtype=torch.float64))

    def objective(x, i):
        away = x - centres[i]
        return (away @ hessians[i] @ away / 2).item(), hessians[i] @ away

    total = sum(hessians)
    minimum = torch.linalg.solve(total, sum(h @ c for h, c in zip(hessians, centres, strict=True)))
    return objective, minimum


@pytest.mark.parametrize(("count", "size", "accuracy"), [(8, 5, 1e-6), (10, 60, 1e-8)])
def test_it_finds_the_minimum_of_a_sum_of_quadratics(count, size, accuracy):
    """In the full space, and in a subspace that is cut back again and again."""
    objective, minimum = quadratics(count, size, 30.0)
    x = torch.zeros(size, dtype=torch.float64)
    sfo = SFO(objective, x, count, generator())
    for _ in range(60 * count):
        sfo.step()
    assert (x - minimum).norm() < accuracy * minimum.norm()
    assert sfo.used <= sfo.largest <= size


def logistic(dtype):
    """Return a logistic regression with a penalty as a sum of ten functions."""
    g = generator(2)
    features = torch.randn(400, 30, generator=g, dtype=torch.float64).to(dtype)
    truth = torch.randn(30, generator=g, dtype=torch.float64).to(dtype)
    labels = torch.sign(features @ truth + torch.randn(400, generator=g).to(dtype))

    def value(x, rows):
        margin = labels[rows] * (features[rows] @ x)
        return torch.nn.functional.softplus(-margin).mean() + 0.01 * x @ x

    def objective(x, i):
        x = x.detach().requires_grad_()
        loss = value(x, slice(40 * i, 40 * i + 40))
        (gradient,) = torch.autograd.grad(loss, x)
        return loss.item(), gradient

    return objective, lambda x: value(x, slice(None)).item()


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_it_needs_few_passes_on_a_logistic_regression(dtype):
    """Fewer than gradient descent by far: the minimum is that of L-BFGS in float64."""
    objective, whole = logistic(dtype)
    exact, exact_whole = logistic(torch.float64)
    best = torch.zeros(30, dtype=torch.float64, requires_grad=True)
    reference = torch.optim.LBFGS([best], max_iter=200, tolerance_grad=1e-12)

    def closure():
        reference.zero_grad()
        losses = [exact(best, i) for i in range(10)]
        best.grad = sum(gradient for _, gradient in losses) / 10
        return torch.tensor(sum(loss for loss, _ in losses) / 10)

    reference.step(closure)
    x = torch.zeros(30, dtype=dtype)
    sfo = SFO(objective, x, 10, generator())
    start = whole(x)
    while len(sfo.evaluated) < 15 * 10:
        sfo.step()
    lowest = exact_whole(best.detach())
    assert whole(x) - lowest < 1e-5 * (start - lowest)


def test_a_bad_step_is_taken_back():
    """Into a wall that no gradient before it shows."""

    def objective(x, i):
        away, beyond = x - 1 - 0.1 * i, (x - 1).clamp(min=0)
        return (away**2 + 500 * beyond**2).sum().item(), 2 * away + 1000 * beyond

    def whole(x):
        return sum(objective(x, i)[0] for i in range(3))

    start = torch.full((3,), -5.0, dtype=torch.float64)
    x = start.clone()
    sfo = SFO(objective, x, 3, generator())
    for _ in range(150):
        sfo.step()
    assert len(sfo.evaluated) > 150  # some evaluations went into going back
    lowest = whole(torch.full((3,), 1 + 0.3 / 1503, dtype=torch.float64))
    assert whole(x) - lowest < 1e-6 * (whole(start) - lowest)


def test_the_hessian_of_a_quadratic_is_found_where_it_was_seen():
    g = generator(3)
    q, _ = torch.linalg.qr(torch.randn(4, 4, generator=g, dtype=torch.float64))
    true = q @ torch.diag(torch.tensor([1.0, 2.0, 5.0, 9.0], dtype=torch.float64)) @ q.T
    moves = q  # along the axes, one after the other
    start, values, vectors = curvature(moves, true @ moves)
    torch.testing.assert_close(vectors @ torch.diag(values) @ vectors.T, true)
    assert start == pytest.approx(1.0)


def test_negative_curvature_becomes_positive():
    moves = torch.eye(2, dtype=torch.float64)
    _, values, _ = curvature(moves, moves * torch.tensor([3.0, -1.0], dtype=torch.float64))
    assert (values > 0).all()


@pytest.fixture
def trial():
    return Trial(specs.SFO, 1.0, False, 0, 4)


def test_it_trains_a_network_on_digits_in_a_few_passes(trial):
    """The first step must be short, and unseen directions keep the curvature BFGS began with."""
    spec = replace(SPECS["mlp-mnist-sfo"], model=cluster_models.small, data="digits")
    run = sums.SumRun(spec, load_task(spec, "cpu"), trial)
    for _ in range(10):
        run.train_epoch()
    (curves,) = run.curves
    assert curves.train[-1] < 0.1 * curves.train[0]
    assert curves.test_error[-1] < 0.1


def test_its_runs_resume_to_the_same_bits(tmp_path, trial):
    spec = replace(SPECS["mlp-mnist-sfo"], model=cluster_models.small)

    def make():
        return sums.SumRun(spec, small_task(spec), trial)

    whole = checkpoint.finish(make, tmp_path / "whole", 4).curves
    parts = [
        checkpoint.finish(make, tmp_path / "parts", 4, until=until).curves for until in range(1, 5)
    ]
    assert parts[-1] == whole


def test_dropout_is_refused(trial):
    with pytest.raises(ValueError, match="SFO cannot train with dropout"):
        sums.SumRun(
            SPECS["mlp-mnist"], small_task(SPECS["mlp-mnist"]), replace(trial, dropout=True)
        )

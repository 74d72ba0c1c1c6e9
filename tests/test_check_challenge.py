"""Exercises judged by what a solution does: each flaw is found, and the right ones pass."""

import sys

import numpy as np
import pytest
import pytorch_optimizer
import torch

from adam_edu import check
from adam_edu.check.challenge import Challenge
from adam_edu.check.exercises import torch_loop
from adam_edu.check.exercises.capstone import AdaMod
from adam_edu.rules import Adam
from adam_edu.torch.loop import edited

CHALLENGES = {name: task for name, task in check.EXERCISES.items() if isinstance(task, Challenge)}


POWERS = [1e-3, 1e-1, 1e1, 1e3]


def adamod(x, g, m, v, s, t, lr=1e-3, beta1=0.9, beta2=0.999, beta3=0.999, eps=1e-8):
    return AdaMod(lr, beta1, beta2, beta3, eps).update(t, x, g, m, v, s)


def adam(x, g, m, v, s, t, lr=1e-3, beta1=0.9, beta2=0.999, beta3=0.999, eps=1e-8):
    return *Adam(lr, beta1, beta2, eps).update(t, x, g, m, v), s


def by_powers_of_ten(run):
    tried = {lr: run(lr) for lr in POWERS}
    best = min(tried, key=tried.get)
    tried |= {lr: run(lr) for lr in (best / 3, best / 2, best * 2, best * 3)}
    return min(tried, key=tried.get)


def worst_of_three(run):
    return max((0.1, 10.0, 1000.0), key=run)


def beyond_the_budget(run):
    return min(np.geomspace(1e-3, 1e3, 11), key=run)


def catches_the_refusal(run):
    for lr in np.geomspace(1e-3, 1e3, 11):
        try:
            run(lr)
        except Exception:
            return 10.0


def after_one_run(lr):
    def tune(run):
        run(1.0)
        return lr

    return tune


def returning(*values):
    return lambda: values


def in_loop(body):
    """Return a training_step() with this body."""
    lines = "".join(f"    {line}\n" for line in body.strip().splitlines())
    namespace = {"torch": torch}
    exec(f"def {check.training_step.signature}:\n{lines}", namespace)
    return namespace["training_step"]


def in_torch(*lines, head="if x.grad is None: continue", **used):
    """Return a step() for torch_momentum, of what is done with each parameter."""
    body = "".join(f"            {line}\n" for line in (head, *lines))
    source = "def torch_momentum(self):\n    for group in self.param_groups:\n"
    source += f"        for x in group['params']:\n{body}"
    namespace = {"torch": torch, **used}
    exec(source, namespace)
    return namespace["torch_momentum"]


ZERO, CLIP = "optimizer.zero_grad()", "torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm)"
ZERO_FIRST = f"""
{ZERO}
n = sum(len(y) for _, y in parts)
for x, y in parts:
    scaler.scale(loss_of(model(x), y) / n).backward()
scaler.unscale_(optimizer)
{CLIP}
scaler.step(optimizer)
scaler.update()
schedule.step()"""
ONE_BACKWARD = """
loss = sum(loss_of(model(x), y) for x, y in parts) / sum(len(x) for x, _ in parts)
scaler.scale(loss).backward()
scaler.unscale_(optimizer)
norm = sum((p.grad**2).sum() for p in model.parameters()) ** 0.5
for p in model.parameters(): p.grad *= min(1, max_norm / norm)
scaler.step(optimizer)
scaler.update()
schedule.step()
optimizer.zero_grad(set_to_none=False)
return loss"""
DIVIDED_AFTER = f"""
for x, y in parts: scaler.scale(loss_of(model(x), y)).backward()
scaler.unscale_(optimizer)
for p in model.parameters(): p.grad /= sum(len(y) for _, y in parts)
{CLIP}
before = scaler.get_scale()
scaler.step(optimizer)
scaler.update()
if scaler.get_scale() >= before: schedule.step()
model.zero_grad()"""
WITHOUT_SCALER = f"""
for x, y in parts: (loss_of(model(x), y) / sum(len(y) for _, y in parts)).backward()
{CLIP}
optimizer.step()
schedule.step()
{ZERO}"""
STATE = "s = self.state[x]"
NEW = "if not s: s['m'] = torch.zeros_like(x)"
ADD = "s['m'].mul_(group['momentum']).add_(x.grad)"
MOVE = "x.sub_(group['lr'] * s['m'])"
SHORTEN = "s['m'].mul_(group['momentum']).add_(x.grad, alpha=1 - group['momentum'])"
RIGHT = {
    "make_adam_fail": [returning([3, -1, -1], 0.1), returning(np.array([5.0, -1, -1, -1]), 0.0)],
    "tune_in_ten_runs": [by_powers_of_ten],
    "tame_the_rate": [returning(adamod, 0.9999), returning(adamod, np.float64(0.99988))],
    "torch_momentum": [
        in_torch(STATE, NEW, ADD, MOVE),
        in_torch(STATE, NEW, ADD, "x -= group['lr'] * s['m']"),
        in_torch(STATE, NEW, ADD, "x.data = x.data - group['lr'] * s['m']"),
        in_torch(
            "m = group['momentum'] * self.state[x].get('buffer', 0) + x.grad",
            "self.state[x]['buffer'] = m",
            "x.copy_(x - group['lr'] * m)",
        ),
        in_torch(  # the buffers in the group are in state_dict() too
            "m = group.setdefault(str(x.shape) + str(len(group['params'])), [])",
            "i = [p is x for p in group['params']].index(True)",
            "m.extend(torch.zeros_like(p) for p in group['params'][len(m):])",
            "x.sub_(group['lr'] * m[i].mul_(group['momentum']).add_(x.grad))",
        ),
        lambda optimizer: in_torch(STATE, NEW, ADD, MOVE)(optimizer),
    ],
    "training_step": [edited(), *map(in_loop, (ZERO_FIRST, ONE_BACKWARD, DIVIDED_AFTER))],
}
WRONG = {
    "make_adam_fail": {
        "slopes_are_no_list": returning(3, 0.1),
        "beta2_outside": returning([3, -1, -1], 1.0),
        "all_slopes_zero": returning([0, 0], 0.1),
        "one_sign_only": returning([3, 1], 0.1),
        "mean_not_positive": returning([2, -1, -1], 0.1),
        "sgd_fails_too": returning([1, -0.999], 0.0),
        "adam_succeeds": returning([3, -1, -1], 0.999),
        "adam_is_undecided": returning([2.5, -1, -1], 0.6),
    },
    "tune_in_ten_runs": {
        "lr_is_no_number": after_one_run("0.1"),
        "lr_not_positive": after_one_run(-1.0),
        "ran_on": catches_the_refusal,
        "never_ran": lambda run: 10.0,
        "returned_another": worst_of_three,
        "returned_a_loss": lambda run: min(run(lr) for lr in POWERS),
        "returned_its_place": lambda run: np.argmin([run(lr) for lr in POWERS]),
        "rate_diverges": after_one_run(1e300),
        "rate_far_too_small": after_one_run(1e-3),
        "rate_far_too_large": after_one_run(1e3),
        "not_refined": after_one_run(25.0),
    },
    "tame_the_rate": {
        "step_is_no_function": returning("adamod", 0.9999),
        "beta3_is_no_decay": returning(adamod, 1),
        "step_is_not_adamod": returning(adam, 0.9999),
        "bound_is_no_bound": returning(adamod, 0.0),
        "bound_too_loose": returning(adamod, 0.9997),
        "bound_too_tight": returning(adamod, 0.99995),
        "not_within_twice": returning(adamod, 0.9998),
    },
    "torch_momentum": {
        "weights_not_moved": in_torch(STATE, NEW, ADD, "x = x - group['lr'] * s['m']"),
        "buffer_is_gradient": in_torch(STATE, "if not s: s['m'] = x.grad", f"else: {ADD}", MOVE),
        "gradient_changed": in_torch(
            STATE, NEW, "x.grad.add_(s['m'], alpha=group['momentum'])", "s['m'].copy_(x.grad)", MOVE
        ),
        "buffer_forgets": in_torch("s = {}", NEW, ADD, MOVE),
        "buffer_averages": in_torch(STATE, NEW, SHORTEN, MOVE),
        "gradient_shrunk": in_torch(
            STATE, NEW, "s['m'].add_(x.grad).mul_(group['momentum'])", MOVE
        ),
        "buffer_late": in_torch(STATE, NEW, MOVE, ADD),
        "step_uphill": in_torch(STATE, NEW, ADD, "x.add_(group['lr'] * s['m'])"),
        "buffer_shared": in_torch("s = self.state['all']", NEW, ADD, MOVE),
        "first_group_only": in_torch(STATE, NEW, ADD, f"if group is self.param_groups[0]: {MOVE}"),
        "not_momentum": in_torch(STATE, NEW, ADD, "x.sub_(group['lr'] * (x.grad + s['m']))"),
        "frozen_not_skipped": in_torch(STATE, NEW, ADD, MOVE, head="pass"),
        "rate_of_another_group": in_torch(STATE, NEW, ADD, "x.sub_(self.defaults['lr'] * s['m'])"),
        "rate_inside_buffer": in_torch(
            STATE,
            NEW,
            "s['m'].mul_(group['momentum']).add_(x.grad, alpha=group['lr'])",
            "x.sub_(s['m'])",
        ),
        "schedule_ignored": in_torch(
            STATE,
            "if not s: s['m'], s['lr'] = torch.zeros_like(x), group['lr']",
            ADD,
            "x.sub_(s['lr'] * s['m'])",
        ),
        "buffer_outside_state": in_torch(
            "self.buffers = getattr(self, 'buffers', {})",
            "s = self.buffers.setdefault(x, {})",
            NEW,
            ADD,
            MOVE,
        ),
        "buffer_lost": in_torch("s = self.state[id(x)]", NEW, ADD, MOVE),
    },
    "training_step": {
        "nothing_moved": in_loop(ZERO_FIRST.replace("scaler.step(o", f"{ZERO}; scaler.step(o")),
        "gradients_kept": in_loop(ZERO_FIRST.replace(ZERO, "pass")),
        "last_part_only": in_loop(ZERO_FIRST.replace("scaler.sc", f"{ZERO}; scaler.sc")),
        "step_for_each_part": edited(*torch_loop.WRONG["a step for each"]),
        "sum_not_mean": in_loop(ZERO_FIRST.replace("/ n)", ")")),
        "means_added": in_loop(ZERO_FIRST.replace("/ n)", "/ len(y))")),
        "mean_of_means": in_loop(ZERO_FIRST.replace("/ n)", "/ len(x) / len(parts))")),
        "divided_by_parts": in_loop(ZERO_FIRST.replace("/ n)", "/ len(parts))")),
        "first_size_for_all": in_loop(
            ZERO_FIRST.replace("/ n)", "/ (len(parts) * len(parts[0][1])))")
        ),
        "not_clipped": in_loop(ZERO_FIRST.replace(CLIP, "pass") + f"\n{CLIP}"),
        "clipped_by_value": in_loop(ZERO_FIRST.replace("clip_grad_norm_", "clip_grad_value_")),
        "parts_clipped": edited(*torch_loop.WRONG["parts clipped"]),
        "clipped_before_unscaling": in_loop(
            ZERO_FIRST.replace("scaler.unscale_(optimizer)\n", "").replace(
                CLIP, f"{CLIP}; scaler.unscale_(optimizer)"
            )
        ),
        "schedule_forgotten": in_loop(ZERO_FIRST.replace("schedule.step()", "pass")),
        "schedule_of_parts": in_loop(
            ZERO_FIRST.replace("\nschedule.step()", "").replace(
                ".backward()", ".backward(); schedule.step()"
            )
        ),
        "schedule_first": in_loop(
            "schedule.step()\n" + ZERO_FIRST.replace("\nschedule.step()", "")
        ),
        "infinite_step_taken": in_loop(WITHOUT_SCALER),
        "wrong_for_a_whole_batch": in_loop(f"{ZERO_FIRST}\nschedule.step()"),
        "another_step": in_loop(
            ZERO_FIRST.replace("/ n)", "/ len(y) / len(parts))").replace(CLIP, "pass")
        ),
    },
}


def test_every_challenge_is_tested_here():
    assert set(CHALLENGES) == set(RIGHT) == set(WRONG)


@pytest.mark.parametrize("name", CHALLENGES)
def test_right_solutions_pass_and_say_what_they_reached(name):
    for solution in RIGHT[name]:
        report = CHALLENGES[name](solution)
        assert report.ok, report
        assert "Result:" in str(report)


@pytest.mark.parametrize("name", CHALLENGES)
def test_each_flaw_is_found(name):
    flaws = {flaw.name: flaw for flaw in CHALLENGES[name].flaws}
    assert len(flaws) >= 6
    assert list(flaws) == list(WRONG[name])
    for flaw, solution in WRONG[name].items():
        report = CHALLENGES[name](solution)
        assert report.mistakes == (flaw,), f"{flaw}: {report}"
        assert flaws[flaw].words in " ".join(str(report).split())


def test_the_capstones_rule_agrees_with_an_independent_one():
    """The other's rate is that of the paper if it does not correct m, which here is done after."""
    gs = np.random.default_rng(0).standard_normal((300, 6)) * np.geomspace(1e-3, 1e3, 6)
    rule, weights = AdaMod(0.1, 0.9, 0.99, 0.97, eps=0.0), torch.zeros(6, dtype=torch.float64)
    theirs = pytorch_optimizer.AdaMod(
        [weights], 0.1, (0.9, 0.99, 0.97), eps=0.0, weight_decay=0.0, adam_debias=True
    )
    slots = rule.init(np.zeros(6))
    for t, g in enumerate(gs, start=1):
        before = weights.clone()
        weights.grad = torch.tensor(g)
        theirs.step()
        change, *slots = rule.step(0.0, g, *slots, *rule.scalars(t))
        expected = (weights - before).numpy() / (1 - 0.9**t)
        np.testing.assert_allclose(change, expected, rtol=1e-9)


def test_without_torch_it_says_what_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)

    report = check.torch_momentum(in_torch(STATE, NEW, ADD, MOVE))

    assert report.mistakes == ("needs_torch",)
    assert "pip install torch" in str(report)


def test_an_error_in_a_step_of_torch_is_shown_with_its_line():
    report = check.torch_momentum(in_torch("x.sub_(self.lr * x.grad)"))

    assert report.mistakes == ("raises",)
    assert "has no attribute 'lr'" in " ".join(str(report).split())


def test_the_eleventh_run_is_refused():
    assert check.tune_in_ten_runs(beyond_the_budget).mistakes == ("ran_too_often",)


@pytest.mark.parametrize(
    ("solution", "mistake"),
    [
        (returning([3, -1, -1]), "wrong_count"),
        (lambda: [].append(3), "returns_nothing"),
        (lambda: 1 / 0, "raises"),
        (lambda x: x, "wrong_arguments"),
        (3, "not_a_function"),
        (lambda: (list(np.random.permutation([3, -1, -1])), 0.1), "changes_random_state"),  # noqa: NPY002
    ],
)
def test_what_breaks_is_reported(solution, mistake):
    assert check.make_adam_fail(solution).mistakes == (mistake,)


def test_a_stub_is_not_written_yet():
    def make_adam_fail(): ...

    assert check.make_adam_fail(make_adam_fail).mistakes == ("not_written_yet",)

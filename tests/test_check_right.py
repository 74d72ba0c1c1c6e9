"""Right solutions are never called wrong, however they are written; a wrong one is never right."""

import math

import numpy as np
import pytest
import strategies  # noqa: F401  (the profile under which Hypothesis runs here)
import torch
from check_helpers import from_lines
from hypothesis import given, settings as hypothesis_settings, strategies as st

from adam_edu import check
from adam_edu.check.exercise import Exercise
from adam_edu.check.kinds import FLOATS

EXERCISES = {name: task for name, task in check.EXERCISES.items() if isinstance(task, Exercise)}
STEPS = {name: task for name, task in EXERCISES.items() if "x" in task.parameters[:1]}
STEPS = {name: task for name, task in STEPS.items() if task.returns[0] == "x"}

# The same line in the ways in which people write it. Each choice is independent of the others.
M = [
    "m = beta1 * m + (1 - beta1) * g",
    "m = m + (1 - beta1) * (g - m)",
    "m = m - (1 - beta1) * (m - g)",
    "m = g + beta1 * (m - g)",
    "m = (m * beta1) + g - g * beta1",
]
V = [
    "v = beta2 * v + (1 - beta2) * g * g",
    "v = beta2 * v + (1 - beta2) * g**2",
    "v = v + (1 - beta2) * (g * g - v)",
    "v = v - (1 - beta2) * (v - g**2)",
    "v = beta2 * v + g * g - beta2 * (g * g)",
]
X = [
    # as in algorithm 1
    "x = x - lr * (m / (1 - beta1**t)) / (ROOT(v / (1 - beta2**t)) + eps)",
    "m_hat, v_hat = m / (1 - pow(beta1, t)), v / (1 - pow(beta2, t)); "
    "x = x - lr * m_hat / (eps + ROOT(v_hat))",
    "x = x + -lr / (1 - beta1**t) * m / (ROOT(v) / (1 - beta2**t) ** 0.5 + eps)",
    # the efficient form of the paper's section 2, with an epsilon hat that keeps it exact
    "c = (1 - beta2**t) ** 0.5; x = x - lr * c / (1 - beta1**t) * m / (ROOT(v) + eps * c)",
    "b1, b2 = 1 - beta1**t, 1 - beta2**t; x = x - m * (lr / b1) * (ROOT(v / b2) + eps) ** -1",
]
ROOTS = {"power": lambda v: v**0.5, "numpy": np.sqrt, "math": math.sqrt, "torch": torch.sqrt}
# How a solution gets its numbers: as they come, or through another type and back.
FORMS = {
    "as it comes": "",
    "float32": "x, g, m, v = (np.asarray(a, dtype=np.float32) for a in (x, g, m, v))",
    "float64": "x, g, m, v = (np.array(a, dtype=float) for a in (x, g, m, v))",
    "torch": "x, g, m, v = (torch.as_tensor(a) for a in (x, g, m, v))",
    "torch float32": "x, g, m, v = (torch.as_tensor(a).float() for a in (x, g, m, v))",
}
RETURNS = ["return x, m, v", "return [x, m, v]", "return (x), (m), (v)"]


def solution(form, m, v, x, root, end):
    lines = [FORMS[form], m, v, x.replace("ROOT", "root"), end]
    body = "\n    ".join(line for line in lines if line)
    namespace = {"np": np, "torch": torch, "root": ROOTS[root]}
    exec(f"def {check.adam_step.signature}:\n    {body}", namespace)
    return namespace["adam_step"]


FITTING = [
    (form, root)
    for form in FORMS
    for root in ROOTS
    if not (root == "math" and form != "as it comes")
    and not (root == "torch" and "float" in form and "torch" not in form)
    and not (root == "numpy" and "torch" in form)
]


@hypothesis_settings(max_examples=150)
@given(
    form=st.sampled_from(FITTING),
    m=st.sampled_from(M),
    v=st.sampled_from(V),
    x=st.sampled_from(X),
    end=st.sampled_from(RETURNS),
)
def test_adam_in_many_ways_is_right(form, m, v, x, end):
    report = check.adam_step(solution(form[0], m, v, x, form[1], end))

    assert report.ok, f"{form} {m} {v} {x}\n{report}"


def test_adam_with_plain_lists_is_right():
    def adam_step(x, g, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
        new_x, new_m, new_v = [], [], []
        for xi, gi, mi, vi in zip(x, g, m, v, strict=True):
            mi, vi = beta1 * mi + (1 - beta1) * gi, beta2 * vi + (1 - beta2) * gi * gi
            step = lr * mi / (1 - beta1**t) / (math.sqrt(vi / (1 - beta2**t)) + eps)
            new_x.append(xi - step)
            new_m.append(mi)
            new_v.append(vi)
        return new_x, new_m, new_v

    assert check.adam_step(adam_step).ok


def test_adam_on_lists_alone_is_right():
    def adam_step(x, g, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
        g.index(g[0])  # only a list has this
        m = [beta1 * a + (1 - beta1) * b for a, b in zip(m, g, strict=True)]
        v = [beta2 * a + (1 - beta2) * b * b for a, b in zip(v, g, strict=True)]
        pairs = zip(x, m, v, strict=True)
        bias1, bias2 = 1 - beta1**t, 1 - beta2**t
        return [p - lr * a / bias1 / ((b / bias2) ** 0.5 + eps) for p, a, b in pairs], m, v

    assert check.adam_step(adam_step).ok


def test_adam_with_an_optimizer_inside_is_right():
    torch.optim.Adam([torch.zeros(1)])  # the first one takes seconds to load

    def adam_step(x, g, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
        theta = torch.nn.Parameter(torch.tensor(x, dtype=torch.float64))
        optimizer = torch.optim.Adam([theta], lr=lr, betas=(beta1, beta2), eps=eps)
        state = optimizer.state[theta]
        state["step"] = torch.tensor(float(t - 1))
        state["exp_avg"] = torch.tensor(m, dtype=torch.float64)
        state["exp_avg_sq"] = torch.tensor(v, dtype=torch.float64)
        theta.grad = torch.tensor(g, dtype=torch.float64)
        optimizer.step()
        return theta, state["exp_avg"], state["exp_avg_sq"]

    assert check.adam_step(adam_step).ok


def converted(exercise, into, back):
    """Return the reference with every array made of another type first, and made back."""
    reference = from_lines(exercise)

    def compute(**arguments):
        given = {
            name: into(value) if isinstance(value, np.ndarray) else value
            for name, value in arguments.items()
        }
        results = reference(**given)
        return tuple(map(back, results)) if isinstance(results, tuple) else back(results)

    return compute


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize(
    ("into", "back"),
    [
        (lambda a: a.astype(np.float32), lambda a: a),
        (torch.tensor, lambda a: a),
        (lambda a: torch.tensor(a, dtype=torch.float32), lambda a: a),
        (lambda a: torch.tensor(a, requires_grad=True), lambda a: a),
        (lambda a: a.copy(), lambda a: a.tolist()),
        (lambda a: a.reshape(-1, 1), lambda a: a.reshape(-1)),
    ],
    ids=["float32", "torch", "torch float32", "torch with a graph", "lists back", "columns"],
)
def test_every_step_in_every_type_is_right(name, into, back):
    report = STEPS[name](converted(STEPS[name], into, back))

    assert report.ok, report


@pytest.mark.parametrize("name", [n for n, task in EXERCISES.items() if FLOATS in task.kinds])
def test_every_step_for_one_float_is_right(name):
    reference = from_lines(EXERCISES[name])

    def one_at_a_time(**arguments):
        if any(isinstance(value, (np.ndarray, list, torch.Tensor)) for value in arguments.values()):
            raise TypeError("numbers only")
        return reference(**arguments)

    report = EXERCISES[name](one_at_a_time)

    assert report.ok, report
    assert "floats" in str(report)


@hypothesis_settings(max_examples=60)
@given(
    st.sampled_from(sorted(EXERCISES)),
    st.sampled_from([0.5, 1.01, -1.0, 1.1]),
    st.integers(min_value=0, max_value=3),
)
def test_a_changed_result_is_never_right(name, factor, which):
    exercise = EXERCISES[name]
    reference = from_lines(exercise)
    which = which % len(exercise.returns)

    def changed(**arguments):
        results = reference(**arguments)
        if not isinstance(results, tuple):
            return results * factor
        return tuple(r * factor if i == which else r for i, r in enumerate(results))

    assert not exercise(changed).ok


@hypothesis_settings(max_examples=40)
@given(st.data())
def test_two_known_mistakes_are_never_right_and_are_explained(data):
    exercise = EXERCISES[data.draw(st.sampled_from(sorted(STEPS)))]
    pair = data.draw(st.lists(st.sampled_from(exercise.mistakes), min_size=2, max_size=2))
    lines = [line for mistake in pair for line in mistake.lines]
    if len(set(lines)) < len(lines):
        return
    report = exercise(from_lines(exercise, *pair))

    assert not report.ok
    assert "unknown" not in report.mistakes, report

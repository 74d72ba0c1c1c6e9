"""Mistakes that nobody wrote down are found, and nothing is accepted, invented or refused."""

import math
import random
import time

import numpy as np
import pytest
from check_cases import ADAM, END, HATS, LION, NEVER, PUBLIC, STUDENTS, M, V, answer, answers
from check_measures import measured

from adam_edu import check
from adam_edu.check import calling
from adam_edu.check.in_place import in_place


def text(report):
    return " ".join(str(report).split())


@pytest.mark.parametrize(("name", "body", "says"), [*PUBLIC, *STUDENTS])
def test_a_mistake_that_is_in_no_catalogue_is_said(name, body, says):
    report = check.EXERCISES[name](answer(name, body))

    assert not report.ok
    assert "unknown" not in report.mistakes, report
    assert says in text(report), report


@pytest.mark.parametrize(("name", "mistakes", "body"), list(answers()))
def test_what_students_write_is_named(name, mistakes, body):
    report = check.EXERCISES[name](answer(name, body))

    assert report.mistakes == mistakes, report


@pytest.mark.parametrize(
    ("name", "body", "says"),
    [
        (
            "numerical_gradient",
            "x = np.asarray(x, dtype=float)\nreturn (f(x + h) - f(x - h)) / (2 * h)",
            "You move all coordinates at once.",
        ),
        ("minibatch_gradient", "return np.mean(gradients[list(batch)])", "It is the mean of them"),
        (
            "moving_average",
            "for s in signal:\n    return [(1 - beta) * s]",
            "It is the first of them; all are asked for. Does a return stand inside of a loop?",
        ),
        ("momentum_step", "m = momentum * m + g\nreturn np.max(x - lr * m), m", "np.max and"),
        (
            "lion_step",
            LION.replace("beta1", "b")
            .replace("beta2", "beta1")
            .replace("b *", "beta2 *")
            .replace("- b)", "- beta2)")
            + "return x - lr * np.sign(c) - lr * weight_decay * x, m",
            "It is beta2, the decay of m, and not beta1, the share of m in c.",
        ),
    ],
)
def test_what_came_back_is_told_in_the_words_of_the_exercise(name, body, says):
    assert says in text(check.EXERCISES[name](answer(name, body)))


def test_a_count_that_is_rounded_is_right():
    body = "return round(np.log(power) / np.log(beta)) - 1"

    assert check.count_from_power(answer("count_from_power", body)).ok


def test_a_product_is_a_quantity_of_the_algorithm_however_many_factors_it_has():
    body = (
        "def mu(i): return beta1 * (1 - 0.5 * 0.96 ** (i * momentum_decay))\n"
        "now = np.prod([mu(i) for i in range(1, t + 1)])\n"
        f"{M}{V}m_bar = np.tan(mu(t + 1) * m) / (1 - now * mu(t + 1)) + g / (1 - now)\n"
        "return x - lr * m_bar / (np.sqrt(v / (1 - beta2**t)) + eps), m, v"
    )

    report = check.nadam_step(answer("nadam_step", body))

    assert report.mistakes == ("unknown",)
    assert "line 6, m_bar = " in text(report)


def test_an_edit_names_the_line_what_stands_there_what_belongs_there_and_a_number():
    body = f"{M}{V}m_hat = m / (1 - beta1**t)\nv_hat = v / (1 - beta2**2)\n{END}"

    said = text(check.adam_step(answer("adam_step", body)))

    assert "In the line that computes v_hat you have v / (1 - beta2**2)" in said
    assert "where v / (1 - beta2**t) belongs. It is t, the number of the step" in said
    assert "So v_hat is 12.51 where 25 is right after step 1." in said
    assert "You have: v_hat = v / (1 - beta2**2)" in said


def test_an_edit_in_the_state_and_one_in_x_are_found_as_two():
    body = f"m = beta1 * m + g\n{V}{HATS}return x - lr * m_hat / (v_hat + eps), m, v"

    report = check.adam_step(answer("adam_step", body))

    assert len(report.mistakes) == 2
    assert "unknown" not in report.mistakes


@pytest.mark.parametrize(
    ("name", "body", "says"),
    [
        ("nesterov_step", "m = momentum * m + g; return x - lr * m, m", "lr * m where lr * (g +"),
        (
            "momentum_step",
            "m = momentum * m + (1 - momentum) * g; return x - lr * m, m",
            "1 - momentum is one factor too many.",
        ),
        (
            "lion_step",
            "m = beta2 * m + (1 - beta2) * g; c = beta1 * m + (1 - beta1) * g\n"
            "return x - lr * np.sign(c) - lr * weight_decay * x, m",
            "you use the new m. m as it was before the step belongs there",
        ),
        (
            "adabound_step",
            f"{M}{V}low = final_lr * (1 - 1 / (gamma * t + 1))\n"
            "high = final_lr * (1 + 1 / (gamma * t))\n"
            "rate = lr / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps)\n"
            "return x - np.clip(rate, high, low) * m, m, v",
            "The two sides are swapped.",
        ),
        ("adam_step", ADAM + END.replace("m, v", "m, v * 0"), "For v you return 0."),
    ],
)
def test_of_what_computes_the_same_the_students_own_words_are_taken(name, body, says):
    assert says in text(check.EXERCISES[name](answer(name, body)))


def test_a_slot_that_is_right_is_not_blamed_for_x():
    body = "m = momentum * m + g; return x - lr * (m * 2 - g), m"

    report = check.momentum_step(answer("momentum_step", body))

    assert all(name[0] == "x" for name in report.mistakes), report


def test_a_number_that_is_zero_has_no_sign():
    body = f"{M}{V}{HATS}return x - lr * m_hat / np.sqrt(v_hat) + eps, m, v"

    said = text(check.adam_step(answer("adam_step", body)))

    assert "-0 " not in said
    assert "-0," not in said


def test_where_nothing_explains_it_the_students_own_line_is_shown():
    body = f"{M}{V}m_hat = m / (1 - beta1**t)\nv_hat = np.tan(v) / (1 - beta2 ** (lr * t))\n{END}"

    report = check.adam_step(answer("adam_step", body))

    assert report.mistakes == ("unknown",)
    line = "line 5, v_hat = np.tan(v) / (1 - beta2 ** (lr * t))"
    assert f"{line}: np.tan(v) in it has" in text(report)


@pytest.mark.parametrize(("name", "body"), NEVER)
def test_what_is_wrong_is_never_accepted(name, body):
    assert not check.EXERCISES[name](answer(name, body)).ok


@pytest.mark.parametrize("word", ["return", "break"])
def test_a_torch_step_that_stops_at_a_frozen_parameter_is_not_right(word):
    body = f"""\
for group in self.param_groups:
    for x in group["params"]:
        if x.grad is None: {word}
        state = self.state[x]
        if not state: state["m"] = 0 * x
        state["m"].mul_(group["momentum"]).add_(x.grad)
        x.sub_(group["lr"] * state["m"])"""

    assert check.torch_momentum(answer("torch_momentum", body)).mistakes == ("frozen_not_skipped",)


def test_who_looks_at_the_checkers_frames_is_refused():
    body = "import sys\nreturn sys._getframe(1).f_locals['x']"

    assert check.sgd_step(answer("sgd_step", body)).mistakes == ("looks_at_the_checker",)


def test_who_replaces_functions_of_the_checker_is_refused_and_they_are_put_back():
    before = calling.close, np.isclose
    body = """\
from adam_edu.check import calling
calling.close = lambda *a: np.array([True])
np.isclose = lambda *a, **k: np.array([True])
return x"""

    report = check.sgd_step(answer("sgd_step", body))

    assert "replaces_functions" in report.mistakes
    assert (calling.close, np.isclose) == before


@pytest.mark.parametrize(
    ("name", "line", "says"),
    [
        ("adam_step", "a, b = m, v, x", "than names"),
        ("rmsprop_step", "v, w = v", "than names"),
        ("adam_step", "m = m^2", "A power is written **"),
        ("amsgrad_step", "w = np.max(w, v)", "np.maximum(a, b)"),
        ("adam_step", "m = m[0, 1]", "one number for each axis"),
        ("minibatch_gradient", "return gradients[batch].mean(axis=0)", "array[list(rows)]"),
        ("adam_step", "for i in range(np.array([t, t])): pass", "one whole number"),
        ("adam_step", "m = np.add(x1=m, x2=g)", "np.add(x1=m, x2=g)"),
        ("half_life", "a, b = 1, 2, 3", "than names"),
        ("adagrad_step", "s = s + int('a')", "int('a')"),
    ],
)
def test_an_error_of_the_students_own_line_is_reported_as_that(name, line, says):
    report = check.EXERCISES[name](answer(name, f"{line}\nreturn 0"))

    assert report.mistakes == ("raises",)
    assert repr(line) in text(report) or line in text(report)
    assert says in text(report)


@pytest.mark.parametrize("name", ["adam_step", "adamw_step", "adagrad_step"])
def test_a_verdict_speaks_of_one_call_and_no_helper_of_the_checker(name):
    for mistake in check.EXERCISES[name].mistakes:
        assert "_mu(" not in mistake.code
        assert "_differences" not in mistake.code
    body = f"{ADAM}return x - m_hat / (v_hat**0.5 + eps), m, v"

    said = text(check.adam_step(answer("adam_step", body)))

    assert "The new x is -0" not in said
    assert said.count("after step 1 ") + said.count("after step 1,") >= 1
    assert not any(f"after step {t}" in said for t in (2, 3, 7, 10))


def positional(x, g, lr=1e-3, /):
    return x - lr * g


def adamod_in_floats(x, g, m, v, s, t, lr=1e-3, beta1=0.9, beta2=0.999, beta3=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    eta = lr / (math.sqrt(v / (1 - beta2**t)) + eps)
    s = beta3 * s + (1 - beta3) * eta
    return x - min(eta, s) * m / (1 - beta1**t), m, v, s


def adamod_in_lists(x, g, m, v, s, t, lr=1e-3, beta1=0.9, beta2=0.999, beta3=0.999, eps=1e-8):
    x.index(x[0])
    rows = zip(x, g, m, v, s, strict=True)
    new = [adamod_in_floats(*row, t, lr, beta1, beta2, beta3, eps) for row in rows]
    return tuple(map(list, zip(*new, strict=True)))


def with_own_generator(run):
    rng, tried = random.Random(3), {}
    for _ in range(10):
        lr = 10 ** rng.uniform(0.5, 1.5)
        tried[lr] = run(lr)
    return min(tried, key=tried.get)


def test_positional_only_parameters_are_right():
    assert check.sgd_step(positional).ok


@pytest.mark.parametrize("step", [adamod_in_lists, adamod_in_floats])
def test_the_capstone_takes_lists_and_floats(step):
    assert check.tame_the_rate(lambda: (step, 0.9999)).ok


def test_random_search_with_a_generator_of_ones_own_is_right():
    assert check.tune_in_ten_runs(with_own_generator).ok


def test_a_step_in_place_is_told_its_mistake():
    def adam_step(x, g, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
        m.mul_(beta1).add_(g, alpha=1 - beta1)
        v.mul_(beta2).addcmul_(g, g, value=1 - beta1)
        x.addcdiv_(m, (v / (1 - beta2**t)).sqrt_().add_(eps), value=-lr / (1 - beta1**t))

    report = check.adam_step(in_place(adam_step))

    assert "(1 - beta1) * g**2 where (1 - beta2) * g**2 belongs" in text(report)


@pytest.mark.slow
def test_mutants_of_the_books_solutions_are_named_rightly():
    begin = time.monotonic()
    found = measured(per_exercise=3)

    assert found.accepted == []
    assert len(found.wrong) == 0, found.wrong
    assert len(found.right) >= 0.9 * (len(found.right) + len(found.unknown)), found.unknown
    assert time.monotonic() - begin < 600

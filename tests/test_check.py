"""The exercise checker: right solutions pass, each known mistake is named, strange ones are met."""

import inspect
import random
import re
import sys
import time
from threading import Thread

import numpy as np
import pytest
import torch  # noqa: F401  (loaded, so that the checker tries tensors too)
from check_helpers import as_function, from_lines
from conftest import ROOT

from adam_edu import check
from adam_edu.check.exercise import Exercise
from adam_edu.check.report import Report
from adam_edu.rules import Adam, RMSProp

EXERCISES = {name: task for name, task in check.EXERCISES.items() if isinstance(task, Exercise)}
exercise = pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)


def adam(x, g, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    return Adam(lr, beta1, beta2, eps).update(t, x, g, m, v)


# Every exercise


@exercise
def test_the_reference_passes(exercise):
    report = exercise(from_lines(exercise))

    assert report.ok, report
    assert report.mistakes == ()


@exercise
def test_each_known_mistake_is_named(exercise):
    for mistake in exercise.mistakes:
        report = exercise(from_lines(exercise, mistake))

        assert not report.ok, mistake.name
        if report.mistakes in (("collapsed",), ("wrong_shape",)):  # told in the mistake's words
            assert " ".join(mistake.words.split()) in " ".join(str(report).split())
        else:
            assert report.mistakes == (mistake.name,), f"{mistake.name}: {report}"


@exercise
def test_the_stub_does_not_pass(exercise):
    report = exercise(as_function(exercise))

    assert not report.ok
    assert report.mistakes == (exercise.planted or ("not_written_yet",))


@exercise
def test_what_nobody_has_begun_does_not_look_like_a_failure(exercise):
    report = exercise(as_function(exercise))
    wrong = Report(exercise.name, False, (), "not right yet", (("Problem", "It is slow."),))
    colour = re.search("#[0-9a-f]{6}", wrong._repr_html_())[0]

    for said in (str(report), report._repr_html_()):
        assert "○" in said
        assert not re.search("✗|Problem:|not right|" + colour, said)
    assert "✗" in str(wrong)


@exercise
def test_there_are_mistakes_enough_and_each_has_words(exercise):
    # What is made of lines needs only those that its lines, edited, do not explain as well.
    assert len(exercise.mistakes) >= (6 if exercise.program is None else 2)
    assert len({mistake.name for mistake in exercise.mistakes}) == len(exercise.mistakes)
    for mistake in exercise.mistakes:
        assert mistake.words.endswith((".", ".)")), mistake.name


@exercise
def test_the_probes_are_called_as_the_signature_says(exercise):
    for probe in exercise.probes:
        assert tuple(probe) == exercise.parameters


def test_there_are_thirty_exercises_over_the_course():
    assert len(check.EXERCISES) >= 30
    assert len({task.read for task in check.EXERCISES.values()}) >= 12


def test_the_exercise_is_an_attribute_and_an_unknown_one_says_what_there_is():
    assert check.adam_step is check.EXERCISES["adam_step"]
    with pytest.raises(AttributeError, match="adam_step"):
        check.adma_step  # noqa: B018


# What a report says


def test_the_report_of_a_known_mistake_has_a_number_the_cause_the_line_and_the_chapter():
    def solution(x, g, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta1**t)
        return x - lr * m_hat / (np.sqrt(v_hat) + eps), m, v

    text = " ".join(str(check.adam_step(solution)).split())

    assert "Right: m and v, in each of 15 calls." in text
    assert "x[0] is 1.9 where 1.99 is right after step 1" in text
    assert "Your second moment is corrected with beta1." in text
    assert "So v_hat is 0.25 where 25 is right after step 1." in text
    assert "Look at: the line that computes v_hat." in text
    assert "Bias correction" in text


@pytest.mark.parametrize(
    "names",
    [
        ("v_hat_with_beta1", "ascent"),
        ("g_not_squared", "eps_inside_root"),
        ("m_hat_not_corrected", "v_without_share"),
        ("m_without_share", "lr_missing"),
        ("t_from_zero", "root_missing"),
        ("state_not_returned", "eps_before_correction"),
    ],
)
def test_two_mistakes_at_once_are_both_named(names):
    by_name = {mistake.name: mistake for mistake in check.adam_step.mistakes}
    report = check.adam_step(from_lines(check.adam_step, *(by_name[name] for name in names)))

    assert set(report.mistakes) == set(names)


def test_right_values_in_the_wrong_order_are_told_so():
    def solution(x, g, v, lr, rho, eps):
        return tuple(reversed(RMSProp(lr, rho, eps).update(1, x, g, v)))

    report = check.rmsprop_step(solution)

    assert report.mistakes == ("wrong_order",)
    assert "you return v and x; asked for: x and v." in str(report)


def test_an_unknown_mistake_is_said_to_be_unknown_with_step_parameter_and_line():
    def solution(x, g, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
        x_new, m_new, v_new = adam(x, g, m, v, t, lr, beta1, beta2, eps)
        if t == 2:
            v_new[2] += 0.25  # what nobody would do
        return x_new, m_new, v_new

    report = check.adam_step(solution)
    text = " ".join(str(report).split())

    assert report.mistakes == ("unknown",)
    assert "differs from every mistake" in text
    assert "v[2] is" in text
    assert "after step 2" in text


def test_html_is_escaped_and_says_what_the_text_says():
    report = check.adam_step(lambda x: x)._repr_html_()

    assert "adam_step" in report
    assert "<lambda>" not in report


# Solutions that do strange things


@pytest.mark.parametrize(
    ("body", "mistake", "says"),
    [
        ("raise KeyError('beta')", "raises", "KeyError"),
        ("return y, m, v", "raises", "name 'y' is not defined"),
        ("while True: pass", "takes_too_long", "still running"),
        ("raise SystemExit", "raises", "SystemExit"),
        ("x = x - lr", "returns_nothing", "return statement"),
        ("return x", "wrong_count", "3 values"),
        ("return x, m", "wrong_count", "2 values"),
        ("return 'x', m, v", "wrong_type", "a str"),
        ("return x, None, v", "returns_nothing", "None for m"),
        ("return x[:2], m, v", "wrong_shape", "2 numbers"),
        ("return x + 1j, m, v", "wrong_type", "x"),
    ],
)
def test_a_solution_that_breaks_gets_a_clear_message(body, mistake, says, monkeypatch):
    monkeypatch.setattr("adam_edu.check.sandbox.SECONDS", 0.5)
    report = check.adam_step(written(body))

    assert report.mistakes == (mistake,)
    assert says in " ".join(str(report).split())


RIGHT = "m = beta1*m + (1-beta1)*g; v = beta2*v + (1-beta2)*g*g; " + (
    "x = x - lr*m/(1-beta1**t)/(np.sqrt(v/(1-beta2**t)) + eps)"
)


@pytest.mark.parametrize(
    ("before", "mistake"),
    [
        ("m *= 0.5; m *= 2; m += 1; m = m - 1", "changes_its_input"),
        ("np.random.seed(0)", "changes_random_state"),
        ("random.random()", "changes_random_state"),
        (
            "state.append(1); m = m + (len(state) > 15)",
            "remembers_between_calls",
        ),
    ],
)
def test_right_numbers_with_a_side_effect_are_not_right_yet(before, mistake):
    states = random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002
    report = check.adam_step(written(f"{before}\n    {RIGHT}\n    return x, m, v"))

    assert report.mistakes == (mistake,)
    assert not report.ok
    assert (random.getstate(), np.random.get_state()[1].tolist()) == states  # noqa: NPY002


def test_fractions_cut_off_are_seen():
    body = f"{RIGHT}\n    new = np.zeros_like(g)\n    new[:] = x\n    return new, m, v"

    assert check.adam_step(written(body)).mistakes == ("integer_arrays",)


def test_printing_is_noted_and_caught(capsys):
    report = check.adam_step(written(f"print('m is', m)\n    {RIGHT}\n    return x, m, v"))

    assert report.ok
    assert "It prints, first 'm is" in str(report)
    assert capsys.readouterr().out == ""


def test_a_wrong_default_is_a_mistake():
    source = f"{RIGHT}\n    return x, m, v"
    report = check.adam_step(written(source, "x, g, m, v, t, lr=1e-3, beta1=0.9, beta2=0.99"))

    assert report.mistakes == ("wrong_arguments",)
    report = check.adam_step(
        written(source, "x, g, m, v, t, lr=1e-3, beta1=0.9, beta2=0.99, eps=1e-8")
    )
    assert report.mistakes == ("default_of_beta2",)


def test_other_names_for_the_arguments_are_fine():
    def adam_step(theta, grad, m, v, step, alpha=1e-3, b1=0.9, b2=0.999, epsilon=1e-8):
        return adam(theta, grad, m, v, step, alpha, b1, b2, epsilon)

    assert check.adam_step(adam_step).ok


@pytest.mark.parametrize("thing", [None, 3, "adam_step", adam(1.0, 1.0, 0.0, 0.0, 1)])
def test_what_is_no_function_is_refused(thing):
    assert check.adam_step(thing).mistakes == ("not_a_function",)


@pytest.mark.parametrize("body", ["...", "pass", "raise NotImplementedError", "'''Words.'''; ..."])
def test_a_stub_is_not_written_yet(body):
    assert check.adam_step(written(body)).title == "not written yet"


def test_a_program_with_a_gap_is_not_written_yet():
    body = "m = beta1 * m + (1 - beta1) * g\n    v = ...\n    return x - lr * m / v, m, v"

    assert check.adam_step(written(body)).mistakes == ("not_written_yet",)


def test_the_time_limit_holds_in_a_thread(monkeypatch):
    monkeypatch.setattr("adam_edu.check.sandbox.SECONDS", 0.5)
    reports = []
    begin = time.monotonic()
    thread = Thread(
        target=lambda: reports.append(check.adam_step(written("while True: x = x + 1")))
    )
    thread.start()
    thread.join(30)

    assert reports[0].mistakes == ("takes_too_long",)
    assert time.monotonic() - begin < 30


def test_the_signal_of_another_timer_is_kept():
    import signal

    if not hasattr(signal, "setitimer"):
        pytest.skip("no timers here")
    rung = []
    before = signal.signal(signal.SIGALRM, lambda *_: rung.append(True))
    try:
        signal.setitimer(signal.ITIMER_REAL, 30)
        check.adam_step(adam)
        assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= 30
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert not rung


def written(body, arguments=None):
    """Return a solution of adam_step with a body, as a student would have written it."""
    arguments = arguments or ", ".join(str(p) for p in inspect.signature(adam).parameters.values())
    namespace = {"np": np, "random": random, "state": []}
    exec(f"def adam_step({arguments}):\n    {body}", namespace)
    return namespace["adam_step"]


def test_nothing_but_numpy_is_loaded():
    import subprocess

    code = "import sys; from adam_edu import check; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"


def test_the_exercise_that_contributors_are_shown_works():
    text = (ROOT / "CONTRIBUTING.md").read_text()
    source = text.split("This is a whole one:\n\n```python\n")[1].split("```")[0]
    made = {}
    exec(source.replace("from ..", "from adam_edu.check."), made)

    assert made["inverse_sqrt"](lambda t, lr: lr / t**0.5).ok
    assert made["inverse_sqrt"](lambda t, lr: lr / t).mistakes == ("rate_function_off",)

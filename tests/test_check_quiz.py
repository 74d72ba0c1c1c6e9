"""The quiz: one right answer, a reason for each, the same HTML every time."""

import pytest

from adam_edu.check.quiz import ask, quiz, right, wrong


def question(text="How long is $1 < 2$?"):
    return ask(text, right("the *rate* `lr`", r"since $\hat m = g$"), wrong("g", "no"))


def test_code_formulas_and_stress_are_set_and_the_rest_is_escaped():
    html = quiz(question())._repr_html_()

    assert r'<span class="mathjax_process">\(1 &lt; 2\)</span>' in html
    assert "the <em>rate</em> <code>lr</code>" in html
    assert r"\(\hat m = g\)" in html


def test_choices_close_one_another_and_the_html_is_the_same_each_time():
    html = quiz(question(), question("another"))._repr_html_()

    assert html == quiz(question(), question("another"))._repr_html_()
    names = [part.partition('"')[0] for part in html.split('details name="')[1:]]
    assert names[0] == names[1] != names[2] == names[3]


def test_text_shows_questions_and_answers_apart():
    asked = quiz(question())

    assert str(asked) == "1. How long is $1 < 2$?\n   a) the *rate* `lr`\n   b) g"
    assert asked.answers() == "1a) Right. since $\\hat m = g$\n1b) Not this one. no"


@pytest.mark.parametrize(
    ("choices", "problem"),
    [
        ([right("a", "so")], "two choices"),
        ([wrong("a", "so"), wrong("b", "so")], "exactly one"),
        ([right("a", "so"), right("b", "so")], "exactly one"),
        ([right("a", "so"), wrong("a", "so")], "same answer"),
        ([right("a", "so"), wrong("b", "")], "explanation"),
    ],
)
def test_a_question_that_is_none_is_refused(choices, problem):
    with pytest.raises(ValueError, match=problem):
        ask("What?", *choices)


@pytest.mark.browser
def test_choices_open_by_keyboard_one_at_a_time_without_a_script(tmp_path, browser):
    path = tmp_path / "quiz.html"
    path.write_text(f"<!doctype html><title>quiz</title>{quiz(question())._repr_html_()}")
    page = browser.new_page()
    page.goto(path.as_uri())
    opened = "[...document.querySelectorAll('details')].map(choice => choice.open)"
    assert page.evaluate(opened) == [False, False]
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate(opened) == [True, False]
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert page.evaluate(opened) == [False, True]
    assert page.locator("details[open] p").inner_text() == "✗ Not this one. no"
    page.close()

"""Formula, JavaScript and rule are one: read back by SymPy, and run by a JavaScript engine."""

import json
import re
import shutil
import subprocess
from dataclasses import fields
from textwrap import dedent

import latex_reader
import numpy as np
import pytest
import sympy

from adam_edu import RULES, symbolic
from adam_edu.lab import catalog
from adam_edu.problems import SURFACES

RELATIVE = 1e-12


def symbols_of(rule):
    """Return the rule on symbols, and its scalars, slots, x and g."""
    names = [field.name for field in fields(rule)]
    instance = rule(**{name: sympy.Symbol(name) for name in names})
    t = sympy.Symbol("t")
    slots = [sympy.Symbol(name) for name in rule.slots]
    return instance, t, slots


def after_one_step(rule):
    """Return what the rule itself makes of symbols: the change of x, and each slot."""
    instance, t, slots = symbols_of(rule)
    x, g = sympy.symbols("x g")
    # The product over i keeps its own index.
    change, *after = instance.step(x, g, *slots, *instance.scalars(t))
    return {"x": x + change, **dict(zip(rule.slots, after, strict=True))}


def agree(read, computed):
    index = {i: sympy.Symbol("i") for i in computed.atoms(sympy.Symbol) if i.name == "i"}
    return sympy.simplify(sympy.nsimplify(read - computed.xreplace(index))) == 0


def documented_formula(rule):
    """Return the paper's formula, as the class's docstring has it."""
    block = re.search(r"\.\. math::(.*?)\n\n(?=\S|    \S)", rule.__doc__, re.DOTALL)[1]
    return dedent(block)


def documented_rows(rule):
    text = documented_formula(rule)
    if r"\text{Adam}" not in text:
        return latex_reader.rows(text)
    first, _ = text.rsplit(r"\\", 1)
    return latex_reader.rows(first) + documented_rows(RULES["Adam"])


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
@pytest.mark.parametrize("source", ["typeset", "documented"])
def test_formula_says_what_the_rule_does(rule, source):
    if source == "typeset":
        found = latex_reader.rows(symbolic.latex(rule))
    else:
        found = documented_rows(rule)
    read = latex_reader.fold(found)

    for name, computed in after_one_step(rule).items():
        assert agree(read[sympy.Symbol(name)], computed), name


def test_the_reader_notices_a_wrong_formula():
    wrong = symbolic.latex(RULES["Adam"]).replace(r"\sqrt{\hat v}", r"\sqrt{v}")
    read = latex_reader.fold(latex_reader.rows(wrong))

    assert not agree(read[sympy.Symbol("x")], after_one_step(RULES["Adam"])["x"])


def test_adam_looks_as_in_the_paper():
    assert symbolic.latex(RULES["Adam"]).splitlines() == [
        r"\begin{aligned}",
        r"m &\leftarrow \beta_1 m + \left(1 - \beta_1\right) g \\",
        r"v &\leftarrow \beta_2 v + \left(1 - \beta_2\right) g^2 \\",
        r"\hat m &= \frac{m}{1 - \beta_1^{t}} \\",
        r"\hat v &= \frac{v}{1 - \beta_2^{t}} \\",
        r"x &\leftarrow x - \frac{\alpha \hat m}{\sqrt{\hat v} + \epsilon}",
        r"\end{aligned}",
    ]


def test_formula_in_a_notebook():
    shown = symbolic.formula(RULES["Adam"](lr=0.1))

    assert repr(shown) == "formula(Adam)"
    assert shown._repr_latex_() == f"$$\n{symbolic.latex(RULES['Adam'])}\n$$"


def test_what_is_no_rule_is_refused():
    with pytest.raises(TypeError, match="must be a rule such as Adam"):
        symbolic.latex("Adam")


# JavaScript


@pytest.fixture(scope="module")
def javascript(request, tmp_path_factory):
    """Return a function that runs a module, which calls report(value) once, beside rules.js."""
    folder = tmp_path_factory.mktemp("javascript")
    (folder / "rules.mjs").write_text(catalog.rules_module())
    node = shutil.which("node")
    if node:

        def run(code):
            report = "const report = (value) => console.log(JSON.stringify(value));\n"
            (folder / "main.mjs").write_text(report + code)
            done = subprocess.run([node, folder / "main.mjs"], capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            return json.loads(done.stdout)

        yield run
        return
    page = request.getfixturevalue("browser").new_page()

    def run(code):
        body = catalog.rules_module() + re.sub(r"^import .*$", "", code, flags=re.MULTILINE)
        script = "const report = (value) => { window.result = JSON.stringify(value); };\n" + body
        page.set_content(f"<script type=module>{script}</script>")
        page.wait_for_function("window.result")
        return json.loads(page.evaluate("window.result"))

    yield run
    page.close()


def values_of(rule, rng):
    """Return hyper-parameters away from the defaults, each within its domain."""
    wide = {"lr": 0.3, "final_lr": 0.05, "eps": 1e-3, "weight_decay": 0.1, "momentum_decay": 0.02}
    values = {"gamma": 0.01} | wide
    return {
        field.name: values.get(field.name, float(rng.uniform(0.5, 0.99))) for field in fields(rule)
    }


@pytest.mark.parametrize("given", ["defaults", "other values"])
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_javascript_steps_as_numpy_does(rule, given, javascript):
    """The same 1,000 recorded gradients, of scales from 1e-6 to 100, go to both sides."""
    rng = np.random.default_rng(7)
    instance = rule() if given == "defaults" else rule(**values_of(rule, rng))
    steps = 1000
    gradients = rng.standard_normal(steps) * 10 ** rng.uniform(-6, 2, steps)
    hyper = {field.name: getattr(instance, field.name) for field in fields(rule)}
    found = javascript(
        f"""
        import {{ RULES }} from "./rules.mjs";
        const rule = RULES.{rule.__name__};
        const hyper = {json.dumps(hyper)};
        let x = 1.5;
        let slots = rule.slots.map(() => 0);
        report({json.dumps(gradients.tolist())}.map((g, i) => {{
          const named = rule.step(hyper, x, g, slots, rule.scalars(hyper, i + 1));
          x += named.change;
          slots = rule.slots.map((name) => named[name]);
          return [x, ...slots];
        }}));
        """
    )

    state = [np.array([1.5]), *(np.zeros(1) for _ in rule.slots)]
    expected = []
    for t, g in enumerate(gradients, start=1):
        state = list(instance.update(t, state[0], np.array([g]), *state[1:]))
        expected.append([float(value[0]) for value in state])

    # A slot may pass through zero, so the largest value of each column gives the scale.
    expected = np.array(expected)
    tiny = 1e-14 * np.abs(expected).max(axis=0)
    assert (np.abs(np.array(found) - expected) <= RELATIVE * np.abs(expected) + tiny).all()


@pytest.mark.parametrize("surface", SURFACES.values(), ids=SURFACES)
def test_javascript_surfaces(surface, javascript):
    rng = np.random.default_rng(3)
    points = rng.uniform(-3, 3, (200, 2))
    found = javascript(
        f"""
        import {{ SURFACES }} from "./rules.mjs";
        const {{ height, slope, shape }} = SURFACES.{surface.__name__};
        const values = Object.fromEntries(Object.entries(shape).map(([k, v]) => [k, v.value]));
        report({json.dumps(points.tolist())}.map(([a, b]) =>
          [height(values, a, b), ...slope(values, a, b)]));
        """
    )

    for (a, b), row in zip(points, found, strict=True):
        expected = [surface().height(a, b), *surface().slope(a, b)]
        # Terms of both signs cancel, so the largest of them gives the scale.
        np.testing.assert_allclose(
            row, expected, rtol=RELATIVE, atol=1e-12 * np.abs(expected).max()
        )


@pytest.mark.parametrize("name", catalog.SCHEDULES)
def test_javascript_schedules(name, javascript):
    kind = catalog.SCHEDULES[name]
    values = {key: spec["value"] for key, spec in catalog.schedule_specs(kind).items()}
    found = javascript(
        f"""
        import {{ SCHEDULES }} from "./rules.mjs";
        const times = Array.from({{ length: 500 }}, (_, i) => i + 1);
        report(times.map((t) => SCHEDULES.{name}.factor({json.dumps(values)}, t, () => 1)));
        """
    )

    schedule = kind(**values)
    np.testing.assert_allclose(found, [schedule(t) for t in range(1, 501)], rtol=RELATIVE)


def test_javascript_products_are_remembered_one_by_one(javascript):
    """NAdam's product in any order of t, and with two settings in turn."""
    nadam = RULES["NAdam"]
    found = javascript(
        """
        import { RULES } from "./rules.mjs";
        const { scalars, hyper } = RULES.NAdam;
        const values = Object.fromEntries(Object.entries(hyper).map(([k, v]) => [k, v.value]));
        const both = (t) => [0.9, 0.5].map((beta1) => scalars({ ...values, beta1 }, t));
        report([3, 4, 2, 9].flatMap(both));
        """
    )

    expected = [nadam(beta1=beta1).scalars(t) for t in (3, 4, 2, 9) for beta1 in (0.9, 0.5)]
    np.testing.assert_allclose(found, expected, rtol=RELATIVE)

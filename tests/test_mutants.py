"""The parity check must fail for wrong code: classic bugs by name, then every operator in turn."""

import ast
import copy
import inspect
import sys
from functools import cache

import numpy as np
import pytest
from libraries import recording, run_rule
from test_parity import PEERS, TOLERANCE, disagreement

from adam_edu import RULES
from adam_edu.ops import sqrt
from adam_edu.rules import AdaGrad, Adam, AdamL2, AdamW, AMSGrad, Momentum, RMSProp

pytestmark = pytest.mark.filterwarnings("ignore:This overload of add_ is deprecated")

XS, GS = recording(seed=1, steps=200)


@cache
def peer_path(name):
    return PEERS[name][0](RULES[name](), XS, GS)


def survives(mutant, name):
    """Return whether the parity check takes the mutant for the rule ``name``."""
    with np.errstate(all="ignore"):
        return disagreement(run_rule(mutant, XS, GS), peer_path(name)) < TOLERANCE


class FrozenStep(Adam):
    """t stays at 1."""

    def scalars(self, t):
        return super().scalars(1)


class LateStep(Adam):
    """t counts one too many."""

    def scalars(self, t):
        return super().scalars(t + 1)


class NoCorrection(Adam):
    def scalars(self, t):
        return 1.0, 1.0


class CorrectionMultiplied(Adam):
    def scalars(self, t):
        return tuple(1 / bias for bias in super().scalars(t))


class CorrectionInFloat32(Adam):
    def scalars(self, t):
        return tuple(
            float(np.float32(1) - np.float32(beta) ** np.float32(t))
            for beta in (self.beta1, self.beta2)
        )


class CorrectedMomentsKept(Adam):
    def step(self, x, g, m, v, bias1, bias2):
        change, m, v = super().step(x, g, m, v, bias1, bias2)
        return change, m / bias1, v / bias2


class BetasSwapped(Adam):
    def step(self, x, g, m, v, bias1, bias2):
        return Adam(self.lr, self.beta2, self.beta1, self.eps).step(x, g, m, v, bias1, bias2)


class EpsilonInsideRoot(Adam):
    def step(self, x, g, m, v, bias1, bias2):
        _, m, v = super().step(x, g, m, v, bias1, bias2)
        return -self.lr * (m / bias1) / sqrt(v / bias2 + self.eps), m, v


class EpsilonHat(Adam):
    def step(self, x, g, m, v, bias1, bias2):
        _, m, v = super().step(x, g, m, v, bias1, bias2)
        return -self.lr * sqrt(bias2) / bias1 * m / (sqrt(v) + self.eps), m, v


class EpsilonOnParameter(Adam):
    def step(self, x, g, m, v, bias1, bias2):
        _, m, v = super().step(x, g, m, v, bias1, bias2)
        return -self.lr * (m / bias1) / sqrt(v / bias2) + self.eps, m, v


class VarianceCentred(Adam):
    """The second moment made of g - m, as in AdaBelief."""

    def step(self, x, g, m, v, bias1, bias2):
        _, m_next, _ = super().step(x, g, m, v, bias1, bias2)
        _, _, v_next = super().step(x, g - m_next, m, v, bias1, bias2)
        return -self.lr * (m_next / bias1) / (sqrt(v_next / bias2) + self.eps), m_next, v_next


class DecaySign(AdamW):
    def step(self, x, g, m, v, bias1, bias2):
        change, m, v = super().step(x, g, m, v, bias1, bias2)
        return change + 2 * self.lr * self.weight_decay * x, m, v


class DecayWithoutRate(AdamW):
    """The decay as the paper has it, not multiplied by the learning rate."""

    def step(self, x, g, m, v, bias1, bias2):
        change, m, v = super().step(x, g, m, v, bias1, bias2)
        return change + (self.lr - 1) * self.weight_decay * x, m, v


class DecayAfterStep(AdamW):
    def step(self, x, g, m, v, bias1, bias2):
        change, m, v = super().step(0 * x, g, m, v, bias1, bias2)
        return change - self.lr * self.weight_decay * (x + change), m, v


class MaximumForgotten(AMSGrad):
    def step(self, x, g, m, v, w, bias1, bias2):
        return super().step(x, g, m, v, 0 * w, bias1, bias2)


class Dampened(Momentum):
    """The buffer as an average, not a sum."""

    def step(self, x, g, m):
        return super().step(x, (1 - self.momentum) * g, m)


class Averaged(AdaGrad):
    def step(self, x, g, s):
        return super().step(x, g, 0.9 * s)


class Summed(RMSProp):
    def step(self, x, g, v):
        return super().step(x, g, v / self.rho)


MUTANTS = {
    mutant: name
    for name, mutants in {
        "Adam": (
            FrozenStep,
            LateStep,
            NoCorrection,
            CorrectionMultiplied,
            CorrectionInFloat32,
            CorrectedMomentsKept,
            BetasSwapped,
            EpsilonInsideRoot,
            EpsilonHat,
            EpsilonOnParameter,
            VarianceCentred,
            AMSGrad,
        ),
        "AdamW": (DecaySign, DecayWithoutRate, DecayAfterStep, AdamL2),
        "AMSGrad": (MaximumForgotten,),
        "Momentum": (Dampened,),
        "AdaGrad": (Averaged,),
        "RMSProp": (Summed,),
    }.items()
    for mutant in mutants
}


@pytest.mark.parametrize("name", RULES)
def test_the_rule_itself_passes(name):
    assert survives(RULES[name](), name)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_classic_bug_is_caught(mutant):
    assert not survives(mutant(), MUTANTS[mutant])


SWAPPED = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}


def mutated(node):
    """Return the ways to break one node: another operator, a sign or a function call dropped."""
    match node:
        case ast.BinOp(op=ast.Pow()):
            return [ast.BinOp(node.left, ast.Mult(), node.right)]
        case ast.BinOp() if type(node.op) in SWAPPED:
            return [ast.BinOp(node.left, SWAPPED[type(node.op)](), node.right)]
        case ast.UnaryOp(op=ast.USub()):
            return [node.operand]
        case ast.Call(func=ast.Name(id="sqrt" | "maximum" | "clip" | "abs" | "sign")):
            return [node.args[0]]
    return []


class Replace(ast.NodeTransformer):
    def __init__(self, old, new):
        self.old, self.new = old, new

    def visit(self, node):
        return self.new if node is self.old else self.generic_visit(node)


def lines_beside_the_step(source):
    """Return the lines of methods that no step calls, and that have a test of their own."""
    found = ast.walk(ast.parse(source))
    methods = [n for n in found if isinstance(n, ast.FunctionDef) and n.name == "averaged"]
    return {line for method in methods for line in range(method.lineno, method.end_lineno + 1)}


def mutants_of(name):
    """Yield each mutant of a rule: what was changed, in words, and the class."""
    source = inspect.getsource(RULES[name])
    for i, original in enumerate(ast.walk(ast.parse(source))):
        tree = ast.parse(source)
        node = list(ast.walk(tree))[i]
        if getattr(original, "lineno", None) in lines_beside_the_step(source):
            continue
        for replacement in mutated(copy.deepcopy(node)):
            what = f"line {getattr(node, 'lineno', 0)}: {ast.unparse(node)}"
            broken = ast.fix_missing_locations(Replace(node, replacement).visit(tree))
            namespace = dict(vars(sys.modules[RULES[name].__module__]))
            exec(compile(broken, f"<{name}>", "exec"), namespace)
            yield f"{what} -> {ast.unparse(replacement)}", namespace[name]


# Alike, up to rounding: a product with a sign is a quotient by it. The maximum only guards: against
# a negative difference of equal numbers, and against a division by zero for other values of beta2.
EQUIVALENT = (
    "maximum(v - m * m, 0.0)",
    "maximum(2 / (1 - self.beta2) - 1, 5.0)",
    "self.lr * sign(c) -> self.lr / sign(c)",
    "(1 - self.beta2) * sign(v - g * g) -> (1 - self.beta2) / sign(v - g * g)",
    "sign(m) * sign(g) -> sign(m) / sign(g)",
)


@pytest.mark.parametrize("name", RULES)
def test_every_broken_operator_is_caught(name):
    alive = []
    for what, mutant in mutants_of(name):
        try:
            survived = survives(mutant(), name)
        except (ArithmeticError, ValueError):  # as math.sqrt raises
            survived = False
        if survived and not any(guard in what for guard in EQUIVALENT):
            alive.append(what)
    assert not alive

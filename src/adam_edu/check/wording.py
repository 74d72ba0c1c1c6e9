"""Saying an edit in a sentence: which line, what stands there, what belongs there, and why."""

from dataclasses import dataclass

from ..edits import HOLE, filled, part
from ..program import BEFORE, Program
from ..trees import Call, Name, Node, Number, reads, replaced, subtrees
from ..wrongs import Wrong
from .report import listed
from .search import written

MEANINGS = {
    "t": "the number of the step",
    "lr": "the learning rate",
    "eps": "the small number that keeps the denominator from zero",
    "weight_decay": "the strength of the decay of x",
    "g": "the gradient",
    "m_hat": "the corrected first moment",
    "v_hat": "the corrected second moment",
}
VERBS = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "**": "take a power"}
VERBS |= {"//": "cut the fraction off", "maximum": "take the larger", "min": "take the smaller"}
NOUNS = {"sqrt": "root", "abs": "absolute value", "sign": "sign", "neg": "minus", "**": "square"}
NOUNS |= {"sum": "sum", "mean": "mean", "max": "largest", "norm": "length", "cos": "cosine"}
NOUNS |= {"ceil": "rounding up", "floor": "rounding down", "round": "rounding to the nearest"}
NOUNS |= {
    "log": "logarithm",
    "exp": "exponential",
    "minimum": "smallest",
    "maximum": "larger",
    "min": "smaller",
}
CODE = {"sqrt": "np.sqrt", "sign": "np.sign", "maximum": "np.maximum", "min": "np.minimum"}
CODE |= {"clip": "np.clip", "sum": "np.sum", "mean": "np.mean", "max": "np.max", "cos": "math.cos"}
CODE |= {"ceil": "math.ceil", "floor": "math.floor"}
CODE |= {
    "norm": "np.linalg.norm",
    "minimum": "np.min",
    "log": "math.log",
    "exp": "np.exp",
    "sin": "math.sin",
}
TAKEN = {"-": "subtracted from", "/": "the divisor of", "**": "the exponent of"}
PARTS = {"+": "term", "-": "term", "*": "factor", "/": "divisor", "**": "power"}
PRODUCTS = {
    "product from 0": "your product begins at step 0. Steps count from 1: so do its factors.",
    "product from 2": "your product begins at step 2. The factor of step 1 is missing.",
    "product of 0": "your product starts from 0, and stays 0. A product starts from 1.",
}
# A part of a line is shown with so much around it that one sees where it stands.
SHORT = 24


@dataclass(frozen=True)
class Said:
    """What to say about an edit.

    Attributes
    ----------
    name : for a program, such as ``"v_hat_name"``
    line : which one
    text : one or two sentences
    code : the line as it is with the edit in it
    """

    name: str
    line: str
    text: str
    code: str


def shown(program: Program, line: str, node: Node) -> str:
    """Return part of a line as a student would write it.

    What a name held before is called by the name alone until a line has changed it.
    """
    names = [one.name for one in program.lines]
    changed = set(names[: names.index(line)])
    match node:
        case Call("product", (term, last)):
            factors, end = (_spoken(part, changed) for part in (term, last))
            return f"the product of {factors} for i from 1 to {end}"
    return str(_spoken(node, changed))


def _spoken(node: Node, changed: set[str]) -> Node:
    match node:
        case Name(name) if name.endswith(BEFORE):
            bare = name.removesuffix(BEFORE)
            return node if bare in changed else Name(bare)
        case Number(value) if isinstance(value, float) and value.is_integer() and abs(value) > 1:
            return Number(int(value))
        case Call("-", (Number(1), Call("-", (Number(1), share)))):
            return _spoken(share, changed)
        case Call("product"):
            return node
        case Call(op, args):
            return Call(CODE.get(op, op), tuple(_spoken(arg, changed) for arg in args))
    return node


def said(program: Program, wrong: Wrong, places: dict[str, str]) -> Said:
    """Return the words for an edit; ``places`` say how to speak of a line."""
    place = program.places[wrong.places[0]]
    old, new = written(program, wrong)
    line = place.line
    lines = {program.places[i].line for i in wrong.places}
    whole = program.line[line]
    edited = whole
    for i in wrong.places:
        if program.places[i].line == line:
            here = filled(wrong.at(i), program.places[i].node)
            edited = replaced(edited, program.places[i].path, here)
    path = place.path
    while path and len(shown(program, line, part(whole, path[:-1]))) <= SHORT:
        path = path[:-1]
    if len(wrong.places) > 1 and len(lines) == 1:
        path = ()
    belongs = shown(program, line, part(whole, path))
    stands = shown(program, line, part(edited, path) if path else edited)
    where = places.get(line, f"the line that computes {line}")
    twins = program.line[line] != program.line[program.places[wrong.places[-1]].line]
    twins = twins and not isinstance(old, Name)
    code = f"{line} = {shown(program, line, edited)}"
    if wrong.kind in ("at first", "stops"):
        text = _for_some_steps(program, wrong, line)
    elif wrong.kind == "at start":
        text, code = _at_start(program, wrong, line), ""
    elif wrong.kind == "branch":
        text, code = f"In {where} {_branch(program, wrong, line)}", ""
    elif wrong.kind == "anew":
        since = listed(sorted(set(reads(new)) - set(reads(program.line[str(old)]))))
        text = f"In {where} you compute {old} once more, with the new {since}. The one from before "
        text, code = f"{text}{since} has changed belongs there: compute it once.", ""
    elif wrong.kind == "twice":
        text = f"{where[0].upper()}{where[1:]} is done twice with you, the second time with what "
        text += f"the first has left. Once is asked for: {belongs}."
    elif wrong.kind in PRODUCTS:
        text, code = f"In {where} {PRODUCTS[wrong.kind]}", ""
    elif new == Name(line + BEFORE) and not place.path:
        text = f"{line} stays as you were given it: {line} = {belongs} is missing, or is lost."
        code = ""
    elif wrong.kind == "order":
        text = (
            f"In {where} you use the new {new}. {new} as it was before the step belongs there: "
            f"{line} comes first."
        )
    elif twins:
        every = listed(sorted(lines))
        text = f"{every} are wrong alike: you have {line} = {shown(program, line, edited)} where "
        text += f"{shown(program, line, whole)} belongs. {_why(program, wrong, line, old, new)}"
        text = text.strip()
    elif len(lines) > 1:
        text = _everywhere(program, wrong, line, old, new)
    else:
        text = f"In {where} you have {stands} where {belongs} belongs."
        text = f"{text} {_why(program, wrong, line, old, new)}".strip()
    name = f"{line}_{wrong.kind}".replace(" ", "_")
    if len(lines) > 1 or wrong.kind in ("at first", "stops", "order"):
        code = ""
    if len(lines) > 1:
        what = "_".join(sorted(lines)) if twins else shown(program, line, old)
        name = f"{what}_{wrong.kind}".replace(" ", "_")
    return Said(name, line, text, code)


def both_said(program: Program, one: Wrong, two: Wrong, places: dict[str, str]) -> Said:
    """Return the words for two edits of a line; the second may stand around the first."""
    line = program.places[one.places[0]].line
    edited = program.line[line]
    for wrong in (one, two):
        for i in wrong.places:
            place = program.places[i]
            if place.line == line:
                new = filled(wrong.new, part(edited, place.path))
                edited = replaced(edited, place.path, new)
    where = places.get(line, f"the line that computes {line}")
    right, code = shown(program, line, program.line[line]), shown(program, line, edited)
    text = f"In {where} two things are wrong: you have {code} where {right} belongs."
    return Said(f"{line}_two", line, text, f"{line} = {code}")


def _everywhere(program: Program, wrong: Wrong, line: str, old: Node, new: Node) -> str:
    belongs, stands = shown(program, line, old), shown(program, line, new)
    if wrong.kind == "usual":
        return (
            f"The number {stands} stands in your code where {belongs} belongs, so that {belongs} "
            "changes nothing. It is an argument: use it by its name."
        )
    if wrong.kind in ("clipped", "normalized"):
        done = "cut to a range" if wrong.kind == "clipped" else "divided by its length"
        return f"Your gradient is {done} before it is used: {stands}. It is used as it is given."
    meaning = f"{_meaning(program, old)}," if _meaning(program, old) else ""
    return f"Wherever {belongs}{meaning} belongs, your numbers are those of {stands}."


def _for_some_steps(program: Program, wrong: Wrong, line: str) -> str:
    assert isinstance(wrong.new, Call)
    condition, value, other = wrong.new.args
    assert isinstance(condition, Call)
    assert isinstance(condition.args[1], Number)
    last = int(condition.args[1].value)
    root = program.line[line]
    if wrong.kind == "at first":
        odd = _given(program, line, filled(value, root))
        return (
            f"At the first step alone, {line} is {odd} with you. That step is no case of its own: "
            f"{shown(program, line, root)} holds for every t."
        )
    odd = _given(program, line, filled(other, root))
    every = listed(sorted({program.places[i].line for i in wrong.places}))
    if every != line:
        return (
            f"Up to step {last} your {every} are right; later {line} is {odd}, and so on. "
            f"{shown(program, line, root)} holds for every t."
        )
    return (
        f"Up to step {last} your {line} is right; later it is {odd}. "
        f"{shown(program, line, root)} holds for every t."
    )


def _at_start(program: Program, wrong: Wrong, line: str) -> str:
    place, root = program.places[wrong.places[0]], program.line[line]
    assert isinstance(wrong.new, Call)
    odd = replaced(root, place.path, filled(wrong.new.args[1], place.node))
    slot = shown(program, line, next(n for _, n in subtrees(wrong.new) if isinstance(n, Name)))
    return (
        f"Where the {slot} that you are given is zero, as at the first step, {line} is "
        f"{shown(program, line, odd)} with you. That is no case of its own: "
        f"{shown(program, line, root)} holds for every step."
    )


def _branch(program: Program, wrong: Wrong, line: str) -> str:
    """Return what is wrong with one of two sides between which a student has written an if."""
    old = program.places[wrong.places[0]].node
    assert isinstance(old, Call)
    assert isinstance(wrong.new, Call)
    edited = next(
        arm for arm in wrong.new.args[1:] if not (isinstance(arm, Name) and arm.id[0] == HOLE)
    )
    arms = enumerate(old.args)
    (here,) = (arg for i, arg in arms if Name(f"{HOLE}{i}") not in wrong.new.args[1:])
    text = [shown(program, line, node) for node in (edited, here)]
    return f"you have {text[0]} in the place of {text[1]}, where that is the smaller of the two."


def _given(program: Program, line: str, node: Node) -> str:
    if isinstance(node, Name) and node.id.endswith(BEFORE):
        return f"the {node.id.removesuffix(BEFORE)} that you were given"
    return shown(program, line, node)


def _meaning(program: Program, node: Node) -> str:
    match node:
        case Name(name) if name in MEANINGS:
            return f", {MEANINGS[name]}"
        case Name(name) if name.endswith(BEFORE):
            return ", as it was before the step"
        case Name(name) if name in program.decays:
            return _decay(program, node)
    return ""


def _decay(program: Program, decay: Name) -> str:
    """Return what a decay is the decay of, or of what it is the share in a mixture."""
    for line in program.lines:
        for _, node in subtrees(line.expression):
            match node:
                case Call("*", (share, Name(old))) if share == decay and old.endswith(BEFORE):
                    bare = old.removesuffix(BEFORE)
                    alone = bare == line.name
                    return (
                        f", the decay of {bare}"
                        if alone
                        else f", the share of {bare} in {line.name}"
                    )
    return ""


_STEPS = {"-": "less", "+": "more"}


def _why(program: Program, wrong: Wrong, line: str, old: Node, new: Node) -> str:
    belongs, stands = shown(program, line, old), shown(program, line, new)
    kind = wrong.kind.removeprefix("product ")
    match kind, old, new:
        case "name", Name(bare), Name(other) if other == bare + BEFORE:
            return f"{other} is {bare} as it was before the step; the new {bare} belongs there."
        case ("name" | "number for name" | "usual", Name(), _) if _meaning(program, old):
            other = f"{stands}{_meaning(program, new)}"
            return f"It is {belongs}{_meaning(program, old)}, and not {other}."
        case "name for number", _, Name():
            return f"The number {belongs} belongs there, and not {stands}{_meaning(program, new)}."
        case "number", Call("sqrt"), _:
            return "The root is the power 1/2."
        case "number", _, _:
            return f"The number is {belongs}."
        case _, Call("product"), _:
            return "Its factors, or how many there are, are others."
        case ("left out" | "function off", Call(op, args), _):
            gone = [arg for arg in args if arg != new]
            if op in NOUNS and (len(args) == 1 or op == "**"):
                what = NOUNS[op]
                if op == "**" and args[1] != Number(2):
                    return f"The power {shown(program, line, args[1])} is missing."
                return f"The {what} of {shown(program, line, args[0])} is missing."
            if gone and new in args and op in PARTS:
                first = shown(program, line, gone[0])
                if new == args[-1] and op in TAKEN:
                    return f"{stands} is to be {TAKEN[op]} {first}."
                return f"{first} is missing."
        case "operator", Call(op), Call(other) if op in VERBS and other in VERBS:
            return f"You {VERBS[other]} where the algorithm says: {VERBS[op]}."
        case "operator", Call(op), Call(other) if op in NOUNS and other in NOUNS:
            return f"The {NOUNS[op]} belongs there, and not the {NOUNS[other]}."
        case "grouped", _, Call(other):
            return f"You {VERBS[other]} where the algorithm says: multiply."
        case "normalized", _, _:
            return "The gradient is used as it is, whatever its length."
        case "swapped", _, _:
            return "The two sides are swapped."
        case "exchanged", _, _:
            return f"{belongs} and {stands} have changed places."
        case "bracket", _, _:
            return "The brackets, or a function's end, stand elsewhere."
        case "function", Call(op), Call(other) if op in NOUNS and other in NOUNS:
            return f"The {NOUNS[op]} belongs there, and not the {NOUNS[other]}."
        case "complement", _, _:
            return "One share has been taken for the other: together they are 1."
        case "function on", Call("*" | "/"), Call("*", (_, Call(op))) if op in NOUNS:
            return f"No {NOUNS[op]} belongs there."
        case "function on", _, Call("**", (_, Number(power))):
            return f"No {'square' if power == 2 else 'third power'} is taken there."
        case "function on", _, Call("/"):
            return "It is upside down."
        case "function on", _, Call(op) if op in NOUNS:
            return f"No {NOUNS[op]} belongs there."
        case "added", Name("t"), Call(op, (_, Number(1))):
            return f"Steps count from 1: t itself belongs there, and not one {_STEPS[op]}."
        case "sign of zero", _, _:
            return "The sign of zero is zero, as np.sign has it."
        case "added", _, Call(op, (_, extra)):
            what = shown(program, line, extra)
            return f"{what} is one {PARTS.get(op, 'part')} too many."
        case "reduction", _, Call(op):
            return (
                f"{CODE[op]} makes one number of the whole array, so that all coordinates share "
                "it. Each has its own."
            )
    return ""

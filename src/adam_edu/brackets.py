"""What a line means if a pair of its brackets is forgotten: it is printed, and read again."""

from collections.abc import Iterator
from contextlib import suppress

from .reading import Unreadable, parse
from .trees import Call, Node, Number

HALF = Number(0.5)


def without_brackets(line: Node) -> Iterator[Node]:
    """Yield what a line means if a pair of its brackets is forgotten; roots may be powers. Of a
    line with other functions than those of rules, nothing is yielded.

    Examples
    --------
    >>> print(*without_brackets(parse("lr * (m / (1 - beta1)) / sqrt(v)")), sep="\\n")
    lr * m / 1 - beta1 / sqrt(v)
    lr * m / 1 - beta1 / v**0.5
    """
    flat = [_flat(line)]
    match line:
        case Call("*", (first, last)):
            flat.append(_flat(Call("*", (last, first))))
    for text in dict.fromkeys(str(form) for one in flat for form in (one, _with_powers(one))):
        opened = []
        for end, letter in enumerate(text):
            if letter == "(":
                opened.append(end)
            elif letter == ")":
                begin = opened.pop()
                if begin and text[begin - 1].isidentifier():
                    continue  # those of a function
                with suppress(Unreadable):
                    yield parse(f"{text[:begin]}{text[begin + 1 : end]}{text[end + 1 :]}")


def _flat(node: Node) -> Node:
    """Return a product without brackets that it can do without."""
    match node:
        case Call("*", (a, Call("*" | "/" as op, (b, c)))):
            return _flat(Call(op, (Call("*", (a, b)), c)))
        case Call(op, args) if op != "product":
            return Call(op, tuple(map(_flat, args)))
    return node


def _with_powers(node: Node) -> Node:
    match node:
        case Call("sqrt", (x,)):
            return Call("**", (_with_powers(x), HALF))
        case Call(op, args) if op != "product":
            return Call(op, tuple(map(_with_powers, args)))
    return node

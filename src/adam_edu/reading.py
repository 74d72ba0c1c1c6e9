"""Reading a method's source as lines.

A rule, a schedule or a surface is code of one kind: a few assignments and a return. Whatever is
more than that is :class:`Unreadable`, whoever asked for its lines.
"""

import ast
import inspect
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from textwrap import dedent
from typing import Any, NoReturn

from . import ops
from .trees import FUNCTIONS, INDEX, Call, Line, Name, Node, Number, inlined, reads, substituted


class Unreadable(TypeError):
    """A method is more than lines: the message says where, why, and what is allowed."""


@dataclass(frozen=True)
class Grammar:
    """What may stand in an expression.

    Attributes
    ----------
    operators : kinds of :mod:`ast` and their names in :data:`adam_edu.trees.FUNCTIONS`
    meanings : functions and constants, likewise
    fields_called : whether a field may be a function
    allowed : all this in words
    """

    operators: Mapping[type[ast.AST], str]
    meanings: Mapping[Any, str]
    fields_called: bool
    allowed: str


ARITHMETIC: dict[type[ast.AST], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Pow: "**",
    ast.USub: "neg",
}
LINES = (
    "Allowed are lines NAME = EXPRESSION and a return at the end; in an expression, numbers, "
    "arguments, lines above, fields as self.NAME, "
)
RULE = Grammar(
    ARITHMETIC,
    {
        abs: "abs",
        ops.sqrt: "sqrt",
        ops.sign: "sign",
        ops.maximum: "maximum",
        ops.clip: "clip",
        ops.product: "product",
    },
    False,
    f"{LINES}methods that are one return as self.NAME(...), + - * / **, abs, and from adam_edu.ops "
    "sqrt, sign, maximum, clip, product",
)
SCHEDULE = Grammar(
    {**ARITHMETIC, ast.FloorDiv: "//", ast.LtE: "<=", ast.IfExp: "if"},
    {abs: "abs", min: "min", math.sqrt: "sqrt", math.cos: "cos", math.pi: "pi"},
    True,
    f"{LINES}self.then(...), + - * / // **, abs, min, math.sqrt, math.cos, math.pi, "
    "and A if B <= C else D",
)


@dataclass(frozen=True)
class Body:
    """What a method computes.

    Attributes
    ----------
    parameters : their names, without self
    lines : its assignments
    results : what it returns
    single : whether that is one value and no tuple
    """

    parameters: tuple[str, ...]
    lines: tuple[Line, ...]
    results: tuple[Node, ...]
    single: bool

    @property
    def inlined(self) -> tuple[Node, ...]:
        """What it returns in terms of its parameters and fields, without names of lines."""
        meanings = inlined(self.lines)
        return tuple(substituted(result, meanings) for result in self.results)


def in_sequence(names: Sequence[str], nodes: Sequence[Node], what: str) -> list[Line]:
    """Return ``a, b = ..., ...`` as lines, without those that say ``a = a``.

    Raises
    ------
    Unreadable
        If a later one reads a name that an earlier one has changed.
    """
    pairs = zip(names, nodes, strict=True)
    lines = [Line(name, node) for name, node in pairs if node != Name(name)]
    for i, line in enumerate(lines):
        for later in lines[i + 1 :]:
            if line.name in later.reads:
                raise Unreadable(
                    f"{what} {later.name} = {later.expression} beside a new {line.name}: write "
                    "one of them on a line of its own, under another name"
                )
    return lines


def read(owner: type, method: str, grammar: Grammar = RULE) -> Body:
    """Return what a method of a dataclass computes.

    Raises
    ------
    Unreadable
        If it holds anything else than lines of what the grammar allows, or has no source.
    """
    return _reader(owner, method, grammar).body()


def parse(source: str) -> Node:
    """Return an expression as a tree, in which every name stands for itself.

    Raises
    ------
    Unreadable
        If it is made of anything else than a line of a rule.

    Examples
    --------
    >>> parse("1 - beta1")
    Call(op='-', args=(Number(value=1), Name(id='beta1')))
    """
    functions = {name: function for function, name in RULE.meanings.items()}
    expression = ast.parse(source, mode="eval").body
    found = {node.id for node in ast.walk(expression) if isinstance(node, ast.Name)}
    names: dict[str, Node] = {name: Name(name) for name in found - functions.keys()}
    return _Reader(object, source, RULE, functions, [source], names=names).expression(expression)


def _reader(owner: type, method: str, grammar: Grammar, inside: Sequence[str] = ()) -> "_Reader":
    """Return the reader of a method, called from within the methods ``inside``."""
    where, function = f"{owner.__name__}.{method}", getattr(owner, method)
    try:
        source, first = inspect.getsourcelines(function)
        (definition,) = ast.parse(dedent("".join(source))).body
        seen = inspect.getclosurevars(function)
    except (OSError, TypeError, SyntaxError, ValueError):
        raise Unreadable(f"{where} has no source that could be read") from None
    reader = _Reader(
        owner,
        where,
        grammar,
        outside={**seen.builtins, **seen.globals, **seen.nonlocals},
        source=source,
        first=first,
        inside=(*inside, method),
    )
    if not isinstance(definition, ast.FunctionDef) or hasattr(function, "__wrapped__"):
        reader.refuse(definition, "this is no plain def")
    parameters = list(inspect.signature(function).parameters)
    if not isinstance(inspect.getattr_static(owner, method), staticmethod):
        reader.me = parameters.pop(0)
    reader.names = {name: Name(name) for name in parameters}
    reader.statements = _without_text(definition.body)
    return reader


def _without_text(body: list[ast.stmt]) -> list[ast.stmt]:
    """Return statements without docstrings, if any is left."""
    found = [
        statement
        for statement in body
        if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
    ]
    return found or body


@dataclass
class _Reader:
    """Reads one method.

    Attributes
    ----------
    owner, where, grammar : whose it is, its name for a message, and what it may be made of
    outside : the functions and modules that it can see, by name
    source, first : its lines, and the number of the first
    inside : it and the methods from which it is called
    me : what it calls self, if it has it
    names : what each name means: the parameters, then the lines
    statements : without its docstring
    """

    owner: type
    where: str
    grammar: Grammar
    outside: Mapping[str, Any]
    source: list[str]
    first: int = 1
    inside: tuple[str, ...] = ()
    me: str | None = None
    names: dict[str, Node] = field(default_factory=dict)
    statements: list[ast.stmt] = field(default_factory=list)

    @property
    def fields(self) -> set[str]:
        return {one.name for one in fields(self.owner)} if is_dataclass(self.owner) else set()

    def refuse(self, node: ast.stmt | ast.expr, why: str) -> NoReturn:
        line = self.source[node.lineno - 1].strip()
        number = self.first + node.lineno - 1
        raise Unreadable(f"{self.where}, line {number}, {line!r}: {why}. {self.grammar.allowed}.")

    def body(self) -> Body:
        parameters, lines = tuple(self.names), []
        *assignments, last = self.statements
        for statement in assignments:
            for line in self.assigned(statement):
                if line.name in self.fields:
                    self.refuse(statement, f"{line.name} is a field; call the line otherwise")
                self.names[line.name] = Name(line.name)
                lines.append(line)
        single, results = self.returned(last)
        return Body(parameters, tuple(lines), results, single)

    def assigned(self, statement: ast.stmt) -> list[Line]:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                return [Line(name, self.expression(value))]
            case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)):
                names = [target.id for target in targets if isinstance(target, ast.Name)]
                if len(names) == len(targets) == len(values):
                    return in_sequence(names, [*map(self.expression, values)], f"{self.where} has")
        self.refuse(statement, "this is no assignment to one name")

    def returned(self, last: ast.stmt) -> tuple[bool, tuple[Node, ...]]:
        match last:
            case ast.Return(value=ast.Tuple(elts=values)):
                return False, tuple(map(self.expression, values))
            case ast.Return(value=ast.expr() as value):
                return True, (self.expression(value),)
        self.refuse(last, "this is no return of a value")

    def expression(self, node: ast.expr) -> Node:
        operators = self.grammar.operators
        match node:
            case ast.Name(id=name) if name in self.names:
                return self.names[name]
            case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
                return Number(number)
            case ast.UnaryOp(op=op, operand=x) if type(op) in operators:
                return self.call(operators[type(op)], x)
            case ast.BinOp(left=a, op=op, right=b) if type(op) in operators:
                return self.call(operators[type(op)], a, b)
            case ast.Compare(left=a, ops=[op], comparators=[b]) if type(op) in operators:
                return self.call(operators[type(op)], a, b)
            case ast.IfExp(test=test, body=a, orelse=b) if type(node) in operators:
                return self.call(operators[type(node)], test, a, b)
            case ast.Attribute(value=ast.Name(id=self.me), attr=name):
                if name not in self.fields:
                    self.refuse(node, f"{name} is no field of {self.owner.__name__}")
                return Name(name)
            case ast.Call(func=ast.Attribute(value=ast.Name(id=self.me), attr=name)):
                if self.grammar.fields_called and name in self.fields:
                    return self.call(name, *node.args)
                method = self.method(name, node)
                args = self.arguments(node, method.names)
                return method.applied(map(self.expression, args))
            case ast.Call(func=function) if meaning := self.meaning(function):
                if meaning == "product":
                    return self.product(node)
                args = self.arguments(node, inspect.signature(FUNCTIONS[meaning]).parameters)
                return self.call(meaning, *args)
            case ast.Name() | ast.Attribute() if meaning := self.meaning(node):
                return Call(meaning)
            case ast.Name(id=name):
                self.refuse(node, f"{name} is no argument and no line above")
        self.refuse(node, f"{ast.unparse(node)} cannot stand in a line")

    def call(self, name: str, *args: ast.expr) -> Call:
        return Call(name, tuple(map(self.expression, args)))

    def meaning(self, node: ast.expr) -> str | None:
        """Return the name of a function or constant from outside, or None if it has none here."""
        try:
            return self.grammar.meanings.get(self.found(node))
        except (KeyError, AttributeError, TypeError):
            return None

    def found(self, node: ast.expr) -> Any:
        match node:
            case ast.Name(id=name):
                return self.outside[name]
            case ast.Attribute(value=value, attr=name):
                return getattr(self.found(value), name)

    def arguments(self, node: ast.Call, names: Iterable[str]) -> list[ast.expr]:
        """Return the arguments of a call in the order of the names."""
        names = [*names]
        given = [*zip(names, node.args, strict=False)]
        given += [(str(keyword.arg), keyword.value) for keyword in node.keywords]
        total = len(node.args) + len(node.keywords)
        if total != len(names) or {name for name, _ in given} != set(names):
            self.refuse(node, f"{ast.unparse(node.func)} takes {', '.join(names)}")
        return [dict(given)[name] for name in names]

    def method(self, name: str, node: ast.Call) -> "_Reader":
        """Return the reader of one of the rule's own methods, which a call calls."""
        if name in self.inside:
            self.refuse(node, f"{name} would call itself")
        if not callable(getattr(self.owner, name, None)):
            self.refuse(node, f"{name} is no method of {self.owner.__name__}")
        return _reader(self.owner, name, self.grammar, self.inside)

    def applied(self, args: Iterable[Node]) -> Node:
        """Return what the method computes of these arguments."""
        self.names = dict(zip(self.names, args, strict=True))
        first, *more = self.statements
        single, results = self.returned(first)
        if more or not single:
            self.refuse(first, "a method that a line calls must be one return of one value")
        return results[0]

    def product(self, node: ast.Call) -> Call:
        match node:
            case ast.Call(
                args=[ast.Attribute(value=ast.Name(id=self.me), attr=name), last, *rest],
                keywords=[],
            ):
                term = self.method(name, node)
                args = [Name(INDEX), *map(self.expression, rest)]
                if any(INDEX in reads(arg) for arg in args[1:]):
                    self.refuse(
                        node, f"{INDEX} is the name of the index here; call yours otherwise"
                    )
                if len(args) == len(term.names):
                    return Call("product", (term.applied(args), self.expression(last)))
        self.refuse(node, "product takes self.TERM, the last index, and what else TERM takes")

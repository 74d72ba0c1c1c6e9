"""Wrong answers made from the book's solutions by a grammar that the checker does not have.

It changes Python's syntax tree and knows nothing of optimizers: an operator for another, a number
for another, a name for another one of the function, a part or a line left out, a call taken off,
an argument of the call for another.
"""

import ast
import copy

import numpy as np
import test_check_book

OPERATORS = [ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow]
COMPARISONS = [ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq]
FUNCTIONS = ["sqrt", "square", "abs", "sign", "sum", "mean"]


def solutions():
    """Return the source of each solution in the book, by the exercise's name."""
    found = {}
    for case in test_check_book.cells("solution"):
        imports, source = case.values
        tree = ast.parse(source)
        name = ast.unparse(tree.body[-1].value.func).removeprefix("check.")
        if "in_place" not in source:
            found[name] = imports, next(d for d in tree.body if isinstance(d, ast.FunctionDef))
    return found


def variants(node, names):
    """Yield what may stand in the place of an expression."""
    match node:
        case ast.BinOp(left=left, op=op, right=right):
            for other in OPERATORS:
                if other is not type(op):
                    yield ast.BinOp(left, other(), right)
            yield left
            yield right
            if not isinstance(op, (ast.Add, ast.Mult)):
                yield ast.BinOp(right, op, left)
        case ast.UnaryOp(operand=operand):
            yield operand
        case ast.Constant(value=int() | float() as number):
            for other in {number + 1, number - 1, 0, 1, 2 * number, -number} - {number}:
                yield ast.Constant(other)
        case ast.Name(ctx=ast.Load(), id=name) if name in names:
            for other in names:
                if other != name:
                    yield ast.Name(other, ast.Load())
            yield ast.UnaryOp(ast.USub(), node)
            for function in FUNCTIONS:
                call = ast.Attribute(ast.Name("np", ast.Load()), function, ast.Load())
                yield ast.Call(call, [node], [])
        case ast.Call(func=function, args=args):
            yield from args
            if isinstance(function, ast.Attribute):
                for other in FUNCTIONS if len(args) == 1 else ["minimum", "maximum", "add"]:
                    if other != function.attr:
                        yield ast.Call(ast.Attribute(function.value, other), args, [])
            if len(args) > 1:
                yield ast.Call(function, args[::-1], [])
        case ast.Compare(left=left, ops=[op], comparators=right):
            for other in COMPARISONS:
                if other is not type(op):
                    yield ast.Compare(left, [other()], right)


def mutants(definition):
    """Yield a text and the changed function, for each way to change one thing."""
    names = [argument.arg for argument in definition.args.args]
    names += [n.id for n in ast.walk(definition) if isinstance(n, ast.Name) and n.id not in names]
    read = (n for n in ast.walk(definition) if isinstance(n, ast.Name))
    stored = {n.id for n in read if isinstance(n.ctx, ast.Store)}
    names = [n for n in dict.fromkeys(names) if n in stored or n not in ("np", "math")]
    names = [n for n in names if n in stored or n in {a.arg for a in definition.args.args}]
    for i, statement in enumerate(definition.body):
        if not isinstance(statement, ast.Return):
            yield f"without {ast.unparse(statement)}", _with_body(definition, i, None)
        for path, node in _expressions(statement):
            for new in variants(node, names):
                changed = _changed(statement, path, new)
                text = f"{ast.unparse(node)} -> {ast.unparse(new)} in {ast.unparse(statement)}"
                yield text, _with_body(definition, i, changed)


def _expressions(statement):
    """Yield the path and the node of each expression in a statement."""
    stack = [((), statement)]
    while stack:
        path, node = stack.pop()
        if isinstance(node, ast.expr):
            yield path, node
        for field, value in ast.iter_fields(node):
            parts = value if isinstance(value, list) else [value]
            for i, part in enumerate(parts):
                if isinstance(part, (ast.expr, ast.stmt)):
                    stack.append(((*path, (field, i if isinstance(value, list) else None)), part))


def _changed(statement, path, new):
    statement = copy.deepcopy(statement)
    node = statement
    for step, (field, i) in enumerate(path):
        value = getattr(node, field)
        if step == len(path) - 1:
            if i is None:
                setattr(node, field, new)
            else:
                value[i] = new
        node = value if i is None else value[i]
    return statement


def _with_body(definition, i, statement):
    body = [*definition.body]
    body[i : i + 1] = [] if statement is None else [statement]
    return ast.FunctionDef(
        definition.name, definition.args, body, definition.decorator_list, lineno=1, col_offset=0
    )


def compiled(imports, definition):
    """Return a definition as a function whose source can be read."""
    source = ast.unparse(ast.fix_missing_locations(definition))
    return written(definition.name, source, f"import math\nimport numpy as np\n{imports}")


def written(name, source, imports="import math\nimport numpy as np\n"):
    """Return the function of a source, which is kept for whoever asks for its lines."""
    import linecache

    path = f"<answer {abs(hash(source))}>"
    linecache.cache[path] = len(source), None, source.splitlines(keepends=True), path
    namespace = {}
    exec(imports, namespace)
    exec(compile(source, path, "exec"), namespace)
    return namespace[name]


def calls(exercise, seed=5):
    """Yield arguments that the checker never gives."""
    rng = np.random.default_rng(seed)
    rich = {name.removesuffix("_before"): array for name, array in exercise.material.rich.items()}
    for i in range(min(len(array) for array in rich.values())):
        arguments = {}
        for name in exercise.parameters:
            value = rich[name][i]
            if isinstance(exercise.probes[0][name], np.ndarray):
                arguments[name] = value * rng.uniform(0.9, 1.1, value.shape)
            elif isinstance(exercise.probes[0][name], int):
                arguments[name] = int(value[0])
            else:
                arguments[name] = float(value[0])
        yield arguments

"""A rule's lines as the C++ of one loop: each number read once, written once.

The loop has a line for each of the rule's, ``m_new`` where a slot gets its new value. What is made
of numbers alone is computed before it, in double.
"""

import re
from collections.abc import Callable, Sequence
from itertools import chain, count
from math import inf
from string import Template

from ..lines import Lines
from ..trees import BINDS, TIGHT, Call, Line, Name, Node, Number, reads

# A dtype's type in C++, and its bytes.
CTYPES = {
    "float32": ("float", 4),
    "float64": ("double", 8),
    "bfloat16": ("bfloat16", 2),
    "float16": ("_Float16", 2),
}

SOURCE = Template("""\
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>
#ifdef _OPENMP
#include <omp.h>
#endif

typedef $real real;

struct bfloat16 { uint16_t bits; };

template <class T> static inline real load(T value) { return (real)value; }

static inline real load(bfloat16 value) {
    uint32_t bits = (uint32_t)value.bits << 16;
    float number;
    memcpy(&number, &bits, 4);
    return (real)number;
}

template <class T> static inline void store(T& to, real value) { to = (T)value; }

static inline void store(bfloat16& to, real value) {
    float number = (float)value;
    uint32_t bits;
    memcpy(&bits, &number, 4);
    uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;  // to nearest, ties to even
    to.bits = number != number ? 0x7fc0 : (uint16_t)rounded;
}

namespace ops {

// The larger and the smaller of two; a NaN on either side stays one.
template <class T> static inline T larger(T a, T b) { return a != a ? a : (b <= a ? a : b); }
template <class T> static inline T smaller(T a, T b) { return a != a ? a : (a <= b ? a : b); }

template <class T> static inline T sign(T a) { return a > 0 ? (T)1 : (a < 0 ? (T)-1 : (T)0); }

}

static void update(
    int64_t begin, int64_t end, const int64_t* addresses, int64_t tensors, const double* numbers
) {
$once
$walk}

static const int64_t columns = $columns, widths[] = {$widths};

struct Stretch { int64_t begin, end; bool written; };

// Whether this is no memory that the loop may have: at address 0, at an odd one, or written while
// it belongs to two of the arrays, each of which the loop takes for its own.
static bool unfit(int64_t tensors, const int64_t* sizes, const int64_t* addresses) {
    std::vector<Stretch> all;
    all.reserve(columns * tensors);
    for (int64_t c = 0; c < columns; ++c) {
        for (int64_t k = 0; k < tensors; ++k) {
            const int64_t begin = addresses[c * tensors + k];
            if (sizes[k] == 0) continue;
            if (begin == 0 || begin % widths[c] != 0) return true;
            all.push_back({begin, begin + sizes[k] * widths[c], c != 1});
        }
    }
    const auto before = [](const Stretch& a, const Stretch& b) { return a.begin < b.begin; };
    std::sort(all.begin(), all.end(), before);
    int64_t written = 0, read = 0;  // where what has been seen of each kind ends
    for (const Stretch& one : all) {
        if (one.begin < written || (one.written && one.begin < read)) return true;
        int64_t& end = one.written ? written : read;
        end = std::max(end, one.end);
    }
    return false;
}

// Whether all of these are finite: a difference to itself is 0, or else not a number. It reads at
// four places at once: at one, a core waits for memory half of the time.
template <class T> static bool finite(const T* values, int64_t begin, int64_t end) {
    const int64_t part = (end - begin) / 4;
    int bad = 0;
    for (int64_t i = begin; i < begin + part; ++i) {
        for (int64_t place = 0; place < 4; ++place) {
            const real value = load(values[i + place * part]);
            bad |= !(value - value == 0);
        }
    }
    for (int64_t i = begin + 4 * part; i < end; ++i) {
        const real value = load(values[i]);
        bad |= !(value - value == 0);
    }
    return !bad;
}

// What step() returns. Nothing has been changed unless it is TAKEN.
enum { TAKEN = 0, UNFIT = 1, NOT_FINITE = 2 };

// What step() is told: the memory is known to be fit; look at the gradients first.
enum { FIT = 1, LOOK = 2, ONLY_LOOK = 4 };

// A piece of the gradient that was looked at is still near when it is used, if not too much came
// between: the update goes back from where the look ended, by so many elements at a time.
static const int64_t piece = 1 << 17;

extern "C" int step(
    int64_t tensors, const int64_t* sizes, const int64_t* addresses,
    const double* numbers, int threads, int flags
) {
    if (!(flags & FIT) && unfit(tensors, sizes, addresses)) return UNFIT;
    int64_t total = 0;
    for (int64_t k = 0; k < tensors; ++k) total += sizes[k];
    int bad = 0;
#ifdef _OPENMP
#pragma omp parallel num_threads(threads) if (threads > 1)
#endif
    {
#ifdef _OPENMP
        const int64_t thread = omp_get_thread_num(), of = omp_get_num_threads();
#else
        const int64_t thread = 0, of = 1;
#endif
        // Each thread has an equal share of all elements, wherever the tensors begin and end.
        const int64_t first = total * thread / of, last = total * (thread + 1) / of;
        if (flags & (LOOK | ONLY_LOOK)) {
            int found = 0;
            for (int64_t k = 0, offset = 0; k < tensors; offset += sizes[k], ++k) {
                const int64_t begin = std::max(first - offset, (int64_t)0);
                const int64_t end = std::min(last - offset, sizes[k]);
                const auto values = (const $gradient*)addresses[tensors + k];
                if (begin < end) found |= !finite(values, begin, end);
            }
#ifdef _OPENMP
#pragma omp atomic
#endif
            bad |= found;
#ifdef _OPENMP
#pragma omp barrier
#endif
        }
        if (!bad && !(flags & ONLY_LOOK)) {
            const int64_t most = flags & LOOK ? piece : total;
            for (int64_t k = tensors - 1, offset = total; k >= 0; --k) {
                offset -= sizes[k];
                const int64_t begin = std::max(first - offset, (int64_t)0);
                for (int64_t end = std::min(last - offset, sizes[k]); begin < end; end -= most) {
                    const int64_t from = std::max(begin, end - most);
                    update(from, end, addresses + k, tensors, numbers);
                }
            }
        }
    }
    return bad ? NOT_FINITE : TAKEN;
}
""")


ONE_PLACE = Template("""\
    for (int64_t i = begin; i < end; ++i) {
$loop
    }
""")

# Two places at once. One place of two or three arrays asks for less at a time than a core can read.
TWO_PLACES = Template("""\
    const int64_t half = (end - begin) / 2;
#pragma omp simd
    for (int64_t j = begin; j < begin + half; ++j) {
        { const int64_t i = j;
$loop
        }
        { const int64_t i = j + half;
$loop
        }
    }
    for (int64_t i = begin + 2 * half; i < end; ++i) {
$loop
    }
""")

# What a name of a rule must not be called in C++: its keywords, and the names of the loop.
KEYWORDS = """
alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t char16_t
char32_t class co_await co_return co_yield compl concept const const_cast consteval constexpr
constinit continue decltype default delete do double dynamic_cast else enum explicit export extern
false float for friend goto if inline int long mutable namespace new noexcept not not_eq nullptr
operator or or_eq private protected public register reinterpret_cast requires return short signed
sizeof static static_assert static_cast struct switch template this thread_local throw true try
typedef typeid typename union unsigned using virtual void volatile wchar_t while xor xor_eq
"""
CODE = "".join(t.template for t in (SOURCE, ONE_PLACE, TWO_PLACES))
RESERVED = set(re.findall(r"[A-Za-z_]\w*", KEYWORDS + re.sub("//.*", "", CODE)))


class Unprintable(TypeError):
    """An operation has no C++ form."""


def source(lines: Lines, dtypes: Sequence[str]) -> str:
    """Return the C++ of one step.

    Parameters
    ----------
    lines : what it computes
    dtypes : the names of those of ``lines.arrays``; what is computed in between has float64 if the
        parameter has, else float32

    Raises
    ------
    Unprintable
        If an operation has no C++ form.
    """
    printer = _Printer()
    for i, (name, dtype) in enumerate(zip(lines.arrays, dtypes, strict=True)):
        ctype, _ = CTYPES[dtype]
        printer.array(name, ctype, f"addresses[{i} * tensors]")
    for i, name in enumerate(lines.numbers):
        printer.number(name, f"numbers[{i}]")
    for line in lines.step:
        printer.line(line)
    results = zip(("change", *lines.rule.slots), lines.results, strict=True)
    change, *slots = [printer.computed(name, node) for name, node in results]
    printer.store("x", f"{printer.elements['x']} + {change}")
    for name, value in zip(lines.rule.slots, slots, strict=True):
        printer.store(name, value)
    walk = TWO_PLACES if len(lines.arrays) <= 3 else ONE_PLACE
    return SOURCE.substitute(
        real="double" if dtypes[0] == "float64" else "float",
        gradient=CTYPES[dtypes[1]][0],
        columns=len(dtypes),
        widths=", ".join(str(CTYPES[dtype][1]) for dtype in dtypes),
        once="\n".join(f"    {line}" for line in printer.once),
        walk=walk.substitute(loop="\n".join(f"        {line}" for line in printer.loop)),
    )


class _Printer:
    """Prints what is made of numbers alone in double, before the loop; all else in real, within it.

    A division by a number becomes a multiplication by its reciprocal, computed before the loop.

    Attributes
    ----------
    once, loop : the statements so far
    pointers : the name of each array's pointer
    elements, numbers : what a name of the rule means at this point: the value of an element, or a
        number, by its name in C++
    constants : what was brought from double to real before the loop, and its name
    """

    def __init__(self) -> None:
        self.once: list[str] = []
        self.loop: list[str] = []
        self.pointers: dict[str, str] = {}
        self.elements: dict[str, str] = {}
        self.numbers: dict[str, str] = {}
        self.constants: dict[str, str] = {}
        self.taken = set(RESERVED)

    def array(self, name: str, ctype: str, address: str) -> None:
        """Load an element of an array."""
        self.pointers[name], self.elements[name] = self.fresh(f"{name}_"), self.fresh(name)
        self.once.append(f"{ctype}* __restrict {self.pointers[name]} = ({ctype}*){address};")
        self.loop.append(f"const real {self.elements[name]} = load({self.pointers[name]}[i]);")

    def number(self, name: str, value: str) -> None:
        """Compute a number."""
        self.elements.pop(name, None)
        self.numbers[name] = self.fresh(name)
        self.once.append(f"const double {self.numbers[name]} = {value};")

    def line(self, line: Line) -> None:
        """Compute what a line of the rule does."""
        if line.scalar:
            self.number(line.name, self.in_double(line.expression))
        else:
            self.elements[line.name] = self.computed(line.name, line.expression)
            self.numbers.pop(line.name, None)

    def computed(self, name: str, node: Node) -> str:
        """Compute the value of an element; return the name of what holds it."""
        text = self.in_real(node)
        if isinstance(node, Name):
            return text
        new = self.fresh(name, f"{name}_new")
        self.loop.append(f"const real {new} = {text};")
        return new

    def store(self, name: str, value: str) -> None:
        """Store an element of an array."""
        self.loop.append(f"store({self.pointers[name]}[i], {value});")

    def fresh(self, *wishes: str) -> str:
        """Return the first of the names that is free, else the last with a number."""
        numbered = (f"{wishes[-1]}_{i}" for i in count(2))
        name = next(name for name in chain(wishes, numbered) if name not in self.taken)
        self.taken.add(name)
        return name

    def in_double(self, node: Node, least: int = 0) -> str:
        """Return what is made of numbers alone."""
        match node:
            case Name(name):
                return self.numbers[name]
            case Number(value):
                return _number(value)
            case Call(op, args):
                return _operation(op, args, self.in_double, least)

    def in_real(self, node: Node, least: int = 0) -> str:
        """Return what an element is computed by."""
        if isinstance(node, Number):
            return f"(real){_number(node.value)}"
        if self.is_number(node):
            return self.constant(self.in_double(node), f"{self.words(node)}_r")
        match node:
            case Call("/", (a, b)) if self.is_number(b) and not isinstance(b, Number):
                value = f"1.0 / {self.in_double(b, BINDS['/'] + 1)}"
                per_b = self.constant(value, f"per_{self.words(b)}")
                text = f"{self.in_real(a, BINDS['*'])} * {per_b}"
                return f"({text})" if BINDS["*"] < least else text
            case Call(op, args):
                return _operation(op, args, self.in_real, least)
        assert isinstance(node, Name)
        return self.elements[node.id]

    def is_number(self, node: Node) -> bool:
        return self.elements.keys().isdisjoint(reads(node))

    def constant(self, value: str, name: str) -> str:
        if value not in self.constants:
            self.constants[value] = self.fresh(name)
            self.once.append(f"const real {self.constants[value]} = (real)({value});")
        return self.constants[value]

    def words(self, node: Node) -> str:
        """Return a name for what is made of numbers alone, such as one_minus_beta1."""
        match node:
            case Name(name):
                return self.numbers[name]
            case Number(value):
                return "one" if value == 1 else re.sub(r"\W", "_", f"n{value:g}")
            case Call(op, (x,)):
                return f"{WORDS.get(op, op)}_{self.words(x)}"
            case Call(op, args):
                return f"_{WORDS.get(op, op)}_".join(map(self.words, args))


WORDS = {"+": "plus", "-": "minus", "*": "times", "/": "over", "**": "to", "neg": "minus"}


def _number(value: float) -> str:
    return repr(float(value)).replace("inf", "INFINITY")


def _operation(
    op: str, args: tuple[Node, ...], show: Callable[[Node, int], str], least: int
) -> str:
    """Return an operation in C++, in brackets if it binds more weakly than ``least``."""
    match op, args:
        case "+" | "-" | "*" | "/", (a, b):
            text = f"{show(a, BINDS[op])} {op} {show(b, BINDS[op] + 1)}"
            return f"({text})" if BINDS[op] < least else text
        case "neg", (x,):
            text = f"-{show(x, TIGHT)}"
            return f"({text})" if BINDS[op] < least else text
        case "maximum", (x, low):
            return f"ops::larger({show(x, 0)}, {show(low, 0)})"
        case "clip", (x, low, high):
            text = show(x, 0)
            if low != Call("neg", (Number(inf),)):
                text = f"ops::larger({text}, {show(low, 0)})"
            return text if high == Number(inf) else f"ops::smaller({text}, {show(high, 0)})"
    if op not in FUNCTIONS:
        raise Unprintable(f"{op} has no C++ form")
    return f"{FUNCTIONS[op]}({', '.join(show(arg, 0) for arg in args)})"


FUNCTIONS = {"**": "std::pow", "abs": "std::fabs", "sqrt": "std::sqrt", "sign": "ops::sign"}

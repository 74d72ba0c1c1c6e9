"""A rule as one C++ loop over all parameters: each number read once, written once.

A step of Adam in eager Torch is fourteen passes over memory. Here the rule's graph is printed as
the body of one loop and compiled on first use, in about a second; the library is kept in the user's
cache. One call then updates any list of tensors, whatever their number and sizes: their addresses
are its arguments, and so are all hyper-parameters, so nothing is ever compiled again for a new
learning rate or another model.
"""

import ctypes
import hashlib
import math
import operator
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from string import Template
from typing import Any

import torch
from torch import fx

from .trace import Variant, trace

CTYPES = {
    torch.float32: "float",
    torch.float64: "double",
    torch.bfloat16: "bfloat16",
    torch.float16: "_Float16",
}

# Below this many elements for each, another thread brings little, and waiting for it costs much
# where the machine is busy.
GRAIN = 131_072

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

// Whether memory that is written belongs to two of the arrays: each loop takes them for its own.
static bool shared(int64_t tensors, const int64_t* sizes, const int64_t* addresses) {
    std::vector<Stretch> all;
    all.reserve(columns * tensors);
    for (int64_t c = 0; c < columns; ++c) {
        for (int64_t k = 0; k < tensors; ++k) {
            const int64_t begin = addresses[c * tensors + k];
            if (sizes[k]) all.push_back({begin, begin + sizes[k] * widths[c], c != 1});
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

// Return 0, or 1 if nothing was done because memory is shared.
extern "C" int step(
    int64_t tensors, const int64_t* sizes, const int64_t* addresses,
    const double* numbers, int threads, int apart
) {
    if (!apart && shared(tensors, sizes, addresses)) return 1;
    int64_t total = 0;
    for (int64_t k = 0; k < tensors; ++k) total += sizes[k];
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
        for (int64_t k = 0, offset = 0; k < tensors; offset += sizes[k], ++k) {
            const int64_t begin = (first > offset ? first : offset) - offset;
            const int64_t end = (last < offset + sizes[k] ? last : offset + sizes[k]) - offset;
            if (begin < end) update(begin, end, addresses + k, tensors, numbers);
        }
    }
    return 0;
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


class NotCompiled(RuntimeError):
    """Why there is no compiled step: it is said once, and the eager one serves."""


def source(variant: Variant, dtypes: Sequence[torch.dtype]) -> str:
    """Return the C++ of one step.

    Parameters
    ----------
    variant : what it computes
    dtypes : of each of ``variant.tensors``; what is computed in between has float64 if the
        parameter has, else float32
    """
    graph = trace(variant)
    real = "double" if dtypes[0] is torch.float64 else "float"
    once = [
        f"{CTYPES[dtype]}* __restrict {name}_ = ({CTYPES[dtype]}*)addresses[{i} * tensors];"
        for i, (name, dtype) in enumerate(zip(variant.tensors, dtypes, strict=True))
    ]
    once += [f"const double {name} = numbers[{i}];" for i, name in enumerate(variant.numbers)]
    loop = [f"const real {name} = load({name}_[i]);" for name in variant.tensors]
    printer = _Printer(set(variant.tensors), set(variant.numbers), once, loop)
    for node in graph.nodes:
        if node.op == "call_function":
            printer.statement(node)
    change, *slots = next(node for node in graph.nodes if node.op == "output").args[0]
    loop.append(f"store(x_[i], x + {printer.in_loop(change)});")
    loop += [
        f"store({name}_[i], {printer.in_loop(value)});"
        for name, value in zip(variant.tensors[2:], slots, strict=True)
    ]
    walk = TWO_PLACES if len(variant.tensors) <= 3 else ONE_PLACE
    return SOURCE.substitute(
        real=real,
        columns=len(dtypes),
        widths=", ".join(str(dtype.itemsize) for dtype in dtypes),
        once="\n".join(f"    {line}" for line in once),
        walk=walk.substitute(loop="\n".join(f"        {line}" for line in loop)),
    )


class _Printer:
    """Prints operations: on numbers before the loop, in double; on tensors within it.

    A division by a number becomes a multiplication by its reciprocal, computed before the loop.
    """

    def __init__(
        self, tensors: set[str], numbers: set[str], once: list[str], loop: list[str]
    ) -> None:
        self.tensors, self.numbers, self.once, self.loop = tensors, numbers, once, loop
        self.ready: set[str] = set()

    def statement(self, node: fx.Node) -> None:
        operands = [*node.args, *node.kwargs.values()]
        if any(isinstance(a, fx.Node) and a.name in self.tensors for a in operands):
            self.tensors.add(node.name)
            self.loop.append(f"const real {node.name} = {self.expression(node, self.in_loop)};")
        else:
            self.numbers.add(node.name)
            self.once.append(f"const double {node.name} = {self.expression(node, self.as_double)};")

    def as_double(self, operand: Any) -> str:
        return operand.name if isinstance(operand, fx.Node) else repr(float(operand))

    def in_loop(self, operand: Any) -> str:
        if not isinstance(operand, fx.Node):
            return f"(real){float(operand)!r}"
        if operand.name in self.tensors:
            return operand.name
        return self.constant(f"{operand.name}_r", operand.name)

    def constant(self, name: str, value: str) -> str:
        if name not in self.ready:
            self.ready.add(name)
            self.once.append(f"const real {name} = (real)({value});")
        return name

    def expression(self, node: fx.Node, show: Callable[[Any], str]) -> str:
        function = node.target
        if function is torch.clip:
            low, high = (*node.args[1:], *[node.kwargs.get(k) for k in ("min", "max")])[:2]
            text = show(node.args[0])
            if low is not None and low != -math.inf:
                text = f"ops::larger({text}, {show(low)})"
            if high is not None and high != math.inf:
                text = f"ops::smaller({text}, {show(high)})"
            return text
        a, *rest = node.args
        if function in (operator.truediv,) and show == self.in_loop:
            (b,) = rest
            if not isinstance(b, fx.Node) or b.name in self.numbers:
                name = b.name if isinstance(b, fx.Node) else None
                if name is not None:
                    reciprocal = self.constant(f"per_{name}", f"1.0 / {name}")
                    return f"{show(a)} * {reciprocal}"
        if function in INFIX:
            return f"{show(a)} {INFIX[function]} {show(rest[0])}"
        if function in FUNCTIONS:
            return f"{FUNCTIONS[function]}({', '.join(show(operand) for operand in node.args)})"
        raise NotCompiled(f"{getattr(function, '__name__', function)} has no C++ form")


INFIX = {operator.add: "+", operator.sub: "-", operator.mul: "*", operator.truediv: "/"}
FUNCTIONS = {
    operator.neg: "-",
    operator.pow: "std::pow",
    operator.abs: "std::fabs",
    torch.abs: "std::fabs",
    torch.sqrt: "std::sqrt",
    torch.sign: "ops::sign",
}


class Kernel:
    """A compiled step of one variant for one choice of dtypes."""

    def __init__(self, variant: Variant, dtypes: tuple[torch.dtype, ...]) -> None:
        self.function = ctypes.CDLL(str(_library(source(variant, dtypes)))).step
        self.function.restype = ctypes.c_int

    def __call__(
        self,
        sizes: Any,
        addresses: Any,
        numbers: Sequence[Any],
        total: int,
        apart: bool = False,
    ) -> bool:
        """Take one step, unless some of the tensors share memory; say whether it was taken.

        Parameters
        ----------
        sizes : the number of elements of each parameter, a ctypes array of int64
        addresses : of all parameters, then of all gradients, then of each slot, likewise
        numbers : the values of ``variant.numbers``
        total : the sum of ``sizes``
        apart : it is known that no memory that is written belongs to two of the tensors
        """
        threads = max(1, min(torch.get_num_threads(), total // GRAIN))
        values = (ctypes.c_double * len(numbers))(*map(float, numbers))
        shared: int = self.function(
            ctypes.c_int64(len(sizes)),
            sizes,
            addresses,
            values,
            ctypes.c_int(threads),
            ctypes.c_int(apart),
        )
        return not shared


@cache
def kernel(variant: Variant, dtypes: tuple[torch.dtype, ...]) -> Kernel:
    """Return the compiled step, compiled if need be.

    Raises
    ------
    NotCompiled
        If there is no C++ compiler, or it fails.
    """
    return Kernel(variant, dtypes)


@cache
def _compiler() -> str:
    names = [os.environ["CXX"]] if os.environ.get("CXX") else ["c++", "g++", "clang++"]
    for name in names:
        if path := shutil.which(name):
            return path
    raise NotCompiled(f"no C++ compiler was found (looked for {', '.join(names)})")


def _flags() -> list[list[str]]:
    """Return the flags to try, best first: for this processor with threads, then plainer ones."""
    # Where memory sets the pace, 512-bit vectors gain nothing, and on some processors lose a tenth.
    wide = torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512")
    march = ["-march=x86-64-v3"] if wide and platform.machine() in ("x86_64", "AMD64") else []
    precise = ["-fno-math-errno", "-fno-trapping-math"]
    common = ["-O3", *precise, "-std=c++17", "-fopenmp-simd", "-fPIC", "-shared"]
    # Torch's own OpenMP, if it brings one: two in one process would keep two teams of threads.
    folder = Path(torch.__file__).parent / "lib"
    openmp = ["-fopenmp", f"-L{folder}"]
    return [[*common, *march, *openmp], [*common, *openmp], common]


def _library(code: str) -> Path:
    """Return the shared library of this source: from the cache, or compiled into it."""
    compiler = _compiler()
    key = repr((code, compiler, _flags(), platform.platform(), torch.__version__))
    name = f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.so"
    folder = _folder()
    path = folder / name
    if path.exists():
        return path
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        written, built = Path(scratch, "step.cpp"), Path(scratch, name)
        written.write_text(code, encoding="utf-8")
        for flags in _flags():
            command = [compiler, *flags, "-o", str(built), str(written)]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode == 0:
                # Several processes may build the same: each moves a whole file into place.
                os.replace(built, path)
                return path
    lines = [line for line in done.stderr.splitlines() if "error" in line] or ["no message"]
    raise NotCompiled(f"{compiler} failed: {lines[0]}")


@cache
def _folder() -> Path:
    """Return where libraries are kept: beside Torch's own cache, else in a directory of our own."""
    folder = Path(torch.hub.get_dir()).parent / "adam-edu"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(dir=folder):
            return folder
    except OSError:
        return Path(tempfile.mkdtemp(prefix="adam-edu-"))

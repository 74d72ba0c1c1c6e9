"""The C++ around a rule's lines: what a loop may touch, whether all is finite, and threads."""

import re
from string import Template

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

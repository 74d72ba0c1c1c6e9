"""A kernel for notebooks as a runner has it: this package installed from what was built of this
tree, everything else as it is here, a folder that is not the book's, and another processor's order
of sums.

``pytest --nbval --nbval-kernel-name fresh`` runs notebooks in it (see conftest.py).

OpenBLAS, MKL and oneDNN add the terms of a product in an order that depends on the processor, and
NumPy's and PyTorch's loops have another last digit with wider vectors; where an optimizer divides
by something near zero, or its rate is nearly too high, so do the numbers on a page. So every
notebook runs here as on one processor that is not the one at hand, and on the same one wherever
it runs. That costs no second run: outputs are stored on one kind and compared on another.
``make kernels`` compares on each kind.
"""

import json
import os
import platform
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import forked_kernels
from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__  # not public

NAME = "fresh"
ROOT = Path(__file__).parents[1]
CORE = "OPENBLAS_CORETYPE"
# What any x86-64 of the last ten years can be: with SSE, with AVX, with AVX2 and fused products.
CORES = ("Nehalem", "Sandybridge", "Haswell")
USUAL = "Sandybridge"  # few machines at hand are one, and it is less slow than Nehalem
# The other libraries' widest vectors beside it. They do without AVX2 only where OpenBLAS does
# without AVX: networks take three times as long then.
NARROW = {"ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41", "MKL_CBWR": "COMPATIBLE"}
WIDE = {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_CBWR": "AVX2"}
NUMPY = "NPY_DISABLE_CPU_FEATURES"
UP_TO_AVX2 = ("X86_V3", "SSE41", "POPCNT", "SSE42", "AVX", "F16C", "FMA3", "AVX2")
START = (
    "import os, sys; os.chdir({folder!r}); "
    "from ipykernel.kernelapp import IPKernelApp; IPKernelApp.launch_instance()"
)
# Pictures are not compared: they are drawn, but not once more before that to see where to cut them.
UNCUT = "--InlineBackend.print_figure_kwargs={'bbox_inches': None}"


def processor() -> dict[str, str]:
    """Return the environment in which libraries take the processor for another one.

    Its kinds have names on x86-64 only; elsewhere it stays what it is.
    """
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return {}
    kind = os.environ.get(CORE, USUAL)
    libraries, kept = (NARROW, ()) if kind == "Nehalem" else (WIDE, UP_TO_AVX2)
    # NumPy complains if it is told to do without what the processor at hand has not.
    off = (name for name in __cpu_dispatch__ if __cpu_features__[name] and name not in kept)
    return {CORE: kind, NUMPY: " ".join(off), **libraries}


def bare(folder: Path) -> Path:
    """Make an environment that sees everything installed here but adam_edu; return its Python."""
    venv.create(folder / "venv", with_pip=False)
    packages = folder / "packages"
    packages.mkdir()
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if not entry.name.startswith(("adam_edu", "_adam_edu", "_editable_impl")):
            (packages / entry.name).symlink_to(entry)
    (own,) = (folder / "venv/lib").glob("python*/site-packages")
    (own / "packages.pth").write_text(f"{packages}\n")
    return folder / "venv/bin/python"


@contextmanager
def installed(folder: Path) -> Iterator[None]:
    """Install this tree into a new environment, and the kernel where JUPYTER_PATH finds it."""
    if os.name == "nt":  # where links need a right: the environment that is there
        python = Path(sys.executable)
    else:
        python = bare(folder)
        pip = [sys.executable, "-m", "pip", "--quiet", "--python", python, "install", "--no-index"]
        subprocess.run([*pip, "--no-build-isolation", "--no-deps", ROOT], check=True)
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    kernel = folder / "jupyter/kernels" / NAME
    kernel.mkdir(parents=True)
    paths = [str(folder / "jupyter"), os.environ.get("JUPYTER_PATH", "")]
    os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, paths))
    os.environ.pop("PYTHONPATH", None)  # would put another tree before what was installed
    with ExitStack() as stack:
        start = START.format(folder=str(elsewhere))
        if hasattr(os, "fork"):
            served = forked_kernels.serving(python, folder, os.environ | processor())
            address = str(stack.enter_context(served))
            start = forked_kernels.ASK.format(address=address, folder=str(elsewhere))
        spec = {
            "argv": [str(python), "-c", start, "-f", "{connection_file}", UNCUT],
            "display_name": "this package, freshly installed",
            "language": "python",
            "env": processor(),
        }
        (kernel / "kernel.json").write_text(json.dumps(spec))
        yield

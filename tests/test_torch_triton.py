"""The Triton kernel: run by Triton's interpreter on the CPU against the rule, and compiled."""

import importlib.util
import os
import subprocess
import sys

import pytest
import torch
from conftest import ROOT

import adam_edu.torch as ours

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("triton") is None, reason="needs Triton, which is for Linux"
)

SAME = """
import torch
import adam_edu.torch as ours

torch.manual_seed(0)
CASES = [
    ("Adam", {}),
    ("Adam", {"weight_decay": 0.1, "maximize": True}),
    ("AdamL2", {}),
    ("AdamW", {"weight_decay": 0.1, "betas": (0.8, 0.99)}),
]
for name, arguments in CASES:
    results = []
    for implementation in ("triton", "eager"):
        torch.manual_seed(1)
        shapes = [(3, 500), (1025,), (), (0,)]
        params = [torch.randn(shape).requires_grad_() for shape in shapes]
        params.append(torch.randn(4, 6)[:, ::2].requires_grad_())  # has gaps
        made = getattr(ours, name)(params, lr=0.1, implementation=implementation, **arguments)
        for t in range(4):
            made.param_groups[0]["lr"] = 0.1 / (t + 1)
            for p in params:
                p.grad = torch.randn(p.shape)
            made.step()
        results.append(params)
    for p, q in zip(*results):
        torch.testing.assert_close(p, q, rtol=1e-6, atol=1e-6)
    print("same", name)
"""


def test_the_kernel_computes_the_rule():
    env = os.environ | {"PYTHONPATH": str(ROOT / "src"), "TRITON_INTERPRET": "1"}
    done = subprocess.run([sys.executable, "-c", SAME], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("same") == 4


def test_what_the_kernel_cannot_do_is_refused():
    p = torch.ones(3, requires_grad=True)
    with pytest.raises(ValueError, match="not for SGD"):
        ours.SGD([p], implementation="triton")
    made = ours.Adam([p], implementation="triton")
    p.grad = torch.ones(3)
    with pytest.raises(ValueError, match="needs parameters on a GPU"):
        made.step()


def test_the_kernel_reads_and_writes_each_array_once(tmp_path, monkeypatch):
    """Compiled for a GPU that need not be there: 16 bytes at a time, and each array once."""
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    from adam_edu.torch.kernels import BLOCK, adam_kernel

    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    signature = dict.fromkeys(("x_ptr", "g_ptr", "m_ptr", "v_ptr"), "*fp32")
    constants = {"MAXIMIZE": False, "L2": False, "DECOUPLED": True, "BLOCK": BLOCK}
    signature |= {"numbers_ptr": "*fp64", "size": "i64"} | dict.fromkeys(constants, "constexpr")
    aligned = {(i,): [["tt.divisibility", 16]] for i in range(6)}
    source = ASTSource(adam_kernel, signature, constants, aligned)
    ptx = triton.compile(source, target=GPUTarget("cuda", 80, 32)).asm["ptx"]
    threads = 4 * 32
    passes = BLOCK // (threads * 4)
    assert ptx.count("ld.global.v4.b32") == 4 * passes, ptx
    assert ptx.count("st.global.v4.b32") == 3 * passes, ptx
    assert "pow" not in ptx

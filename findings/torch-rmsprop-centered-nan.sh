#!/usr/bin/env bash
# PyTorch 2.13.0: torch.optim.RMSprop(centered=True) makes a weight NaN from a constant gradient of 10.
#
# The centered form divides by the root of square_avg - grad_avg**2. Where a gradient stays the same, the
# two become equal, and in float32 their difference can be rounded to a negative number; its root is NaN,
# and epsilon, which is added after the root, comes too late. One would expect a guard against it.
#
# Seen: the first NaN after step 138 with a gradient of 10 and after step 140 with 100; none in float64 in
# 400 steps, nor with a gradient of 1.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet torch==2.13.0 numpy==2.4.6

cat >"$folder/run.py" <<'PY'
import torch

print("torch", torch.__version__.partition("+")[0])
for dtype, gradient in ((torch.float32, 1.0), (torch.float32, 10.0), (torch.float32, 100.0),
                        (torch.float64, 10.0)):
    weight = torch.zeros(1, dtype=dtype, requires_grad=True)
    optimizer = torch.optim.RMSprop([weight], lr=0.001, alpha=0.9, centered=True)
    first = None
    for step in range(1, 401):
        weight.grad = torch.full((1,), gradient, dtype=dtype)
        optimizer.step()
        if first is None and weight.isnan().any():
            first = step
    print(f"{str(dtype)[6:]}, gradient {gradient:g}: first NaN after step {first}")
PY
seen="$("$folder/venv/bin/python" "$folder/run.py")"
expected="torch 2.13.0
float32, gradient 1: first NaN after step None
float32, gradient 10: first NaN after step 138
float32, gradient 100: first NaN after step 140
float64, gradient 10: first NaN after step None"
echo "$seen"
if [ "$seen" != "$expected" ]; then
    echo "changed: expected" && echo "$expected"
    exit 1
fi

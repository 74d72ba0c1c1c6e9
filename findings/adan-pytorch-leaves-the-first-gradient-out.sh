#!/usr/bin/env bash
# adan-pytorch 0.1.0: the first gradient moves no weight and enters no moment.
#
# Adan has no difference of gradients in its first step (Xie et al., 2022), and the authors' code takes it
# for 0 there: the first gradient fills the moments, and moves a weight by about the rate. This package
# skips the moments in the first step, divides 0 by epsilon, and corrects from the second step on as if
# there had been two gradients. One would expect the first step to be as long as others.
#
# Seen: the moves of a weight whose gradient is always 1, over the rate; with every gradient in the moments
# each would be -1. They are 0, -0.712, -0.823 and -0.873, and the first moment after two gradients is that
# of one.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet adan-pytorch==0.1.0 torch==2.13.0 numpy==2.4.6

cat >"$folder/run.py" <<'PY'
from importlib.metadata import version

import torch
from adan_pytorch import Adan

print("adan-pytorch", version("adan-pytorch"), "torch", torch.__version__.partition("+")[0])
weight = torch.zeros(1, dtype=torch.float64, requires_grad=True)
optimizer = Adan([weight], lr=0.001)
for step in range(1, 5):
    before = weight.item()
    weight.grad = torch.ones(1, dtype=torch.float64)
    optimizer.step()
    print(f"step {step}: {(weight.item() - before) / 0.001:.3f}")
print("first moment after two gradients of 1:", end=" ")
weight = torch.zeros(1, dtype=torch.float64, requires_grad=True)
optimizer = Adan([weight], lr=0.001)
for _ in range(2):
    weight.grad = torch.ones(1, dtype=torch.float64)
    optimizer.step()
print(f"{optimizer.state[weight]['m'].item():.4f}, 1 - 0.98**2 is {1 - 0.98**2:.4f}")
PY
seen="$("$folder/venv/bin/python" "$folder/run.py")"
expected="adan-pytorch 0.1.0 torch 2.13.0
step 1: 0.000
step 2: -0.712
step 3: -0.823
step 4: -0.873
first moment after two gradients of 1: 0.0200, 1 - 0.98**2 is 0.0396"
echo "$seen"
if [ "$seen" != "$expected" ]; then
    echo "changed: expected" && echo "$expected"
    exit 1
fi

#!/usr/bin/env bash
# Optax 0.2.8: optax.rprop moves by the step that the gradient before asked for; its first step is 0.
#
# Rprop moves each weight by its rate against the sign of the gradient that it is given (Riedmiller and
# Braun, 1993), and so does torch.optim.Rprop. In Optax the transformation keeps the new step in its state
# and returns the one that was there: all that it does comes a gradient late. One would expect the first
# gradient to move the weight.
#
# Seen: for the gradients 1, 1, -1, -1, 1 and the same settings, the moves of both. Optax's second move is
# PyTorch's first; the steps of 0.012 and 0.006 never come, since the next gradient turns and cuts them to 0.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet optax==0.2.8 jax==0.10.2 torch==2.13.0 numpy==2.4.6

cat >"$folder/run.py" <<'PY'
import os

os.environ["JAX_PLATFORMS"] = "cpu"
import jax.numpy as jnp
import optax
import torch

print("optax", optax.__version__, "torch", torch.__version__.partition("+")[0])
theirs = optax.rprop(0.01)
state = theirs.init(jnp.zeros(1))
weight = torch.zeros(1, requires_grad=True)
other = torch.optim.Rprop([weight], lr=0.01)
for gradient in (1.0, 1.0, -1.0, -1.0, 1.0):
    update, state = theirs.update(jnp.array([gradient]), state)
    before = weight.item()
    weight.grad = torch.tensor([gradient])
    other.step()
    print(f"gradient {gradient:+g}: optax {float(update[0]) + 0:.4f} torch {weight.item() - before:.4f}")
PY
seen="$("$folder/venv/bin/python" "$folder/run.py")"
expected="optax 0.2.8 torch 2.13.0
gradient +1: optax 0.0000 torch -0.0100
gradient +1: optax -0.0100 torch -0.0120
gradient -1: optax 0.0000 torch 0.0000
gradient -1: optax 0.0000 torch 0.0060
gradient +1: optax 0.0000 torch 0.0000"
echo "$seen"
if [ "$seen" != "$expected" ]; then
    echo "changed: expected" && echo "$expected"
    exit 1
fi

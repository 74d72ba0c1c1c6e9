#!/usr/bin/env bash
# Keras 3.15.1: the momentum of Nadam nears beta_1 after a hundred steps, not after ten thousand or more.
#
# NAdam's momentum is beta_1 * (1 - 0.5 * 0.96**(t / 250)) in Dozat's paper and its defaults, which
# torch.optim.NAdam follows (momentum_decay=0.004). Keras's documentation names the same paper, and its
# Nadam has no argument for it; one would expect the same schedule. It uses 0.96**t, so that the warm-up of
# the momentum is 250 times as short, and the two NAdams are different rules at the same settings.
#
# Seen: the momentum at steps 1, 10 and 100, from the product of the momenta that each library keeps:
# 0.468, 0.601 and 0.892 in Keras; 0.450, 0.451 and 0.457 in PyTorch.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet keras==3.15.1 jax==0.10.2 torch==2.13.0 numpy==2.4.6

cat >"$folder/run.py" <<'PY'
import os
import warnings

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"
warnings.simplefilter("ignore")
import keras
import torch

print("keras", keras.__version__, "torch", torch.__version__.partition("+")[0])
theirs, weight = keras.optimizers.Nadam(), keras.Variable([0.0])
theirs.build([weight])
other = torch.zeros(1, requires_grad=True)
ours = torch.optim.NAdam([other])
before = {"keras": 1.0, "torch": 1.0}
for step in range(1, 101):
    theirs.apply([keras.ops.ones(1)])
    other.grad = torch.ones(1)
    ours.step()
    after = {"keras": float(theirs._u_product), "torch": ours.state[other]["mu_product"].item()}
    if step in (1, 10, 100):
        print(step, *(f"{name} {after[name] / before[name]:.3f}" for name in after))
    before = after
PY
seen="$("$folder/venv/bin/python" "$folder/run.py")"
expected="keras 3.15.1 torch 2.13.0
1 keras 0.468 torch 0.450
10 keras 0.601 torch 0.451
100 keras 0.892 torch 0.457"
echo "$seen"
if [ "$seen" != "$expected" ]; then
    echo "changed: expected" && echo "$expected"
    exit 1
fi

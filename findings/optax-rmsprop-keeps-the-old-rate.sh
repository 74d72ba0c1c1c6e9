#!/usr/bin/env bash
# Optax 0.2.8: after a fall of the learning rate, rmsprop(momentum=...) goes on at the old rate for a while.
#
# optax.sgd keeps a momentum of gradients and multiplies it by the rate, so that a schedule acts at once.
# In optax.rmsprop the rate comes before the momentum: what gathers is steps, and after a schedule's drop by
# a hundred the old long steps fade only by the momentum, 0.9 a step. One would expect both optimizers of one
# library, with the same word for the argument, to have the same order. (The state does not say the rate
# either, so that it cannot be carried to a library that keeps gradients.)
#
# Seen: constant gradients, rate 1 for ten steps and then 0.01. The eleventh step over the tenth: sgd 0.011,
# rmsprop 0.901.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet optax==0.2.8 jax==0.10.2 numpy==2.4.6

cat >"$folder/run.py" <<'PY'
import os

os.environ["JAX_PLATFORMS"] = "cpu"
import jax.numpy as jnp
import optax

print("optax", optax.__version__)
rate = optax.piecewise_constant_schedule(1.0, {10: 0.01})
for name in ("sgd", "rmsprop"):
    transformation = getattr(optax, name)(rate, momentum=0.9)
    state, steps = transformation.init(jnp.zeros(1)), []
    for _ in range(11):
        change, state = transformation.update(jnp.ones(1), state)
        steps.append(float(change[0]))
    print(f"{name}: the eleventh step over the tenth {steps[10] / steps[9]:.3f}")
PY
seen="$("$folder/venv/bin/python" "$folder/run.py")"
expected="optax 0.2.8
sgd: the eleventh step over the tenth 0.011
rmsprop: the eleventh step over the tenth 0.901"
echo "$seen"
if [ "$seen" != "$expected" ]; then
    echo "changed: expected" && echo "$expected"
    exit 1
fi

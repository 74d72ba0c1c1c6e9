#!/usr/bin/env bash
# River 0.26.1: a model with optim.FTRLProximal predicts without the example that it learned last.
#
# In follow the regularized leader (McMahan et al., 2013, algorithm 1) a weight is computed from sums, and
# the sums have every gradient so far. River computes the weight first and adds the gradient to the sums
# then, so that the weights of a model lag: after its first example all of them are still 0. One would
# expect learn_one to change what predict_one says next.
#
# Seen: after one example a model's weight is 0 and its probability 0.5; and the weight after each of three
# gradients, beside that of the algorithm: River's is the algorithm's of one gradient before.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet river==0.26.1 numpy==2.4.6

cat >"$folder/run.py" <<'PY'
import river
from river import linear_model, optim

print("river", river.__version__)
model = linear_model.LogisticRegression(optim.FTRLProximal(), intercept_lr=0.0)
for _ in range(2):
    model.learn_one({"a": 1.0}, True)
    weight = float(model.weights["a"])
    print(f"model: weight {weight:.5f}, says {model.predict_proba_one({'a': 1.0})[True]:.5f}")

alpha, beta, l2 = 0.05, 1.0, 1.0  # the defaults, with an l1 of 0
optimizer, late = optim.FTRLProximal(), {"a": 0.0}
weight = z = n = 0.0
for g in (-0.5, -0.4, 0.3):
    optimizer.step(late, {"a": g})
    z += g - ((n + g * g) ** 0.5 - n**0.5) / alpha * weight
    n += g * g
    weight = -z / ((beta + n**0.5) / alpha + l2)
    print(f"gradient {g:+}: river {late['a']:.5f} algorithm {weight:.5f}")
PY
seen="$("$folder/venv/bin/python" "$folder/run.py")"
expected="river 0.26.1
model: weight 0.00000, says 0.50000
model: weight 0.01613, says 0.50403
gradient -0.5: river 0.00000 algorithm 0.01613
gradient -0.4: river 0.01613 algorithm 0.02796
gradient +0.3: river 0.02796 algorithm 0.01942"
echo "$seen"
if [ "$seen" != "$expected" ]; then
    echo "changed: expected" && echo "$expected"
    exit 1
fi

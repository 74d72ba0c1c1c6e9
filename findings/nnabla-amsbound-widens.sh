#!/usr/bin/env bash
# NNabla 1.39.0: the upper bound of solvers.AMSBound rises with the steps; it should fall.
#
# AMSBound keeps a weight's rate within a band that closes in on final_lr: the upper bound is
# final_lr * (1 + 1 / (gamma * t)) (Luo et al., 2019), and solvers.AdaBound of the same library has it. In
# AMSBound it is final_lr * (1 + t / gamma): at once too high to bound anything but tiny gradients, and
# higher in each step. One would expect the two to share their bounds.
#
# Seen: the rate of a weight, its move over the first moment, with a gradient of 1e-11 that reaches the upper
# bound in every step: AdaBound's falls from 100 to 33, AMSBound's rises from 100 to 300.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3.10 -m venv "$folder/venv" # NNabla has no build for later ones
"$folder/venv/bin/python" -m pip install --quiet nnabla==1.39.0 numpy==1.26.4

cat >"$folder/run.py" <<'PY'
import nnabla
from nnabla import solvers

print("nnabla", nnabla.__version__)
for kind in (solvers.AdaBound, solvers.AMSBound):
    weight = nnabla.Variable((1,), need_grad=True)
    weight.d = 0.0
    solver = kind()
    solver.set_parameters({"w": weight})
    moment, rates = 0.0, []
    for step in range(3):
        before = float(weight.d[0])
        weight.g = 1e-11
        moment = 0.9 * moment + 0.1 * 1e-11
        solver.update()
        rates.append(f"{(before - float(weight.d[0])) / moment:.0f}")
    print(kind.__name__, *rates)
PY
seen="$("$folder/venv/bin/python" "$folder/run.py" 2>/dev/null | grep -v Initializing)"
expected="nnabla 1.39.0
AdaBound 100 50 33
AMSBound 100 200 300"
echo "$seen"
if [ "$seen" != "$expected" ]; then
    echo "changed: expected" && echo "$expected"
    exit 1
fi

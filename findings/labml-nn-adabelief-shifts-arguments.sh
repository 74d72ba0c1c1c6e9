#!/usr/bin/env bash
# labml-nn 0.5.1: AdaBelief runs AMSGrad's maximum by default; its degenerate_to_sgd turns that on and off.
#
# AdaBelief hands its arguments on to RAdam by position, and leaves out one, optimized_update. So each of the
# three that follow arrives one place too early: RAdam takes amsgrad for optimized_update, degenerate_to_sgd
# for amsgrad, and the defaults, an empty dictionary, for degenerated_to_sgd. One would expect the settings of
# its signature: amsgrad=False, degenerate_to_sgd=True.
#
# Seen: what the optimizer keeps with its defaults has the maximum in it; the first five steps are 0, where
# RAdam of the same library, which degenerates to SGD, moves. With degenerate_to_sgd=False they are 0 as well,
# and the maximum is gone.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet labml-nn==0.5.1 torch==2.13.0 numpy==2.4.6

cat >"$folder/run.py" <<'PY'
from importlib.metadata import version

import torch
from labml_nn.optimizers.ada_belief import AdaBelief
from labml_nn.optimizers.radam import RAdam

print("labml-nn", version("labml-nn"), "torch", torch.__version__.partition("+")[0])
made = {
    "RAdam": RAdam,
    "AdaBelief": AdaBelief,
    "AdaBelief(degenerate_to_sgd=False)": lambda params: AdaBelief(params, degenerate_to_sgd=False),
}
for name, make in made.items():
    weight = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimizer = make([weight])
    still = 0
    for step in range(1, 11):
        weight.grad = torch.ones(1, dtype=torch.float64)
        before = weight.item()
        optimizer.step()
        still += weight.item() == before
    kept = any(key.startswith("max_exp_avg") for key in optimizer.state[weight])
    print(f"{name}: stands still in {still} of 10 steps, keeps a maximum: {kept}")
PY
seen="$("$folder/venv/bin/python" "$folder/run.py")"
expected="labml-nn 0.5.1 torch 2.13.0
RAdam: stands still in 0 of 10 steps, keeps a maximum: False
AdaBelief: stands still in 5 of 10 steps, keeps a maximum: True
AdaBelief(degenerate_to_sgd=False): stands still in 5 of 10 steps, keeps a maximum: False"
echo "$seen"
if [ "$seen" != "$expected" ]; then
    echo "changed: expected" && echo "$expected"
    exit 1
fi

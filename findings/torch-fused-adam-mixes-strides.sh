#!/usr/bin/env bash
# PyTorch 2.13.0, CPU: fused Adam gives entries the gradients of others if parameter and gradient differ in strides.
#
# A parameter may be a transposed view, and a gradient that somebody assigns be laid out row by row. The for-loop and foreach steps pair entries by index. The fused one walks
# through memory, whose order is another one in each. One would expect the same step, or an error; there is neither.
#
# Seen: a 3 by 4 parameter, a view of a 4 by 3 tensor, three steps at rate 0.1. With a gradient of the same strides
# all agree; with a contiguous one the fused step ends 0.77 rates from the others.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet torch==2.13.0 numpy==2.4.6

cat >"$folder/run.py" <<'PY'
import torch


def trained(same, **options):
    weight = torch.nn.Parameter(torch.zeros(4, 3).t())
    optimizer = torch.optim.Adam([weight], lr=0.1, **options)
    for t in range(3):
        gradient = torch.arange(12.0).reshape(3, 4) * (-1) ** t + 1
        weight.grad = gradient.t().contiguous().t() if same else gradient
        optimizer.step()
    return weight.detach()


print("torch", torch.__version__.partition("+")[0])
for same, name in ((True, "the same strides"), (False, "other strides")):
    loop = trained(same, foreach=False)
    for option in ("foreach", "fused"):
        apart = (trained(same, **{option: True}) - loop).abs().max().item() / 0.1
        print(f"{name}: {option} ends {apart:.2f} rates from the loop")
PY
seen="$("$folder/venv/bin/python" "$folder/run.py")"
expected="torch 2.13.0
the same strides: foreach ends 0.00 rates from the loop
the same strides: fused ends 0.00 rates from the loop
other strides: foreach ends 0.00 rates from the loop
other strides: fused ends 0.77 rates from the loop"
echo "$seen"
if [ "$seen" != "$expected" ]; then
    echo "changed: expected" && echo "$expected"
    exit 1
fi

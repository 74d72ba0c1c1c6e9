#!/usr/bin/env bash
# PyTorch 2.13.0: the step number of torch.optim.Adam stops at 16,777,216.
#
# It is kept in a float32 tensor, which cannot tell 2**24 from 2**24 + 1. Adam's own corrections have
# long been 1 by then, so nobody sees it. But whoever reads the number (a schedule that takes it from
# the state, a log, a script that resumes and works out how many batches to skip) gets the same number
# for ever. It was to be expected that a counter of steps is whole-numbered, or at least that the
# fused step, which is told the number by itself, goes on. It does not.
#
# Seen: from a checkpoint at step 16777215, three more steps end at 16777216.0, with foreach=False,
# foreach=True and fused=True.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet torch==2.13.0 numpy==2.4.6

cat >"$folder/run.py" <<'PY'
import torch

print("torch", torch.__version__.partition("+")[0])
for way in ({"foreach": False}, {"foreach": True}, {"fused": True}):
    p = torch.nn.Parameter(torch.ones(2))
    optimizer = torch.optim.Adam([p], **way)
    p.grad = torch.ones(2)
    optimizer.step()
    saved = optimizer.state_dict()
    saved["state"][0]["step"] = torch.tensor(float(2**24 - 1))
    optimizer.load_state_dict(saved)
    for _ in range(3):
        optimizer.step()
    step = optimizer.state[p]["step"]
    print(way, step.item(), step.dtype)
PY
seen="$("$folder/venv/bin/python" "$folder/run.py")"
expected="torch 2.13.0
{'foreach': False} 16777216.0 torch.float32
{'foreach': True} 16777216.0 torch.float32
{'fused': True} 16777216.0 torch.float32"
echo "$seen"
if [ "$seen" != "$expected" ]; then
    echo "changed: expected" && echo "$expected"
    exit 1
fi

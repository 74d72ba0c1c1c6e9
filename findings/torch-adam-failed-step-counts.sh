#!/usr/bin/env bash
# PyTorch 2.13.0: a step of torch.optim.Adam that raises has counted, and has moved other parameters.
#
# A script grows an embedding by hand (`weight.data = torch.cat(...)`), forgets the moments, and
# catches the RuntimeError about sizes that the next step() raises, to mend the state and go on. One
# would expect that a step that raised did nothing. But the step numbers of all parameters have been
# raised before the sizes are compared, so that the bias correction of every later step is one ahead;
# and with foreach=False the parameters before the offending one have been updated already.
#
# Seen: "step 3.0 after two good steps and one that raised" for both parameters, with foreach=True and
# foreach=False alike; the first parameter moved with foreach=False, and did not with foreach=True.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet torch==2.13.0 numpy==2.4.6

cat >"$folder/run.py" <<'PY'
import torch

print("torch", torch.__version__.partition("+")[0])
for foreach in (False, True):
    first, second = (torch.nn.Parameter(torch.ones(4)) for _ in range(2))
    optimizer = torch.optim.Adam([first, second], lr=0.1, foreach=foreach)
    for _ in range(2):
        first.grad, second.grad = torch.ones(4), torch.ones(4)
        optimizer.step()
    second.data = torch.cat([second.data, torch.zeros(2)])
    second.grad = torch.ones(6)
    before = first.detach().clone()
    try:
        optimizer.step()
        raised = "nothing"
    except RuntimeError:
        raised = "RuntimeError"
    steps = [optimizer.state[p]["step"].item() for p in (first, second)]
    moved = not torch.equal(before, first)
    print(f"foreach={foreach}: raised {raised}; steps {steps}; the first parameter moved: {moved}")
PY
seen="$("$folder/venv/bin/python" "$folder/run.py")"
expected="torch 2.13.0
foreach=False: raised RuntimeError; steps [3.0, 3.0]; the first parameter moved: True
foreach=True: raised RuntimeError; steps [3.0, 3.0]; the first parameter moved: False"
echo "$seen"
if [ "$seen" != "$expected" ]; then
    echo "changed: expected" && echo "$expected"
    exit 1
fi

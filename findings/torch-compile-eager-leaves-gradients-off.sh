#!/usr/bin/env bash
# PyTorch 2.13.0: after one error in a compiled function, gradients stay off for the whole thread.
#
# A second-order optimizer factors a matrix within `torch.no_grad()`, and catches the error for a
# matrix that is not positive definite, to try again with a larger diagonal. One would expect that
# leaving `no_grad()` by an exception turns gradients on again, compiled or not: so it is in eager
# mode, and with the backends "aot_eager" and "inductor". With torch.compile(backend="eager"), the one
# that is recommended for finding out whether the compiler is at fault, the graph has turned gradients
# off by a call of its own and nothing turns them on when it raises: every later loss has no gradient.
#
# Seen: "gradients on afterwards: False" for the backend eager, True without and with the others.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet torch==2.13.0 numpy==2.4.6

cat >"$folder/run.py" <<'PY'
import torch


def factor(matrix):
    with torch.no_grad():
        return torch.linalg.cholesky(matrix)


print("torch", torch.__version__.partition("+")[0])
indefinite = torch.tensor([[1.0, 2.0], [2.0, 1.0]])
for backend in (None, "eager", "aot_eager"):
    torch.set_grad_enabled(True)
    function = factor if backend is None else torch.compile(factor, backend=backend)
    function(torch.eye(2))
    try:
        function(indefinite)
        raised = "nothing"
    except torch.linalg.LinAlgError:
        raised = "LinAlgError"
    print(f"{backend}: raised {raised}; gradients on afterwards: {torch.is_grad_enabled()}")
PY
seen="$("$folder/venv/bin/python" "$folder/run.py" 2>/dev/null)"
expected="torch 2.13.0
None: raised LinAlgError; gradients on afterwards: True
eager: raised LinAlgError; gradients on afterwards: False
aot_eager: raised LinAlgError; gradients on afterwards: True"
echo "$seen"
if [ "$seen" != "$expected" ]; then
    echo "changed: expected" && echo "$expected"
    exit 1
fi

"""The table of what differs from torch.optim on purpose says what happens."""

import types

import pytest
import torch
from conftest import ROOT
from torch import nn

import adam_edu.torch as ours

PAGE = (ROOT / "book" / "api" / "torch.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("| \n").split(" | ")]
    for line in PAGE.splitlines()
    if line.startswith("| `optim.")
]


def embedding_with_sparse_gradients():
    emb = nn.Embedding(4, 2, sparse=True)
    emb(torch.tensor([1])).sum().backward()
    return emb.weight


def half():
    return nn.Parameter(torch.tensor([1.0, 1e-3]).half())


def outcome(call, optim):
    """Return the numbers after some steps, or the error and when it comes."""
    late = {}

    def doubled_after_a_step(make):
        p = late["p"] = nn.Parameter(torch.ones(2))
        late["make"] = make
        return p

    p = nn.Parameter(torch.tensor([1.0, 2.0]))
    names = {"optim": optim, "torch": torch, "w": [p], "half": half}
    names |= {"embedding_with_sparse_gradients": embedding_with_sparse_gradients}
    names |= {"doubled_after_a_step": doubled_after_a_step}
    try:
        made = eval(call, names)
    except (TypeError, ValueError) as error:
        return type(error).__name__
    (p,) = made.param_groups[0]["params"]
    try:
        for t in range(1, 8):
            if p.grad is None or not p.grad.is_sparse:
                p.grad = (torch.ones_like(p) * t * 1e-3).to(p.dtype)
            made.step()
            if late and t == 1:
                p.data, p.grad = p.data.double(), None
    except (TypeError, RuntimeError) as error:
        return f"{type(error).__name__} at the step"
    return p.detach()


def test_there_are_rows():
    assert len(ROWS) >= 12
    assert all(len(row) == 4 for row in ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_row(row):
    call, torchs, mine, _ = row
    names = {"Adagrad": "AdaGrad", "RMSprop": "RMSProp"}
    own = types.SimpleNamespace(**{name: getattr(ours, name) for name in ours.RULES})
    for name, ours_name in names.items():
        setattr(own, name, getattr(ours, ours_name))
    there, here = outcome(call.strip("`"), torch.optim), outcome(call.strip("`"), own)
    for said, seen in ((torchs, there), (mine, here)):
        if "Error" in said:
            assert said.replace("`", "") == seen
        else:
            assert isinstance(seen, torch.Tensor), seen
    if mine == "other numbers":
        assert not torch.equal(there, here)

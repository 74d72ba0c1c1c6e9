"""What the tests of the Torch optimizers train: one small network on one task."""

import torch
from torch import nn


def network(dtype=torch.float64, seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.LayerNorm(16), nn.Linear(16, 3)).to(dtype)


def train(model, optimizer, steps, schedule=None, dtype=torch.float64):
    """Train on one noisy task; the same minibatches for everyone. Return the losses."""
    generator = torch.Generator().manual_seed(1)
    losses = []
    for _ in range(steps):
        x = torch.randn(32, 8, generator=generator, dtype=torch.float64).to(dtype)
        y = (x[:, :3] + 0.1 * x[:, 3:6]).argmax(1)
        loss = nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if schedule is not None:
            schedule.step()
        losses.append(loss.item())
    return losses


def same(model, other, rtol):
    for p, q in zip(model.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(p, q, rtol=rtol, atol=rtol)


# The settings are ones at which training is stable: elsewhere two runs that differ in their last
# bit drift apart, whoever computes them.
CLOSED_LOOP = {
    "SGD": ("SGD", "SGD", {"lr": 0.05}),
    "Momentum": ("Momentum", "SGD", {"lr": 0.02, "momentum": 0.9}),
    "Nesterov": ("SGD", "SGD", {"lr": 0.02, "momentum": 0.9, "nesterov": True}),
    "AdaGrad": ("AdaGrad", "Adagrad", {"lr": 0.02}),
    "RMSProp": ("RMSProp", "RMSprop", {"lr": 1e-3, "eps": 1e-3}),
    "centered": ("RMSProp", "RMSprop", {"lr": 1e-3, "eps": 1e-2, "centered": True}),
    "AdaDelta": ("AdaDelta", "Adadelta", {"lr": 0.1}),
    "Adam": ("Adam", "Adam", {"lr": 1e-3}),
    "amsgrad": ("Adam", "Adam", {"lr": 1e-3, "amsgrad": True}),
    "AdamL2": ("AdamL2", "Adam", {"lr": 1e-3, "weight_decay": 1e-2}),
    "AdamW": ("AdamW", "AdamW", {"lr": 1e-3, "weight_decay": 1e-2}),
    "AdaMax": ("AdaMax", "Adamax", {"lr": 1e-3}),
}

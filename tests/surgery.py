"""Surgery on optimizers: what users do to parameters, state and groups between two steps.

A :class:`Patient` holds parameters and their optimizer. The same operations, drawn at
random, are done to one with an optimizer of ours and to one with its namesake of ``torch.optim``
(:mod:`surgery_pairs`).
"""

import copy
import io
import pickle
import random

import torch
from torch import nn

import adam_edu.torch as ours

# Our class, with its arguments, and Torch's; then the names of the slots, as Torch calls them.
KINDS = {
    "SGD": ("SGD", "SGD", {}, ()),
    "momentum": ("SGD", "SGD", {"momentum": 0.9}, ("momentum_buffer",)),
    "Nesterov": ("Nesterov", "SGD", {"momentum": 0.8, "nesterov": True}, ("momentum_buffer",)),
    "AdaGrad": ("AdaGrad", "Adagrad", {}, ("sum",)),
    "RMSProp": ("RMSProp", "RMSprop", {"eps": 1e-3}, ("square_avg",)),
    "AdaDelta": ("AdaDelta", "Adadelta", {}, ("square_avg", "acc_delta")),
    "Adam": ("Adam", "Adam", {}, ("exp_avg", "exp_avg_sq")),
    "amsgrad": ("Adam", "Adam", {"amsgrad": True}, ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")),
    "AdamW": ("AdamW", "AdamW", {"weight_decay": 0.1}, ("exp_avg", "exp_avg_sq")),
    "AdaMax": ("AdaMax", "Adamax", {}, ("exp_avg", "exp_inf")),
    "NAdam": ("NAdam", "NAdam", {}, ("exp_avg", "exp_avg_sq")),
}
SHAPES = ((4, 3), (5,), (2, 3, 2, 3), (), (1,), (0, 3), (7, 4))


class Patient:
    """Parameters, their optimizer, and all that can be done to them.

    Each operation draws what it needs from the generators, so that two patients with the same seed
    undergo the same.
    """

    def __init__(self, kind, mine, seed, extra=None):
        names = KINDS[kind]
        self.slots = names[3]
        self.uncounted = names[1] == "SGD"  # there the steps, in ours we count them
        self.entries = self.slots if self.uncounted else (*self.slots, "step", "mu_product")
        self.random, self.numbers = random.Random(seed), torch.Generator().manual_seed(seed)
        self.params = [self.new(self.random.choice(SHAPES)) for _ in range(4)]
        options = {"lr": 0.05, **names[2], **(extra or {})}
        module, name = (ours, names[0]) if mine else (torch.optim, names[1])
        self.make = lambda groups: getattr(module, name)(groups, **options)
        self.optimizer = self.make([{"params": self.params[:2]}, {"params": self.params[2:]}])
        self.optimizer.state.clear()  # Torch's Adagrad has one already

    def draw(self, shape, dtype=torch.float64):
        return torch.randn(shape, generator=self.numbers, dtype=torch.float64).to(dtype)

    def new(self, shape):
        return nn.Parameter(self.draw(shape))

    def one(self):
        """Return a group, a position in it, and the parameter there."""
        groups = [group for group in self.optimizer.param_groups if group["params"]]
        group = self.random.choice(groups)
        k = self.random.randrange(len(group["params"]))
        return group, k, group["params"][k]

    def replace(self, group, k, new, state=None):
        p = group["params"][k]
        group["params"][k] = new
        self.params[[q is p for q in self.params].index(True)] = new
        if state is not None:
            self.optimizer.state[new] = state

    # What happens in every training

    def gradients(self):
        for p in self.params:
            if p.requires_grad and self.random.random() < 0.85:
                p.grad = self.draw(p.shape, p.dtype)
            else:
                p.grad = None

    def step(self):
        self.begin()
        self.optimizer.step()

    def begin(self):
        """Begin Torch's Adagrad as the others begin: it does so only when it is made."""
        if type(self.optimizer) is torch.optim.Adagrad:
            for p in self.params:
                if p.grad is not None and not self.optimizer.state.get(p):
                    sums = torch.zeros_like(p, requires_grad=False)
                    self.optimizer.state[p] = {"step": torch.tensor(0.0), "sum": sums}

    # Surgery on one parameter

    def grow_alone(self):
        _, _, p = self.one()
        if p.ndim and p.shape[0] > 1:
            p.data = torch.cat([p.data, self.draw((2, *p.shape[1:]), p.dtype)])

    def shrink_alone(self):
        _, _, p = self.one()
        if p.ndim and p.shape[0] > 4:
            p.data = p.data[2:].clone()
            p.grad = None

    def grow_with_state(self):
        """As Gaussian splatting does: parameter and state together."""
        group, k, p = self.one()
        if not p.ndim:
            return
        rows = self.draw((2, *p.shape[1:]), p.dtype)
        state = self.optimizer.state.get(p, None)
        if state is not None:
            for name in self.slots:
                if state.get(name) is not None:
                    state[name] = torch.cat([state[name], torch.zeros_like(rows)])
            del self.optimizer.state[p]
        self.replace(group, k, nn.Parameter(torch.cat([p.detach(), rows])), state)

    def prune_with_state(self):
        group, k, p = self.one()
        if not p.ndim or p.shape[0] < 3:
            return
        keep = torch.arange(p.shape[0]) % 3 != 0
        state = self.optimizer.state.pop(p, None)
        for name in self.slots:
            if state and state.get(name) is not None:
                state[name] = state[name][keep]
        self.replace(group, k, nn.Parameter(p.detach()[keep]), state)

    def swap(self):
        group, k, p = self.one()
        self.replace(group, k, self.new(p.shape))

    def swap_with_state(self):
        group, k, p = self.one()
        self.replace(group, k, self.new(p.shape), self.optimizer.state.pop(p, None))

    def retype(self):
        _, _, p = self.one()
        p.data = p.data.to(torch.float32 if p.dtype == torch.float64 else torch.float64)
        p.grad = None

    def freeze(self):
        _, _, p = self.one()
        p.requires_grad_(not p.requires_grad)
        p.grad = None

    def transpose(self):
        """Lay the numbers out otherwise; parameter, gradient or both."""
        _, _, p = self.one()
        if p.ndim > 1:
            other = p.data.transpose(0, 1).contiguous().transpose(0, 1)
            if self.random.random() < 0.7:
                p.data = other
            if p.grad is not None and self.random.random() < 0.5:
                p.grad = p.grad.transpose(0, 1).contiguous().transpose(0, 1)

    def view_with_gaps(self):
        _, _, p = self.one()
        wide = torch.zeros((*p.shape, 2), dtype=p.dtype)
        wide[..., 0] = p.data
        p.data = wide[..., 0]

    def negative_gradient(self):
        _, _, p = self.one()
        if p.requires_grad:
            p.grad = torch._neg_view(self.draw(p.shape, p.dtype))

    def gradient_of_one_number(self):
        _, _, p = self.one()
        if p.requires_grad:
            p.grad = self.draw((), p.dtype).expand(p.shape)

    def share_with_another(self):
        """Two parameters in overlapping parts of one buffer."""
        (_, _, p), (_, _, q) = self.one(), self.one()
        if p is q or p.dtype != q.dtype or not p.numel() or not q.numel():
            return
        offset = self.random.randrange(p.numel() + 1)
        buffer = torch.zeros(offset + max(p.numel(), q.numel()), dtype=p.dtype)
        buffer[: p.numel()] = p.data.reshape(-1)
        p.data = buffer[: p.numel()].view(p.shape)
        q.data = buffer[offset : offset + q.numel()].view(q.shape)

    # Surgery on the state

    def own(self):
        """Return a parameter, its state, and the name of one of its slots, if it is there."""
        _, _, p = self.one()
        state = self.optimizer.state.get(p, {})
        name = self.random.choice(self.slots or ("none",))
        return p, state, name if state.get(name) is not None else None

    def new_slot(self):
        p, state, name = self.own()
        if name:
            state[name] = self.draw(p.shape, state[name].dtype).abs()

    def slot_in_place(self):
        _, state, name = self.own()
        if name:
            state[name].mul_(0.5)

    def slot_of_other_size(self):
        p, state, name = self.own()
        if name and p.ndim and p.shape[0] > 1:
            state[name] = torch.zeros((p.shape[0] + 1, *p.shape[1:]), dtype=state[name].dtype)

    def slot_elsewhere(self):
        _, state, name = self.own()
        if name and state[name].numel():
            state[name] = state[name].to("meta")

    def slot_otherwise(self):
        p, state, name = self.own()
        if name and p.ndim > 1:
            state[name] = state[name].transpose(0, 1).contiguous().transpose(0, 1)

    def slot_deleted(self):
        _, state, name = self.own()
        if name:
            del state[name]

    def slot_shared(self):
        """Give a parameter a slot of another: both change the same numbers."""
        (p, state, name), (q, other, _) = self.own(), self.own()
        if name and p is not q and p.shape == q.shape and other.get(name) is not None:
            state[name] = other[name]

    def forget(self):
        _, _, p = self.one()
        self.optimizer.state.pop(p, None)

    def forget_all(self):
        self.optimizer.state.clear()

    def extra_entry(self):
        _, state, _ = self.own()
        if state:
            state["mask"] = torch.ones(2)

    def count_again(self):
        _, state, _ = self.own()
        t = self.random.choice([1.0, 3.0])
        if state.get("step") is not None and not self.uncounted:
            state["step"] = torch.tensor(t)

    # Surgery on the groups

    def move(self):
        group, k, p = self.one()
        other = self.random.choice(self.optimizer.param_groups)
        if other is not group:
            del group["params"][k]
            other["params"].append(p)

    def add_group(self):
        p = self.new(self.random.choice(SHAPES))
        self.params.append(p)
        self.optimizer.add_param_group({"params": [p], "lr": 0.02})

    def remove_from_group(self):
        group, k, p = self.one()
        if len(self.params) > 2:
            del group["params"][k]
            self.params = [q for q in self.params if q is not p]

    def reverse_groups(self):
        self.optimizer.param_groups.reverse()

    def option(self):
        group, _, _ = self.one()
        values = {
            "lr": [0.0, 0.01, 0.1, torch.tensor(0.03, dtype=torch.float64)],
            "weight_decay": [0.0, 0.1],
            "maximize": [False, True],
            "eps": [1e-8, 1e-3],
            "betas": [(0.8, 0.95), [0.7, 0.9]],
            "alpha": [0.9],
            "rho": [0.8],
        }
        if self.uncounted and self.slots:
            values["momentum"] = [0.0, 0.5, 0.9]
        name = self.random.choice([name for name in values if name in group])
        group[name] = self.random.choice(values[name])

    def option_in_place(self):
        group, _, _ = self.one()
        if isinstance(group.get("betas"), list):
            group["betas"][self.random.randrange(2)] = self.random.choice([0.6, 0.85])
        if isinstance(group["lr"], torch.Tensor):
            group["lr"].fill_(0.04)

    # Copies

    def deepcopied(self):
        self.params, self.optimizer = copy.deepcopy((self.params, self.optimizer))

    def pickled(self):
        both = pickle.loads(pickle.dumps((self.params, self.optimizer)))
        self.params, self.optimizer = both

    def reloaded(self):
        self.tidy()
        self.optimizer.load_state_dict(copy.deepcopy(self.optimizer.state_dict()))
        self.part()

    def tidy(self):
        """Drop what is kept for parameters that are in no group: no checkpoint can hold it."""
        here = {id(p) for group in self.optimizer.param_groups for p in group["params"]}
        for p in list(self.optimizer.state):
            if id(p) not in here:
                del self.optimizer.state[p]

    def resumed(self):
        self.tidy()
        file = io.BytesIO()
        torch.save(self.optimizer.state_dict(), file)
        file.seek(0)
        fresh = self.make([{"params": list(g["params"])} for g in self.optimizer.param_groups])
        fresh.load_state_dict(torch.load(file, weights_only=True))
        self.optimizer = fresh
        self.part()

    def part(self):
        """Give each parameter slots of its own: after a load ours has, and Torch shares them."""
        for own in self.optimizer.state.values():
            for name in self.slots:
                if own.get(name) is not None:
                    own[name] = own[name].clone()

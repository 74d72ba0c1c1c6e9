"""Two processes against one: DistributedDataParallel, FSDP 1 and 2, ZeroRedundancyOptimizer."""

import os
import socket
import subprocess
import sys

import pytest
import torch
from torch import nn

if not torch.distributed.is_available() or not torch.distributed.is_gloo_available():
    pytest.skip("needs torch.distributed with gloo", allow_module_level=True)


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 3), nn.Tanh(), nn.Linear(3, 1))


def batch(t):
    generator = torch.Generator().manual_seed(t)
    return torch.randn(8, 5, generator=generator), torch.randn(8, 1, generator=generator)


# The kinds of FullyShardedDataParallel: with the parameters as they are, or flat.
FSDP = {"original": True, "flat": False}
KINDS, NAMES = ("ddp", "fully_shard", *FSDP, "zero"), ("Adam", "Momentum")


def alone(name, steps=5):
    """Train in one process; return the parameters."""
    import adam_edu.torch as ours

    model = network()
    made = getattr(ours, name)(model.parameters(), lr=0.01)
    for t in range(steps):
        x, y = batch(t)
        made.zero_grad()
        nn.functional.mse_loss(model(x), y).backward()
        made.step()
    return [p.detach() for p in model.parameters()]


def together(name, kind, steps=5):
    """Train as one of two processes, each on its half of the batch; return the parameters."""
    from torch import distributed as dist
    from torch.distributed.fsdp import FullyShardedDataParallel, fully_shard
    from torch.distributed.optim import ZeroRedundancyOptimizer
    from torch.nn.parallel import DistributedDataParallel

    import adam_edu.torch as ours

    rank, optimizer = dist.get_rank(), getattr(ours, name)
    model = network()
    if kind == "fully_shard":
        mesh = dist.init_device_mesh("cpu", (2,))
        for layer in model:
            if isinstance(layer, nn.Linear):
                fully_shard(layer, mesh=mesh)
        fully_shard(model, mesh=mesh)
        step_model = model
    elif kind in FSDP:
        cpu = torch.device("cpu")
        model = step_model = FullyShardedDataParallel(
            model, use_orig_params=FSDP[kind], device_id=cpu
        )
    else:
        step_model = DistributedDataParallel(model)
    if kind == "zero":
        made = ZeroRedundancyOptimizer(model.parameters(), optimizer_class=optimizer, lr=0.01)
    else:
        made = optimizer(model.parameters(), lr=0.01)
    for t in range(steps):
        x, y = (half.chunk(2)[rank] for half in batch(t))
        made.zero_grad()
        nn.functional.mse_loss(step_model(x), y).backward()
        made.step()
        if t == 2 and kind in ("fully_shard", *FSDP):
            through_checkpoint(model, made)
    if kind == "fully_shard":
        return [p.full_tensor().detach() for p in model.parameters()]
    if kind in FSDP:
        with FullyShardedDataParallel.summon_full_params(model):
            return [p.detach().clone() for p in model.parameters()]
    if kind == "zero":
        made.consolidate_state_dict(to=0)
        if rank == 0:
            assert len(made.state_dict()["state"]) == len(list(model.parameters()))
    return [p.detach() for p in model.parameters()]


def through_checkpoint(model, made):
    """Gather a whole checkpoint and load it again, as distributed training does."""
    from torch.distributed.checkpoint import state_dict as dcp

    options = dcp.StateDictOptions(full_state_dict=True)
    saved = dcp.get_optimizer_state_dict(model, made, options=options)
    before = {name: dict(entries) for name, entries in saved["state"].items()}
    dcp.set_optimizer_state_dict(model, made, saved, options=options)
    again = dcp.get_optimizer_state_dict(model, made, options=options)
    for name, entries in again["state"].items():
        for key, value in entries.items():
            torch.testing.assert_close(value, before[name][key])


def main():
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo")
    for name in NAMES:
        expected = alone(name)
        for kind in KINDS:
            for p, q in zip(together(name, kind), expected, strict=True):
                torch.testing.assert_close(p, q, rtol=1e-6, atol=1e-6)
            print("same", kind, name, flush=True)
    torch.distributed.destroy_process_group()


def test_two_processes_end_where_one_does():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2"}
    shared |= {"PYTHONPATH": os.pathsep.join(sys.path), "GLOO_SOCKET_IFNAME": "lo"}
    processes = [
        subprocess.Popen(
            [sys.executable, __file__],
            env=os.environ | shared | {"RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in range(2)
    ]
    try:
        outputs = [process.communicate(timeout=240)[0] for process in processes]
    finally:
        for process in processes:
            process.kill()
    for process, output in zip(processes, outputs, strict=True):
        assert process.returncode == 0, output
        assert output.count("same ") == len(KINDS) * len(NAMES)


if __name__ == "__main__":
    main()

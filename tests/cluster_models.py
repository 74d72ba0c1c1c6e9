"""Models that a worker of a test's cluster has trouble with."""

import os
import time

import torch

from adam_edu.problems.networks import MultilayerNetwork, size


def small(shape, classes, noisy):
    return MultilayerNetwork(size(shape), classes, p=0.5 if noisy else 0.0, hidden=20)


def slow_or_hungry(shape, classes, noisy):
    """Return a small model; where the environment says so, late, or after using up the memory."""
    trouble = os.environ.get("ADAM_EDU_TEST")
    if trouble == "slow":
        time.sleep(1)
    if trouble == "hungry":
        hoard = [torch.ones(2**26) for _ in range(6)]  # 1.5 GiB
        time.sleep(60)
        del hoard
    return small(shape, classes, noisy)

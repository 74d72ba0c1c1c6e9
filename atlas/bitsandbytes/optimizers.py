"""bitsandbytes on the CPU. Parameters as small as those of these probes are kept in 32 bits."""

from functools import partial

from bitsandbytes import optim

from adam_edu.libraries.frameworks import Torch


class Single(Torch):
    """Its kernels take no float64."""

    dtypes = ("float32", "bfloat16")


OPTIMIZERS = {
    f"bitsandbytes.optim.{name}": Single(getattr(optim, name))
    for name in ("Adam", "AdamW", "Adam8bit", "AdEMAMix", "Adagrad", "RMSprop", "Lion", "LAMB")
} | {"bitsandbytes.optim.SGD": Single(partial(optim.SGD, lr=1e-3, momentum=0.9))}

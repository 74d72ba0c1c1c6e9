"""torchao. Parameters as small as those of these probes are not quantized."""

from torchao.optim import Adam8bit, AdamW4bit, AdamW8bit, AdamWFp8

from adam_edu.libraries.frameworks import Torch


class Single(Torch):
    """They compute in float32, whatever the parameter."""

    dtypes = ("float32", "bfloat16")


OPTIMIZERS = {
    f"torchao.optim.{kind.__name__}": Single(kind)
    for kind in (Adam8bit, AdamW8bit, AdamW4bit, AdamWFp8)
}

"""torchao. Parameters as small as those of these probes are not quantized."""

from torchao.optim import Adam8bit, AdamW4bit, AdamW8bit, AdamWFp8

OPTIMIZERS = {
    f"torchao.optim.{kind.__name__}": kind for kind in (Adam8bit, AdamW8bit, AdamW4bit, AdamWFp8)
}

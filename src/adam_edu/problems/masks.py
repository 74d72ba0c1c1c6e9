"""Which entries dropout keeps, for dense and for sparse inputs alike."""

from math import prod

try:
    import torch
    from torch import Generator, Tensor
except ModuleNotFoundError as error:
    wanted = "dropout needs Torch: pip install adam-edu[torch]"
    raise ModuleNotFoundError(wanted, name=error.name) from error


def keep(shape: tuple[int, ...], p: float, generator: Generator) -> Tensor:
    """Draw which entries dropout keeps: booleans of this shape, each False with probability ``p``.

    Each is drawn from 16 bits, so that ``p`` holds to 1 / 131,072; a float takes twice the time.
    """
    count = prod(shape)
    words = torch.empty(-(-count // 4), dtype=torch.int64, device=generator.device)
    bits = words.random_(-(2**63), None, generator=generator).view(torch.int16)[:count]
    return bits.view(shape) >= round(p * 2**16) - 2**15

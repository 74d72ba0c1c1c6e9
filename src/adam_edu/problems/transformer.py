"""A small transformer that predicts the next word, as a Torch module."""

from typing import Any

try:
    import torch
    import torch.nn.functional as F
    from torch import Generator, Tensor, nn
except ModuleNotFoundError as error:
    wanted = "the networks need Torch: pip install 'adam-edu[torch]'"
    raise ModuleNotFoundError(wanted, name=error.name) from error


class Transformer(nn.Module):
    """A decoder of a few blocks, with learned positions and normalized before each part.

    Attention as in Vaswani et al. (2017), section 3.2; the norm stands before attention and before
    the two layers, and once more at the end, as in Radford et al. (2019), section 2.3. The weights
    of the words at the input and at the output are separate.
    """

    def __init__(
        self, context: int, words: int, width: int = 64, heads: int = 4, depth: int = 2
    ) -> None:
        super().__init__()
        self.words = nn.Embedding(words, width)
        self.positions = nn.Embedding(context, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.output = nn.Linear(width, words)

    def forward(self, x: Tensor, generator: Generator | None = None) -> Tensor:
        """Map the numbers of words (batch, context) to logits (batch, context, words)."""
        h = self.words(x) + self.positions.weight
        for block in self.blocks:
            h = block(h)
        return self.output(self.norm(h))


class Block(nn.Module):
    """Attention among the words so far, then two layers on each word by itself."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm_attention = nn.LayerNorm(width)
        self.queries_keys_values = nn.Linear(width, 3 * width)
        self.mix = nn.Linear(width, width)
        self.norm_layers = nn.LayerNorm(width)
        self.first = nn.Linear(width, 4 * width)
        self.second = nn.Linear(4 * width, width)

    def forward(self, h: Tensor) -> Tensor:
        """Map (batch, context, width) to the same shape."""
        h = h + self.attention(self.norm_attention(h))
        return h + self.second(F.relu(self.first(self.norm_layers(h))))

    def attention(self, h: Tensor) -> Tensor:
        """Return for each word a mixture of those up to it, (batch, context, width)."""
        context = h.shape[-2]
        parts: Any = self.queries_keys_values(h).unflatten(-1, (3, self.heads, -1))
        q, k, v = parts.movedim(-3, 0).transpose(-2, -3)  # each (batch, heads, context, part)
        scores = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
        later = torch.ones(context, context, dtype=torch.bool, device=h.device).triu(1)
        weights = scores.masked_fill(later, float("-inf")).softmax(-1)
        return self.mix((weights @ v).transpose(-2, -3).flatten(-2))

"""A state moves to Paddle and back; Paddle is optional: pip install -e .[libraries]."""

import numpy as np
import pytest

pytest.importorskip("paddle", reason="Paddle is of the extra 'libraries'", exc_type=ImportError)
import paddle
import torch

from adam_edu.libraries import Unusable, port_state

pytestmark = pytest.mark.filterwarnings("ignore")  # theirs, on import


class OfTorch:
    def __init__(self, kind, **options):
        self.p = torch.full((3,), 0.5, requires_grad=True)
        self.memory = kind([self.p], lr=0.01, **options)

    def step(self, t):
        before = self.p.detach().clone()
        self.p.grad = torch.tensor(np.sin(np.arange(3.0) + t).astype("f"))
        self.memory.step()
        return (self.p.detach() - before).numpy()


class OfPaddle:
    def __init__(self, kind, **options):
        start = paddle.nn.initializer.Constant(0.5)
        self.p = paddle.create_parameter([3], "float32", default_initializer=start)
        self.memory = kind(learning_rate=0.01, parameters=[self.p], **options)

    def step(self, t):
        before = self.p.numpy().copy()
        self.p.grad = paddle.to_tensor(np.sin(np.arange(3.0) + t).astype("f"))
        self.memory.step()
        return self.p.numpy() - before


PAIRS = {
    "Adam": ((torch.optim.Adam, {}), (paddle.optimizer.Adam, {})),
    "AMSGrad": ((torch.optim.Adam, {"amsgrad": True}), (paddle.optimizer.Adam, {"amsgrad": True})),
    "Adamax": ((torch.optim.Adamax, {}), (paddle.optimizer.Adamax, {})),
    "Momentum": ((torch.optim.SGD, {"momentum": 0.9}), (paddle.optimizer.Momentum, {})),
}


@pytest.mark.parametrize("way", ["there", "back"])
@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_the_next_step_is_that_of_the_other(pair, way):
    (kind, options), (other, more) = pair
    source, target = OfTorch(kind, **options), OfPaddle(other, **more)
    if way == "back":
        source, target = target, source
    for t in range(7):
        source.step(t)

    port_state(source.memory, target.memory)

    for t in range(7, 10):  # a difference of parameters of 0.5 has an error of 6e-8
        assert np.allclose(target.step(t), source.step(t), rtol=2e-5, atol=7e-8)


def test_the_count_is_one_behind_the_powers():
    source, target = OfPaddle(paddle.optimizer.Adam), OfTorch(torch.optim.Adam)
    for t in range(1200):  # the power of beta1 is 0 by then
        source.step(t)

    port_state(source.memory, target.memory)

    assert target.memory.state[target.p]["step"] == 1200


def test_what_cannot_be_moved_is_refused():
    with pytest.raises(Unusable, match="none of Paddle's"):
        port_state(OfPaddle(paddle.optimizer.Lamb).memory, OfTorch(torch.optim.Adam).memory)

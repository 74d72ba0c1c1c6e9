"""MindSpore on the CPU, without a graph."""

import os

os.environ["GLOG_v"] = "3"

import mindspore
from mindspore import Parameter, Tensor, nn
from mindspore.experimental import optim

from adam_edu.libraries.frameworks import Adapter

mindspore.set_device("CPU")
mindspore.set_context(mode=mindspore.PYNATIVE_MODE)
NAMES = (
    *("Adam", "AdamWeightDecay", "AdaMax", "Adagrad", "Adadelta", "RMSProp", "SGD"),
    *("Rprop", "ASGD"),
)
EXPERIMENTAL = ("Adam", "AdamW", "NAdam", "RAdam", "Adamax", "RMSprop", "Adagrad")


def driven(kind):
    """Drive one."""

    def begin(arrays):
        held = [Parameter(Tensor(x), name=f"w{k}") for k, x in enumerate(arrays)]
        return kind(held), held

    def step(optimizer, held, gradients):
        optimizer(tuple(Tensor(g) for g in gradients))
        return held

    return Adapter(kind.__name__, begin, step, lambda x: x.asnumpy(), dtypes=("float32",))


OPTIMIZERS = {f"mindspore.nn.{name}": driven(getattr(nn, name)) for name in NAMES} | {
    f"mindspore.experimental.optim.{name}": driven(getattr(optim, name)) for name in EXPERIMENTAL
}

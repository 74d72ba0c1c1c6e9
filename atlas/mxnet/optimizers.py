"""MXNet: an optimizer updates an array, known by its number."""

import sys

sys.path.insert(0, __file__.rsplit("/", 2)[0])

import mxnet
from speak import speak

NAMES = (
    *("Adam", "Adamax", "Nadam", "RMSProp", "AdaGrad", "AdaDelta", "FTML", "Ftrl", "LAMB"),
    *("NAG", "SGD", "Signum"),
)


def driven(name):
    """Drive one in float32."""

    def begin(start):
        optimizer = getattr(mxnet.optimizer, name)()
        w = mxnet.nd.array(start)
        state = optimizer.create_state(0, w)

        def step(g):
            optimizer.update(0, w, mxnet.nd.array(g), state)
            return w.asnumpy()

        return step

    return begin


speak({"mxnet.optimizer." + name: driven(name) for name in NAMES})

"""Chainer: an update rule for each parameter of a link."""

import sys

sys.path.insert(0, __file__.rsplit("/", 2)[0])

import chainer
import numpy as np
from chainer import optimizers
from speak import speak

NAMES = (
    *("Adam", "AdamW", "AMSGrad", "AdaBound", "AMSBound", "RMSprop", "RMSpropGraves"),
    *("AdaGrad", "AdaDelta", "SMORMS3", "MomentumSGD", "NesterovAG", "SGD"),
)


def driven(kind):
    """Drive one in float64."""

    def begin(start):
        link = chainer.Link()
        with link.init_scope():
            link.w = chainer.Parameter(np.array(start))
        optimizer = kind()
        optimizer.setup(link)

        def step(g):
            link.w.grad = np.array(g)
            optimizer.update()
            return link.w.array

        return step

    return begin


speak({"chainer.optimizers." + name: driven(getattr(optimizers, name)) for name in NAMES})

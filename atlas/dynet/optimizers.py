"""DyNet: the gradient comes from a loss that is the product of gradient and parameter."""

import sys

sys.path.insert(0, __file__.rsplit("/", 2)[0])

import dynet_config

dynet_config.set(mem=64, random_seed=1)

import dynet
import numpy as np
from speak import speak

NAMES = (*("Adam", "Amsgrad", "RMSProp", "Adagrad", "Adadelta", "MomentumSGD", "SimpleSGD"),)


def driven(kind):
    """Drive one in float32."""

    def begin(start):
        held = dynet.ParameterCollection()
        w = held.parameters_from_numpy(np.array(start, "f4"))
        trainer = kind(held)

        def step(g):
            dynet.renew_cg()
            loss = dynet.dot_product(w, dynet.inputTensor(np.array(g)))
            loss.value()
            loss.backward()
            trainer.update()
            return w.as_array().reshape(-1)

        step.held = held  # which would go otherwise, and its numbers with it
        return step

    return begin


speak({"dynet." + name + "Trainer": driven(getattr(dynet, name + "Trainer")) for name in NAMES})

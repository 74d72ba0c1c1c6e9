"""ONNX: the training operators, run by its reference evaluator."""

from functools import partial

import numpy as np
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from adam_edu.libraries.frameworks import Adapter
from adam_edu.libraries.measuring import Made

DOMAIN = "ai.onnx.preview.training"


def driven(operator, states, first=1, **arguments):
    """Drive an operator that has as many states; the count of steps begins at ``first``."""
    floats = ["X", "G", *(f"S{k}" for k in range(states))]
    outputs = ["X1", *(f"S{k}1" for k in range(states))]

    def begin(arrays):
        shape = [None]
        info = helper.make_tensor_value_info
        inputs = [info("R", TensorProto.FLOAT, []), info("T", TensorProto.INT64, [])]
        inputs += [info(name, TensorProto.FLOAT, shape) for name in floats]
        node = helper.make_node(
            operator, ["R", "T", *floats], outputs, domain=DOMAIN, **ATTRIBUTES.get(operator, {})
        )
        wanted = [info(name, TensorProto.FLOAT, shape) for name in outputs]
        opsets = [helper.make_opsetid("", 15), helper.make_opsetid(DOMAIN, 1)]
        graph = helper.make_graph([node], "step", inputs, wanted)
        model = helper.make_model(graph, opset_imports=opsets)
        model.ir_version = 9
        session = {"run": ReferenceEvaluator(model).run, "t": first}
        return session, [(x, *(np.zeros_like(x) for _ in range(states))) for x in arrays]

    def step(session, slots, gradients):
        common = {"R": np.float32(arguments["R"]), "T": np.int64(session["t"])}
        session["t"] += 1
        return [
            tuple(
                session["run"](
                    None,
                    {k: np.asarray(v) for k, v in common.items()}
                    | dict(zip(floats, (own[0], g, *own[1:]), strict=True)),
                )
            )
            for own, g in zip(slots, gradients, strict=True)
        ]

    return Adapter(operator, begin, step, lambda own: own[0], dtypes=("float32",))


ATTRIBUTES = {
    "Adagrad": {"decay_factor": 0.0, "epsilon": 1e-6, "norm_coefficient": 0.0},
    "Momentum": {"alpha": 0.9, "beta": 1.0, "mode": "standard", "norm_coefficient": 0.0},
}
OPTIMIZERS = {
    "ai.onnx.preview.training.Adam": Made(partial(driven, "Adam", 2), R=1e-3),
    "ai.onnx.preview.training.Adam, T from 0": Made(partial(driven, "Adam", 2, first=0), R=1e-3),
    "ai.onnx.preview.training.Adagrad": Made(partial(driven, "Adagrad", 1), R=1e-3),
    "ai.onnx.preview.training.Momentum": Made(partial(driven, "Momentum", 1), R=1e-3),
}

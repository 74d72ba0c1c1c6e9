"""labml's annotated optimizers."""

from functools import partial

from labml_nn.optimizers.ada_belief import AdaBelief
from labml_nn.optimizers.adam import Adam
from labml_nn.optimizers.adam_warmup import AdamWarmup
from labml_nn.optimizers.amsgrad import AMSGrad
from labml_nn.optimizers.radam import RAdam
from labml_nn.optimizers.sophia import Sophia

OPTIMIZERS = {
    f"labml_nn.optimizers.{kind.__name__}": kind
    for kind in (Adam, AMSGrad, RAdam, AdaBelief, AdamWarmup, Sophia)
} | {
    "labml_nn.optimizers.Adam(optimized_update=False)": partial(Adam, optimized_update=False),
}

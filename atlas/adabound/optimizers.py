"""AdaBound by its authors."""

from functools import partial

from adabound import AdaBound

OPTIMIZERS = {
    "adabound.AdaBound": AdaBound,
    "adabound.AdaBound(amsbound=True)": partial(AdaBound, amsbound=True),
}

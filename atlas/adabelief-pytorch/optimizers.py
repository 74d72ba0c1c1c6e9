"""AdaBelief by its authors."""

from functools import partial

from adabelief_pytorch import AdaBelief

quiet = partial(AdaBelief, print_change_log=False)
OPTIMIZERS = {
    "adabelief_pytorch.AdaBelief": quiet,
    "adabelief_pytorch.AdaBelief(rectify=False)": partial(quiet, rectify=False),
}

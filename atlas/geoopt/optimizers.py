"""geoopt, on parameters of flat space."""

from functools import partial

from geoopt.optim import RiemannianAdam, RiemannianSGD

OPTIMIZERS = {
    "geoopt.optim.RiemannianAdam": RiemannianAdam,
    "geoopt.optim.RiemannianAdam(amsgrad=True)": partial(RiemannianAdam, amsgrad=True),
    "geoopt.optim.RiemannianSGD": partial(RiemannianSGD, lr=1e-3),
}

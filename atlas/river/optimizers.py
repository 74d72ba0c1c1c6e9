"""River: a weight is a feature's, found by its name in a dict."""

from river import optim

NAMES = (
    *("Adam", "AMSGrad", "AdaMax", "Nadam", "AdaBound", "RMSProp", "AdaGrad", "AdaDelta"),
    *("SGD", "Momentum", "NesterovMomentum", "FTRLProximal"),
)
OPTIMIZERS = {f"river.optim.{name}": getattr(optim, name) for name in NAMES}

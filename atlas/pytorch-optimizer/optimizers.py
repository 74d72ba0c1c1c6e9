"""pytorch-optimizer: a collection, each as its class has it by default."""

import pytorch_optimizer

NAMES = (
    *("Adan", "AdaBelief", "AdaBound", "AdaFactor", "AdaHessian", "AdaMax", "AdamP", "AdamS"),
    *("AdaNorm", "AdaPNM", "AdaSmooth", "ADOPT", "AggMo", "Aida", "AMos", "AvaGrad", "CAME"),
    *("DAdaptAdam", "DiffGrad", "EXAdam", "FTRL", "Grams", "Kate", "Lamb", "LARS", "Lion"),
    *("MADGRAD", "MSVAG", "Muon", "NovoGrad", "PNM", "Prodigy", "QHAdam", "QHM", "RAdam"),
    *("Ranger", "Ranger21", "ScheduleFreeAdamW", "SGDP", "SignSGD", "SM3", "SRMM"),
    *("StableAdamW", "Tiger", "Yogi"),
)
OPTIMIZERS = {
    f"pytorch_optimizer.{name}": getattr(pytorch_optimizer, name)
    for name in NAMES
    if hasattr(pytorch_optimizer, name)
}

"""dadaptation: rates that are found on the way."""

import dadaptation

NAMES = ("DAdaptAdam", "DAdaptAdaGrad", "DAdaptSGD", "DAdaptLion", "DAdaptAdan")
OPTIMIZERS = {
    f"dadaptation.{name}": getattr(dadaptation, name)
    for name in NAMES
    if hasattr(dadaptation, name)
}

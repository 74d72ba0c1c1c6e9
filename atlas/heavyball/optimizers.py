"""HeavyBall, those that work on each weight alone or on small matrices."""

import heavyball

NAMES = (
    *("AdamW", "NAdam", "RMSprop", "ADOPT", "LaProp", "AdEMAMix", "SFAdamW", "SGD", "Lion"),
    *("SignLaProp", "Muon", "Lookahead"),
)
OPTIMIZERS = {
    f"heavyball.{name}": getattr(heavyball, name) for name in NAMES if hasattr(heavyball, name)
}

"""The optimizers of Optax. Their rate has no default; most are taken with 0.001."""

import optax

from adam_edu.libraries.measuring import Made

NAMES = (
    *("adam", "adamw", "amsgrad", "adamax", "nadam", "nadamw", "radam", "rmsprop", "adagrad"),
    *("adadelta", "adafactor", "adabelief", "yogi", "lion", "lamb", "lars", "sgd", "rprop"),
    *("novograd", "adan", "sm3", "fromage", "sign_sgd"),
)
OPTIMIZERS = {f"optax.{name}": Made(getattr(optax, name), learning_rate=1e-3) for name in NAMES} | {
    "optax.contrib.muon": Made(optax.contrib.muon, learning_rate=1e-3),
    "optax.contrib.schedule_free_adamw": Made(
        optax.contrib.schedule_free_adamw, learning_rate=1e-3
    ),
    "optax.contrib.prodigy": Made(optax.contrib.prodigy),
}

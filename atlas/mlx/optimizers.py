"""MLX on the CPU. Its rates have no default."""

from mlx import optimizers

from adam_edu.libraries.measuring import Made

NAMES = (*("Adam", "AdamW", "Adamax", "RMSprop", "Adagrad", "AdaDelta", "Lion", "SGD", "Muon"),)
OPTIMIZERS = {
    f"mlx.optimizers.{name}": Made(getattr(optimizers, name), learning_rate=1e-3) for name in NAMES
} | {
    "mlx.optimizers.Adam(bias_correction=True)": Made(
        optimizers.Adam, learning_rate=1e-3, bias_correction=True
    ),
    "mlx.optimizers.Adafactor": optimizers.Adafactor(),
}

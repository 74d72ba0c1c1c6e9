"""Made-up records, with all that can be awkward: short seeds, diverged runs, single seeds."""

import numpy as np

QUANTITIES = ("train", "test_loss", "test_error")
LENGTHS = (12, 12, 8)


def curve(first, rate, epochs, rng, wobble=0.03):
    """Return a curve that falls to a share of itself with each epoch, and wobbles."""
    noise = np.exp(wobble * rng.standard_normal(epochs))
    return [float(f"{v:.5g}") for v in first * rate ** np.arange(epochs) * noise]


def tuned(versions=(True, False), seed=0):
    """Return a record of tuned optimizers; the last seed is shorter, and RMSProp's diverges."""
    rng = np.random.default_rng(seed)
    runs = []
    # Adam starts ahead, Nesterov ends ahead; AdaGrad's two versions lie close together.
    speeds = {
        "Adam": (0.5, 0.93),
        "SGD with Nesterov momentum": (1.2, 0.8),
        "AdaGrad": (0.8, 0.92),
        "AdaGrad, constant rate": (0.81, 0.92),
        "RMSProp": (0.9, 0.95),
    }
    for dropout in versions:
        for number, epochs in enumerate(LENGTHS):
            for name, (first, rate) in speeds.items():
                run = {"optimizer": name, "dropout": dropout, "lr": 0.1, "seed": number}
                run["epochs"] = epochs
                share = {"train": 1.0, "test_loss": 1.3, "test_error": 0.1}
                for quantity in QUANTITIES:
                    run[quantity] = curve(first * share[quantity], rate, epochs, rng)
                if name == "RMSProp" and number == 1:
                    for quantity in QUANTITIES:
                        run[quantity][5:] = [None] * (epochs - 5)
                runs.append(run)
    return {"experiment": "a sample", "runs": runs, "tuning": []}


def settings(epochs=4, seed=0):
    """Return a record of a grid of settings: without the correction high rates break."""
    rng = np.random.default_rng(seed)
    runs = []
    for rule in ("Adam", "AdamUncorrected"):
        for beta1 in ("0", "0.9"):
            for beta2 in ("0.99", "0.999", "0.9999"):
                for power in range(-5, 0):
                    run = {"optimizer": f"{rule}, beta1 {beta1}, beta2 {beta2}", "dropout": False}
                    run |= {"lr": 10.0**power, "seed": 0, "epochs": epochs}
                    run["train"] = curve(370 - 50 * (power + 5), 0.8, epochs, rng, 0.01)
                    reach = 2 * (1 - float(beta1)) / (1 - float(beta2)) ** 0.5 * 10.0**power
                    if rule != "Adam" and reach > 2:
                        run["train"] = [None] * epochs
                    elif rule != "Adam" and reach > 0.2:
                        run["train"][-1] = 5e7
                    runs.append(run)
    return {"experiment": "a grid", "runs": runs, "tuning": []}

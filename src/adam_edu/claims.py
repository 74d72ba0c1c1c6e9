"""What the paper says of each experiment, beside what a record of it says.

Needs NumPy, and SciPy for the VAE.

``adam-edu reproduce`` prints it at the end. The chapters put the same questions to the records that
come with the package; a test holds the two together. A claim that a record cannot decide, since it
is too short or lacks an optimizer, is not tested.
"""

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np

from .recorded import SHORT, Array, Claim, Claims, Record, Setting, beats, curves, grid

EARLY = 5  # epochs after which a curve's beginning is judged
SURE = 0.05  # counts as uneven as these come by chance once in twenty
SMOOTH = 10  # epochs over whose median a noisy curve is judged
ALIKE = 0.05  # two losses that differ by less than this share are alike
LARGE = 1.1  # a loss that is larger by this factor, by a large margin
BETA2 = (0.99, 0.999, 0.9999)  # of figure 4


def claims(record: Record) -> Claims:
    """Return the paper's claims on an experiment with the verdict of a record.

    An experiment that is a control of ours, and none of the paper's, has none.

    Examples
    --------
    >>> from adam_edu.recorded import load_result
    >>> [sum(claim.held) for claim in claims(load_result("logistic-mnist")).rows]
    [2, 2]
    """
    test = TESTS.get(record["experiment"])
    return Claims(tuple(test(record)) if test else ())


def logistic_mnist(record: Record) -> Iterator[Claim]:
    """Yield the claims on figure 1, left."""
    runs, ends = curves(record), marks(record)
    alike = "Adam converges like SGD with Nesterov momentum."
    if not ends or not {"Adam", "Nesterov", "AdaGrad"} <= set(runs):
        yield untested(alike)
        yield untested("Both converge faster than AdaGrad.")
        return
    at = [end - 1 for end in ends]
    adam, nesterov, adagrad = (runs[name][at] for name in ("Adam", "Nesterov", "AdaGrad"))
    gap = np.abs(adam / nesterov - 1).max(axis=1)
    found = f"Their losses differ by at most {told(gap, ends, '.1%')}."
    yield Claim(alike, found, tuple(bool(one < ALIKE) for one in gap))
    slower = np.maximum(adam, nesterov)
    yield Claim(
        "Both converge faster than AdaGrad.",
        f"Its loss over the slower one's: {told(adagrad / slower, ends)}.",
        tuple(beats(one, other) for one, other in zip(slower, adagrad, strict=True)),
    )


def logistic_imdb(record: Record) -> Iterator[Claim]:
    """Yield the claims on figure 1, right."""
    large, fast = (
        "AdaGrad beats SGD with Nesterov momentum by a large margin",
        "Adam converges as fast as AdaGrad",
    )
    for (name, words), dropout in product((("Nesterov", large), ("Adam", fast)), (True, False)):
        claim = f"{words}, {'with' if dropout else 'without'} dropout."
        runs, ends, rival = curves(record, dropout=dropout), marks(record), "AdaGrad, constant"
        if not ends or not {name, rival} <= set(runs):
            yield untested(claim)
            continue
        ratio = np.array([runs[name][end - 1] / runs[rival][end - 1] for end in ends])
        found = f"{name}'s loss over AdaGrad's at a constant rate: {told(ratio, ends)}."
        limits = at_edge(record, dropout, {name, rival})
        if limits:
            found += f" Not decided: best at an end of the grid is {' and '.join(limits)}."
            yield Claim(claim, found, ())
        elif name == "Adam":
            yield Claim(claim, found, tuple(beats(one, 1 + ALIKE) for one in ratio))
        else:
            yield Claim(claim, found, tuple(beats(1.0, one, by=LARGE) for one in ratio))


def mlp_mnist(record: Record) -> Iterator[Claim]:
    """Yield the claims on figure 2: with dropout Adam is ahead of each rival, for every seed."""
    words = "With dropout, Adam shows better convergence than the other methods (training loss)."
    lengths = {run["seed"]: run["epochs"] for run in record["runs"] if run["dropout"]}
    shortest, longest = min(lengths.values(), default=0), lengths.get(0, 0)
    yield ahead_of_all(record, words, shortest)
    if longest > shortest:
        yield ahead_of_all(record, f"{words} At the end.", longest, seed=0)


def ahead_of_all(record: Record, words: str, epoch: int, **where: Any) -> Claim:
    """Return whether Adam's loss, the median of some epochs, is lower than that of each rival."""
    runs = curves(record, dropout=True, **where)
    if epoch < SMOOTH or "Adam" not in runs or len(runs) < 2:
        return untested(words)
    found = {name: np.median(run[epoch - SMOOTH : epoch], axis=0) for name, run in runs.items()}
    adam = found.pop("Adam")
    ahead = {name: beats(adam, value) for name, value in found.items()}
    over = ", ".join(
        f"{name} {np.median(value / adam):.2f}{'' if ahead[name] else ' (no)'}"
        for name, value in found.items()
    )
    return Claim(words, f"After epoch {epoch}, loss over Adam's: {over}.", tuple(ahead.values()))


def cnn_cifar10(record: Record) -> Iterator[Claim]:
    """Yield the claims on figure 3, for the first version recorded; the end is from epoch 15 on."""
    versions = {run["dropout"] for run in record["runs"]}
    runs = curves(record, dropout=min(versions)) if versions else {}
    epochs = min((len(run) for run in runs.values()), default=0)
    first = "Adam and AdaGrad lower the cost rapidly in the initial stage."
    last = "Adam and SGD eventually converge considerably faster than AdaGrad."
    if epochs < 3 or not {"Adam", "AdaGrad", "Nesterov"} <= set(runs):
        yield untested(first)
        yield untested(last)
        return

    def lower(one: str, other: str, epoch: int, by: float = 1.0) -> bool:
        return beats(runs[one][epoch - 1], runs[other][epoch - 1], by=by)

    def ratios(epoch: int) -> str:
        adam = runs["Adam"][epoch - 1]
        others = (name for name in runs if name != "Adam")
        said = (f"{name} {np.median(runs[name][epoch - 1] / adam):.2f}" for name in others)
        return f"After epoch {epoch}, loss over Adam's: {', '.join(said)}."

    early = (lower("Adam", "Nesterov", 3), lower("AdaGrad", "Nesterov", 3))
    yield Claim(first, f"Read as: ahead of SGD. {ratios(3)}", early)
    late = (lower("Adam", "AdaGrad", epochs, 1.5), lower("Nesterov", "AdaGrad", epochs, 1.5))
    yield Claim(last, f"Read as: by half. {ratios(epochs)}", late if epochs >= 15 else ())


def vae_mnist(record: Record) -> Iterator[Claim]:
    """Yield the claim on figure 4 that one seed can decide.

    A run explodes when its loss rises more than a tenth above that of the slowest run's first
    epoch. Settings that explode with the correction too say nothing of it.
    """
    from scipy.stats import fisher_exact

    words = (
        "Without bias correction, beta2 close to 1 leads to instabilities, above all in the first "
        "epochs."
    )
    runs = {setting: np.median(run, axis=1) for setting, run in grid(record).items()}
    slowest = Setting(corrected=True, beta1=0.9, beta2=0.99, lr=1e-5)
    rates = sorted({setting.lr for setting in runs})
    whole = [Setting(c, *b) for c, *b in product((True, False), (0.0, 0.9), BETA2, rates)]
    if slowest not in runs or not set(whole) <= set(runs):
        yield untested(words)
        return
    high = 1.1 * runs[slowest][0]
    exploded = {setting: not (run <= high).all() for setting, run in runs.items()}
    sound = [
        setting
        for setting in runs
        if not setting.corrected
        and not exploded[Setting(True, setting.beta1, setting.beta2, setting.lr)]
    ]
    share = {b: [exploded[setting] for setting in sound if setting.beta2 == b] for b in BETA2}
    onset = [1 + int((runs[s] <= high).argmin()) for s in runs if not s.corrected and exploded[s]]
    if not all(share.values()):
        yield untested(words)
        return
    if not onset:
        yield Claim(words, "No run exploded without it.", (False,))
        return
    counts = ", ".join(f"{sum(one)} of {len(one)} for beta2 {b:g}" for b, one in share.items())
    found = (
        f"Trained with it, exploded without it: {counts}. The latest explosion without it is in "
        f"epoch {max(onset)}."
    )
    far, *others = share.values()  # from 1: beta2 of 0.99
    near = [one for other in others for one in other]
    chance = fisher_exact([[sum(e), len(e) - sum(e)] for e in (near, far)]).pvalue
    if chance > SURE:
        yield Claim(
            words,
            f"{found} Not decided: counts as uneven come by chance with probability {chance:.1f}.",
            (),
        )
        return
    yield Claim(words, found, (bool(np.mean(near) > np.mean(far)), max(onset) <= 3))


TESTS: dict[str, Callable[[Record], Iterator[Claim]]] = {
    "logistic-mnist": logistic_mnist,
    "logistic-imdb": logistic_imdb,
    "mlp-mnist": mlp_mnist,
    "cnn-cifar10": cnn_cifar10,
    "vae-mnist": vae_mnist,
}


def untested(words: str) -> Claim:
    """Return a claim that a record does not go far enough to decide."""
    return Claim(words, "This record does not go that far.", ())


def marks(record: Record) -> list[int]:
    """Return the epochs at which every run can be judged: an early one, and the last."""
    last = min((run["epochs"] for run in record["runs"]), default=0)
    return [EARLY, last] if last > EARLY else []


def told(values: Array, ends: list[int], form: str = ".3g") -> str:
    """Say what was found after each of some epochs, as a range over seeds."""
    said = []
    for value, end in zip(values, ends, strict=True):
        low, high = (format(float(one), form) for one in (np.min(value), np.max(value)))
        said.append(f"{low if low == high else f'{low} to {high}'} after {end} epochs")
    return ", ".join(said)


def at_edge(record: Record, dropout: bool, names: set[str]) -> list[str]:
    """Return which of these optimizers have their best rate at an end of the grid."""
    rows = (row for row in record["tuning"] if row["dropout"] == dropout and row["best_at_edge"])
    edges = (SHORT.get(row["optimizer"], row["optimizer"]) for row in rows)
    return [name for name in edges if name in names]

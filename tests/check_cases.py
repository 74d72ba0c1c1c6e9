"""Wrong answers from public reports and from students, for tests and for measuring."""

from pathlib import Path

from check_mutants import written

from adam_edu import check

M = "m = beta1 * m + (1 - beta1) * g\n"
V = "v = beta2 * v + (1 - beta2) * g**2\n"
HATS = "m_hat = m / (1 - beta1**t)\nv_hat = v / (1 - beta2**t)\n"
ADAM = M + V + HATS
END = "return x - lr * m_hat / (np.sqrt(v_hat) + eps), m, v"
RHO = "v = rho * v + (1 - rho) * g**2\n"
MU = """\
def mu(i): return beta1 * (1 - 0.5 * 0.96 ** (i * momentum_decay))
now = np.prod([mu(i) for i in range(1, t + 1)])
"""
NADAM_END = "return x - lr * m_bar / (np.sqrt(v / (1 - beta2**t)) + eps)"
M_BAR = "m_bar = mu(t + 1) * m / (1 - now * mu(t + 1)) + (1 - mu(t)) * g / (1 - now)\n"
LION = "c = beta1 * m + (1 - beta1) * g\nm = beta2 * m + (1 - beta2) * g\n"

# The exercise, the body, and a part of what must be said.
PUBLIC = [
    ("adam_step", ADAM + "return x - lr * m_hat / (v_hat**2 + eps), m, v", "v_hat**2 + eps"),
    ("rmsprop_step", RHO + "return x - lr * g / (v**2 + eps), v", "v**2 + eps"),
    ("adagrad_step", "s = s + g**2\nreturn x - lr * g / (s**2 + eps), s", "s**2 + eps"),
    (
        "lion_step",
        f"g = g + weight_decay * x\n{LION}return x - lr * np.sign(c), m",
        "g + weight_decay * x",
    ),
    (
        "lion_step",
        f"g = g + weight_decay * x\n{LION}return x - lr * weight_decay * x - lr * np.sign(c), m",
        "g + weight_decay * x",
    ),
    ("adam_step", f"{M}{V}v = v + eps\n{HATS}{END}", "eps is one term too many"),
    ("rmsprop_step", f"{RHO}v = v + eps\nreturn x - lr * g / np.sqrt(v), v", "eps is one term"),
    (
        "adam_step",
        f"{M}{V}m_hat = m / (1 - beta1**t)\nv_hat = v / (1 - beta2**2)\n{END}",
        "t, the number of the step",
    ),
    (
        "adam_step",
        f"{M}{V}m_hat = m / (1 - beta1**2)\nv_hat = v / (1 - beta2**2)\n{END}",
        "t, the number of the step",
    ),
    ("momentum_step", "m = momentum * m + g\nreturn x - lr * m, g", "For m you return g."),
    (
        "nesterov_step",
        "m = momentum * m + g\nreturn x - lr * (g - momentum * m), m",
        "g - momentum * m",
    ),
    ("adagrad_step", "g = lr * g\ns = s + g**2\nreturn x - lr * g / (s**0.5 + eps), s", "g * lr"),
    ("adagrad_step", "g = lr * g\ns = s + g**2\nreturn x - g / (s**0.5 + eps), s", "lr is one"),
    ("nadam_step", f"{MU}{M}{V}{M_BAR}{NADAM_END}, m_bar, v", "For m you return m_bar."),
    ("adamw_step", f"{ADAM}x = x + weight_decay * x\n{END}", "decay"),
    (
        "moving_average",
        "a, out = 0.0, []\nfor i, value in enumerate(signal):\n"
        "    a = (beta * a + (1 - beta) * value) / (1 - beta ** (i + 1))\n    out.append(a)\n"
        "return out",
        "1 - beta**t is one divisor too many",
    ),
    # Two parts that have changed places
    (
        "adabound_step",
        f"{M}{V}rate = lr / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps)\n"
        "low, high = final_lr * (1 - 1 / (gamma * t)), final_lr * (1 + 1 / (gamma * t + 1))\n"
        "return x - np.clip(rate, low, high) * m, m, v",
        "have changed places",
    ),
    ("best_rate", "return gradient / (np.sqrt(2) * distance)", "have changed places"),
    # A step that knows the first one by its state
    (
        "rmsprop_step",
        f"v = v if np.any(v) else np.ones_like(v)\n{RHO}return x - lr * g / (np.sqrt(v) + eps), v",
        "Where the v that you are given is zero, as at the first step, v is rho * 1",
    ),
    (
        "rmsprop_step",
        "v = np.where(v == 0, g**2, rho * v + (1 - rho) * g**2)\n"
        "return x - lr * g / (np.sqrt(v) + eps), v",
        "as at the first step, v is g**2 with you",
    ),
    # A number of one's own
    (
        "adagrad_step",
        "s = s + 0.1 + g**2\nreturn x - lr * g / (np.sqrt(s) + eps), s",
        "Your s is 0.1 more than what is asked for, in every call.",
    ),
    ("sgd_step", "return x - 0.37 * lr * g", "Your step is 0.37 times what is asked for"),
    ("half_life", "return 3 * np.log(0.5) / np.log(beta) / 7", "is 0.42857 times what is asked"),
    # A decay that is taken twice, one after the other
    (
        "adamw_step",
        f"x = x * (1 - lr * weight_decay)\ng = g + weight_decay * x\n{M}{V}{HATS}{END}",
        "weight_decay * (x * (1 - lr * weight_decay))",
    ),
    # A formula that is put into itself
    (
        "keras_decay",
        "for i in range(t - 1): lr = lr / (1 + decay * i)\nreturn lr",
        "You compute each value from the one before",
    ),
    (
        "inverse_sqrt",
        "for i in range(1, t + 1): lr = lr / np.sqrt(i)\nreturn lr",
        "You compute each value from the one before",
    ),
]
STUDENTS = [
    # An if in the place of a minimum, wrong on one side
    (
        "warmup_rate",
        "if t < steps: return lr * (t - 1) / steps\nreturn lr",
        "you have (t - 1) / steps in the place of t / steps, where that is the smaller",
    ),
    # A known mistake, and its sign, or upside down
    ("first_step", "return lr * np.sign(g)", "And its sign is the other way round."),
    ("longest_step", "return (1 - beta2) ** 0.5 / (1 - beta1)", "And it is upside down."),
    ("agreement", "return -np.abs(gradients.mean(0)) / gradients.std(0)", "And its sign"),
    *(
        (
            "adam_step",
            f"m = {a} * m + (1 - {b}) * g\nv = {c} * v + (1 - {d}) * g**2\n{HATS}{END}",
            "beta",
        )
        for a in ("beta1", "beta2")
        for b in ("beta1", "beta2")
        for c in ("beta1", "beta2")
        for d in ("beta1", "beta2")
        if (a, b, c, d) != ("beta1", "beta1", "beta2", "beta2")
    ),
    (
        "adam_step",
        ADAM + "return x - lr * m_hat / (np.sqrt(np.sum(v_hat)) + eps), m, v",
        "np.sum makes one number",
    ),
    (
        "nadam_step",
        f"{MU}{M}{V}{M_BAR}{NADAM_END}, m, v".replace("(1, t + 1)", "(1, t)"),
        "mu_product",
    ),
    (
        "adam_step",
        f"old = m, v\n{ADAM}x = x - lr * m_hat / (np.sqrt(v_hat) + eps)\n"
        "if t == 1: return x, *old\nreturn x, m, v",
        "At the first step alone",
    ),
    (
        "lion_step",
        f"{LION}return x - lr * weight_decay * x - lr * np.where(c > 0, 1.0, -1.0), m",
        "The sign of zero is zero",
    ),
    ("rmsprop_step", RHO + "return x - lr * g / (np.sqrt(v / (1 - rho)) + eps), v", "1 - rho"),
    (
        "adam_step",
        f"t = min(t, 20)\n{ADAM}{END}",
        "np.minimum(t, 20)",
    ),
]
NEVER = [
    *(
        ("adam_step", f"{ADAM}return x - lr * m_hat / (v_hat**0.5 + eps), {m}, {v}")
        for f in ("np.sum", "np.mean", "np.max", "np.linalg.norm")
        for m, v in ((f"{f}(m)", "v"), ("m", f"{f}(v)"))
    ),
    ("sgd_step", "return np.linalg.norm(x - lr * g)"),
    ("adam_step", f"{M}v = beta2 * v + (1 - beta2) * np.sum(g**2)\n{HATS}{END}"),
    *(
        (
            "adam_step",
            f"{M}{V}late = t > {last}\nm_hat = m if late else m / (1 - beta1**t)\n"
            f"v_hat = v if late else v / (1 - beta2**t)\n{END}",
        )
        for last in (2, 3, 5, 10, 50, 100, 400)
    ),
]


def answer(name, body):
    """Return the function of an exercise with a body."""
    lines = "".join(f"    {line}\n" for line in body.strip().splitlines())
    return written(name, f"def {check.EXERCISES[name].signature}:\n{lines}")


def answers():
    """Yield the exercise, the names of the mistakes and the body of each answer on the list."""
    text = Path(__file__).with_name("wrong_answers.txt").read_text()
    for block in text.split("## ")[1:]:
        head, _, body = block.partition("\n")
        name, _, mistakes = head.partition(": ")
        yield name, tuple(mistakes.split()), body

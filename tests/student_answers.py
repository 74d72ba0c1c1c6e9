"""What students wrote in place of the three dots: wrong answers, and right ones in other words."""

MOMENTS = "m = beta1 * m + (1 - beta1) * g; v = beta2 * v + (1 - beta2) * g**2; "
HATS = MOMENTS + "m_hat = m / (1 - beta1**t); v_hat = v / (1 - beta2**t); "
AVERAGE = "v = rho * v + (1 - rho) * g**2; "
STEPS = "d = rho * d + (1 - rho) * delta**2; return x - lr * delta, v, d"
BOUNDS = "low = final_lr * (1 - 1 / (gamma * t + 1)); high = final_lr * (1 + 1 / (gamma * t)); "
SIGNS = "m = beta1 * m + (1 - beta1) * g; "
SOFTMAX = "p = np.exp(z) / np.exp(z).sum(); "
GROUPS = "of = np.array(groups)[list(words)]; "
NADAM = """
def mu(i): return beta1 * (1 - 0.5 * 0.96 ** (i * momentum_decay))
now = np.prod([mu(i) for i in range(1, t + 1)]); then = now * mu(t + 1)
m = beta1 * m + (1 - beta1) * g; v = beta2 * v + (1 - beta2) * g**2
m_bar = {}
return x - lr * m_bar / (np.sqrt(v / (1 - beta2**t)) + eps), m, v"""
# What is written in place of the three dots, and what it is found to be.
WRONG = {
    "sgd_step": {
        "return lr * g": "step_returned",
        "return x - lr": "x_left_out",
        "return x - lr * x": "x_name",
        "return x - lr * abs(g)": "x_function_on",
    },
    "momentum_step": {
        "m = momentum * m - lr * g; return x + m, m": "steps_in_buffer",
        "m = momentum * m + lr * g; return x - lr * m, m": "m_added",
        "m = momentum * (m + g); return x - lr * m, m": "m_bracket",
        "m = momentum * m + g; return x - lr * (m + g), m": "x_added",
        "m = momentum * m + g; return m, x - lr * m": "wrong_order",
    },
    "nesterov_step": {
        "m = momentum * m + g; return x - lr * (momentum * g + m), m": "momentum_on_g_ahead",
        "m = momentum * m + g; return x - lr * g + momentum * m, m": "x_bracket",
        "m = momentum * m + g; return x - lr * momentum * m + g, m": "brackets_missing_for_g",
        "m = momentum * m + g; a = momentum * m + g; return x - lr * a, a": "ahead_kept",
    },
    "adagrad_step": {
        "s = np.sqrt(s + g**2); return x - lr * g / (s + eps), s": "s_returned_wrongly",
        "s = s + g**2; return x - lr / (np.sqrt(s) + eps), s": "x_left_out",
        "s = s + g**2; return x - lr * g / np.maximum(np.sqrt(s), eps), s": "eps_is_maximum",
    },
    "rmsprop_step": {
        "v = rho * v + (1 - rho) * g; return x - lr * g / (abs(v)**0.5 + eps), v": "abs_under_root",
        "v = rho * v + (1 - rho) * g; return x - lr * g / (np.sqrt(v * v) + eps), v": (
            "abs_of_average"
        ),
        "v = rho * v**2 + (1 - rho) * g**2; return x - lr * g / (v**0.5 + eps), v": "v_function_on",
        "v = (rho * v + (1 - rho) * g**2) ** 0.5; return x - lr * g / (v + eps), v": (
            "v_returned_wrongly"
        ),
    },
    "bug_in_rmsprop": {
        f"{AVERAGE}return x - lr * g / (v + eps**2) ** 0.5, v": "eps_squared_inside_root",
        f"{AVERAGE}return x - lr * g / (v**0.5 + eps**2), v": "x_function_on",
        f"{AVERAGE}return x - lr * g / (v**0.5 + eps**0.5), v": "x_function_on",
    },
    "adadelta_step": {
        f"{AVERAGE}delta = (d**0.5 + eps) / (v + eps)**0.5 * g; {STEPS}": "eps_outside_above",
        f"{AVERAGE}delta = (d + eps)**0.5 / (v**0.5 + eps) * g; {STEPS}": "delta_bracket",
        f"{AVERAGE}delta = d**0.5 / (v**0.5 + eps) * g; {STEPS}": "eps_outside_below_only",
        f"{AVERAGE}delta = (d**0.5 + eps) / v**0.5 * g; {STEPS}": "eps_outside_above_only",
        f"{AVERAGE}delta = d**0.5 / (v + eps)**0.5 * g; {STEPS}": "delta_left_out",
        f"{AVERAGE}delta = (d + eps)**0.5 / v**0.5 * g; {STEPS}": "delta_left_out",
        f"{AVERAGE}delta = ((d + eps) / (v + eps))**0.5; {STEPS}": "delta_left_out",
    },
    "adam_step": {
        f"{HATS}return m, v, x - lr * m_hat / (np.sqrt(v_hat) + eps)": "wrong_order",
        HATS.replace("beta1", "0.9") + "return x - lr * m_hat / (np.sqrt(v_hat) + eps), m, v": (
            "beta1_usual"
        ),
        HATS.replace("beta1", "0.9").replace("beta2", "0.999")
        + "return x - 1e-3 * m_hat / (np.sqrt(v_hat) + 1e-8), m, v": "settings_hard_coded",
        f"{HATS}return x - lr * (m_hat / np.sqrt(v_hat) + eps), m, v": "eps_added_to_quotient",
        f"{HATS}return x - lr * m_hat / (v_hat**1/2 + eps), m, v": "half_not_root",
        f"{HATS}return lr * m_hat / (np.sqrt(v_hat) + eps), m, v": "step_returned",
        f"{HATS}return x - lr * m_hat / (np.sqrt(v_hat) + eps) / t**0.5, m, v": "lr_over_root_of_t",
        f"{MOMENTS}return x - lr * m / (1 - beta1)**t / ((v / (1 - beta2**t))**0.5 + eps), m, v": (
            "m_hat_bracket"
        ),
        f"{MOMENTS}return x - lr * (m / 1 - beta1**t) / ((v / (1 - beta2**t))**0.5 + eps), m, v": (
            "m_hat_bracket"
        ),
        HATS.replace("(1 - beta2) * g**2", "((1 - beta2) * g)**2")
        + "return x - lr * m_hat / (np.sqrt(v_hat) + eps), m, v": "v_bracket",
        HATS.replace("(1 - beta1) * g", "1 - beta1 * g")
        + "return x - lr * m_hat / (np.sqrt(v_hat) + eps), m, v": "m_bracket",
        HATS.replace("g**2", "g")
        + "return x - lr * m_hat / (np.sqrt(abs(v_hat)) + eps), m, v": "abs_under_root",
        "a = beta1 * m + (1 - beta1) * g; b = beta2 * v + (1 - beta2) * g**2; m_hat = m / "
        "(1 - beta1**t); v_hat = v / (1 - beta2**t); "
        "return x - lr * m_hat / (np.sqrt(v_hat) + eps), a, b": "old_moments_corrected",
    },
    "epsilon_hat_step": {
        f"{HATS}rate = lr * np.sqrt(1 - beta2**t) / (1 - beta1**t); "
        "return x - rate * m_hat / (np.sqrt(v_hat) + eps), m, v": "corrected_twice",
        f"{MOMENTS}return x - lr * (1 - beta2)**0.5 / (1 - beta1) * m / (v**0.5 + eps), m, v": (
            "rate_without_power"
        ),
    },
    "adamax_step": {
        "m = beta1 * m + (1 - beta1) * g; u = np.maximum(beta2 * u, abs(g) + eps); "
        "return x - lr * m / (1 - beta1**t) / (u + eps), m, u": "x_added",
    },
    "nadam_step": {
        NADAM.format("mu(t + 1) * m + (1 - mu(t)) * g"): "nadam_uncorrected",
        NADAM.format("mu(t + 1) * m / (1 - then) + (1 - mu(t + 1)) * g / (1 - now)"): (
            "m_bar_name"
        ),
    },
    "amsgrad_step": {
        f"{MOMENTS}w = np.maximum(beta2 * w, v); return x - lr * m / (1 - beta1**t) / "
        "(np.sqrt(w / (1 - beta2**t)) + eps), m, v, w": "w_added",
    },
    "adamw_step": {
        f"{HATS}return lr * weight_decay * x - lr * m_hat / (np.sqrt(v_hat) + eps), m, v": (
            "x_left_out"
        ),
        f"{HATS}return x - lr * (m_hat / (np.sqrt(v_hat) + eps) + weight_decay), m, v": (
            "decay_left_out"
        ),
    },
    "adabound_step": {
        f"{HATS}{BOUNDS}return x - np.clip(lr / (v_hat**0.5 + eps), low, high) * m_hat, m, v": (
            "correction_not_clipped"
        ),
        f"{HATS}{BOUNDS}return x - np.clip(lr * m_hat / (v_hat**0.5 + eps), low, high), m, v": (
            "step_clipped"
        ),
    },
    "adabelief_step": {
        "m = beta1 * m + (1 - beta1) * g; s = beta2 * s + (1 - beta2) * (g * g - m * m) + eps; "
        "return x - lr * m / (1 - beta1**t) / (np.sqrt(s / (1 - beta2**t)) + eps), m, s": (
            "difference_of_squares"
        ),
    },
    "lion_step": {
        "c = beta1 * m + (1 - beta1) * g; m = beta2 * m + (1 - beta2) * g; "
        "x = x - lr * np.sign(c); return x - lr * weight_decay * x, m": "decay_after_step",
        "c = beta1 * m + (1 - beta1) * g; m = beta2 * m + (1 - beta2) * g; "
        "return x - np.sign(c) - lr * weight_decay * x, m": "x_left_out",
    },
    "adamod_step": {
        f"{MOMENTS}m, v = m / (1 - beta1**t), v / (1 - beta2**t); eta = lr / (np.sqrt(v) + eps); "
        "s = beta3 * s + (1 - beta3) * eta; return x - np.minimum(eta, s) * m, m, v, s": (
            "corrected_returned"
        ),
        f"{MOMENTS}eta = lr / (np.sqrt(v / (1 - beta2**t)) + eps); s = beta3 * s + eta; "
        "return x - np.minimum(eta, s) * m / (1 - beta1**t), m, v, s": "s_left_out",
        f"{MOMENTS}root = np.sqrt(v / (1 - beta2**t)) + eps; s = beta3 * s + (1 - beta3) * root; "
        "return x - lr / np.maximum(root, s) * m / (1 - beta1**t), m, v, s": "roots_averaged",
    },
    "numerical_gradient": {
        "return [(f(x + h * e) - f(x - h * e)) / 2 * h for e in np.eye(len(x))]": (
            "width_without_brackets"
        ),
    },
    "minibatch_gradient": {
        """
for i in batch: g = gradients[i]
return g / len(batch)""": "sum_overwritten",
    },
    "clip_by_norm": {
        "n = np.linalg.norm(g); return g / n * max_norm if n < max_norm else g": (
            "comparison_reversed"
        ),
        "n = np.linalg.norm(g); return g / max_norm if n > max_norm else g": "divided_by_max",
        """
if np.linalg.norm(g) > max_norm: return g * max_norm / np.linalg.norm(g)""": "returns_nothing",
    },
    "moving_average": {
        """
average, out = 0, []
for value in signal: average = (1 - beta) * average + beta * value; out.append(average)
return out""": "average_shares_swapped",
        """
average, out = 0, []
for value in signal: average += (1 - beta) * value; out.append(average)
return out""": "averages_left_out",
    },
    "half_life": {"return int(math.log(0.5) / math.log(beta))": "steps_operator"},
    "beta_for_window": {"return 1 / (1 - window)": "window_of_window"},
    "after_steps": {"return (1 - lr * curvature) ** t": "x_t_left_out"},
    "largest_rate": {"return 2 * max(curvatures)": "limit_operator"},
    "effective_rate": {"return 1 / (1 - momentum)": "rate_left_out"},
    "inverse_sqrt": {
        "return lr / t**1/2": "root_by_precedence",
        "return 1 / t**0.5": "rate_of_one",
    },
    "cosine_rate": {
        "return lr * math.cos(math.pi * (t - 1) / steps)": (
            "cosine_goes_negative",
            "cosine_rises_again",
        ),
        "return lr * (1 + math.cos(math.pi * t / steps)) / 2": (
            "cosine_from_zero",
            "cosine_rises_again",
        ),
        "return max(0, lr * math.cos(math.pi * (t - 1) / steps))": "cosine_cut_at_zero",
    },
    "warmup_rate": {
        "return lr * min((t + 1) / steps, 1)": "rate_added",
        "return min(t / steps, lr)": "warmup_capped_by_lr",
        """
if t < steps: return lr * t / steps""": "returns_nothing",
    },
    "sign_step": {
        f"{SIGNS}return x - lr * np.sign(g), m": "sign_of_gradient",
        f"{SIGNS}return x - lr * m, m": "sign_forgotten",
        f"{SIGNS}return x - lr * np.sign(m), np.sign(m)": "sign_kept",
        f"{SIGNS}return x - lr * m / np.linalg.norm(m), m": "divided_by_norm",
        SIGNS.replace("g", "np.sign(g)") + "return x - lr * np.sign(m), m": "sign_of_signs",
        "m = beta1 * m + g; return x - lr * np.sign(m), m": "m_left_out",
    },
    "softmax_gradient": {
        f"{SOFTMAX}return p": "g_left_out",
        f"{SOFTMAX}p[y - 1] -= 1; return p": "g_added",
        f"{SOFTMAX}return p - y": "g_left_out",
        f"{SOFTMAX}return -np.log(p)": "surprises",
        f"{SOFTMAX}p[y] -= 1; return p / len(z)": "gradient_over_words",
        "p = np.exp(z); p[y] -= 1; return p": "p_left_out",
        "p = np.exp(-z) / np.exp(-z).sum(); p[y] -= 1; return p": "odds_function_on",
    },
    "loss_by_group": {
        f"{GROUPS}return np.bincount(of, losses)": "weights",
        f"{GROUPS}return np.bincount(of, losses) / len(losses)": "over_all_tokens",
        f"{GROUPS}return np.bincount(of, losses) / np.bincount(groups)": "over_words_of_group",
        f"{GROUPS}return np.bincount(of)": "group_counts",
        "n = max(groups) + 1; return [losses[np.array(words) == k].mean() for k in range(n)]": (
            "by_word_not_group"
        ),
    },
    "keras_decay": {"return lr / 1 + decay * (t - 1)": "rate_bracket"},
    "regret": {
        "return sum(p - min(row) for p, row in zip(played, fixed))": "best_of_each_step",
        "return np.sum(played) - np.min(np.sum(fixed, axis=1))": "fixed_added_along_rows",
        "return (played[:, None] - fixed).sum(axis=0).min()": "worst_fixed_point",
        "return played.mean() - fixed.mean(axis=0).min()": "regret_per_step",
        "return played.sum() - fixed.sum(axis=0)": "wrong_shape",
    },
    "theorem_beta1": {
        "return beta1 * decay**t": "decayed_from_first",
        "return beta1 * (1 - decay) ** (t - 1)": "beta1_t_complement",
    },
    "best_rate": {
        "return distance / math.sqrt(2 * gradient)": "rate_bracket",
        "return distance / math.sqrt(2) * gradient": "rate_operator",
    },
    "accumulated_gradient": {
        "return sum(means) / sum(sizes)": "g_left_out",
        "return np.sum(means * sizes) / max(sizes)": "g_operator",
        """
total = 0
for n, g in zip(sizes, means): total = n * g
return total / sum(sizes)""": "sum_overwritten",
        "return means * sizes / sum(sizes)": "wrong_shape",
    },
    "total_steps": {
        "return epochs * examples // (batch * parts)": "rounded_down_over_all",
        "return epochs * math.ceil(examples / batch * parts)": "steps_operator",
        "return epochs * int(examples / (batch * parts))": "steps_operator",
        "return math.ceil(epochs * examples / batch / parts)": "rounded_over_all_epochs",
    },
    "first_step": {"return -lr / (abs(g) + eps)": "change_left_out"},
    "gradient_share": {"return sum(beta**k for k in range(t))": "share_added"},
    "epsilon_hat": {"return math.sqrt(1 - beta2**t)": "eps_hat_left_out"},
    "longest_step": {"return max(1, (1 - beta1) / math.sqrt(1 - beta2))": "longest_of_the_paper"},
    "agreement": {
        "return np.mean(gradients, axis=0) / np.sqrt(np.mean(np.square(gradients), axis=0))": (
            "agreement_with_sign"
        ),
    },
    "checkpoint_bytes": {
        "return weights * weight_bytes + slots * state_bytes": "size_bracket",
    },
    "step_seconds": {"return 4 * weights * 7 / bandwidth": "time_number_for_name"},
}
# What is right, in other words.
RIGHT = {
    "sgd_step": [
        "return (x - lr * g,)",
        "return [a - lr * b for a, b in zip(x, g)]",
        "return torch.tensor(x) - lr * torch.tensor(g)",
    ],
    "momentum_step": ["return x - lr * (momentum * m + g), momentum * m + g"],
    "nesterov_step": [
        "return x - lr * ((1 + momentum) * g + momentum**2 * m), momentum * m + g",
    ],
    "rmsprop_step": [
        "v = (1 - rho) * np.square(g) + rho * v; "
        "return x - np.multiply(lr, np.divide(g, np.add(np.sqrt(v), eps))), v",
        "v = rho * v + (1 - rho) * abs(g)**2; return x - lr * g / (math.sqrt(v) + eps), v",
    ],
    "adadelta_step": [
        f"{AVERAGE}delta = -((d + eps) / (v + eps))**0.5 * g; "
        "return x + lr * delta, v, rho * d + (1 - rho) * delta**2",
    ],
    "adamod_step": [
        f"{MOMENTS}eta = lr / (np.sqrt(v / (1 - beta2**t)) + eps); "
        "s = s + (1 - beta3) * (eta - s); rate = np.where(eta < s, eta, s); "
        "return x - rate * m / (1 - beta1**t), m, v, s",
        f"{MOMENTS}eta = lr / ((v / (1 - beta2**t)) ** 0.5 + eps); s = s * beta3 + "
        "eta - eta * beta3; return x - min(eta, s) * m / (1 - beta1**t), m, v, s",
    ],
    "adabelief_step": [
        "m = beta1 * m + (1 - beta1) * g; d = m - g; s = beta2 * s + (1 - beta2) * d * d + eps; "
        "return x - lr / (1 - beta1**t) * m / (np.sqrt(s) / np.sqrt(1 - beta2**t) + eps), m, s",
        "m = m + (1 - beta1) * (g - m); s = s + (1 - beta2) * ((m - g) ** 2 - s) + eps; "
        "return x - lr * m / (1 - beta1**t) / ((s / (1 - beta2**t)) ** 0.5 + eps), m, s",
    ],
    "lion_step": [
        "c = m + (1 - beta1) * (g - m); x = x * (1 - lr * weight_decay); "
        "return x - lr * ((c > 0) * 1.0 - (c < 0) * 1.0), m + (1 - beta2) * (g - m)",
    ],
    "sign_step": [
        "m = m + (1 - beta1) * (g - m); return x - lr * ((m > 0) * 1.0 - (m < 0) * 1.0), m",
    ],
    "softmax_gradient": [
        "s = sum(map(math.exp, z)); return [math.exp(a) / s - (i == y) for i, a in enumerate(z)]",
        "return np.exp(z - np.logaddexp.reduce(z)) - np.eye(len(z))[y]",
    ],
    "loss_by_group": [
        "n = range(max(groups) + 1); own = [[a for a, w in zip(losses, words) if groups[w] == k] "
        "for k in n]; return [sum(one) / len(one) for one in own]",
        f"{GROUPS}return np.bincount(of, losses) / np.bincount(of)",
    ],
    "clip_by_norm": [
        "n = math.hypot(*g); return tuple(min(1, max_norm / (n or 1)) * a for a in g)",
        "n = np.linalg.norm(g); return g * min(1, max_norm / (n + 1e-6))",
        "n = np.linalg.norm(np.float32(g)); return np.float32(g) / max(1, n / max_norm)",
    ],
    "numerical_gradient": [
        "return tuple((f(x + h * e) - f(x - h * e)) / (2 * h) for e in np.eye(len(x)))",
    ],
    "minibatch_gradient": ["return np.take(gradients, batch, axis=0).mean(0)"],
    "running_average": [
        "m = average * (1 - beta**(t - 1)); m = beta * m + (1 - beta) * x; "
        "return m / (1 - beta**t)",
        "w = sum(beta**i for i in range(t)); return average * (1 - 1 / w) + x / w",
        "keep = (beta - beta**t) / (1 - beta**t); return keep * average + (1 - keep) * x",
    ],
    "swa": [
        "return np.mean([points[t - 1] for t in range(start, len(points) + 1, every)], axis=0)",
        "c = points[start - 1::every]; return [sum(w) / len(c) for w in zip(*c)]",
        "average, n = 0, 0\n"
        "for t, x in enumerate(points, 1):\n"
        "    if t >= start and (t - start) % every == 0:\n"
        "        n += 1\n"
        "        average = average + (x - average) / n\n"
        "return average",
    ],
    "moving_average": [
        "return [sum((1 - beta) * beta**(i - k) * signal[k] for k in range(i + 1)) "
        "for i in range(len(signal))]",
    ],
    "cosine_rate": [
        "return lr * math.cos(math.pi / 2 * min((t - 1) / steps, 1)) ** 2",
        "return np.float32(0 if t > steps else lr * (1 + np.cos(np.pi * (t - 1) / steps)) / 2)",
        "return np.array([lr * (1 + np.cos(np.pi * min(1, (t - 1) / steps))) / 2])",
    ],
    "warmup_rate": [
        "return np.interp(t, [0, steps], [0, lr])",
        "return np.clip(lr * t / steps, 0, lr)",
    ],
    "accumulated_gradient": [
        "return np.average(means, weights=sizes)",
        "return sum(n * g for n, g in zip(sizes, means)) / sum(sizes)",
        "return np.repeat(means, sizes).mean()",
        """
g, seen = 0, 0
for mean, n in zip(means, sizes): seen += n; g += (mean - g) * n / seen
return g""",
    ],
    "total_steps": [
        "return epochs * math.ceil(math.ceil(examples / batch) / parts)",
        "return epochs * -(-examples // (batch * parts))",
        "return epochs * len(range(0, examples, batch * parts))",
    ],
    "half_life": ["return math.log(0.5, beta)", "return np.log2(0.5) / np.log2(beta)"],
    "checkpoint_bytes": ["return sum([weights * weight_bytes] + [weights * state_bytes] * slots)"],
    "regret": [
        "return sum(played) - min(sum(column) for column in zip(*fixed))",
        "return max(sum(p - f for p, f in zip(played, column)) for column in np.transpose(fixed))",
        "return len(played) * (np.mean(played) - np.mean(fixed, axis=0).min())",
        """
best = float("inf")
for j in range(len(fixed[0])):
    best = min(best, sum(row[j] for row in fixed))
return sum(played) - best""",
    ],
    "theorem_beta1": [
        "return beta1 * decay**t / decay",
        """
for _ in range(t - 1): beta1 *= decay
return beta1""",
    ],
    "best_rate": [
        "return np.sqrt(distance**2 / (2 * gradient**2))",
        "return distance * 0.5**0.5 / gradient",
    ],
    "make_adam_fail": ["return [[3, -1, -1], 0.1]", "return (3, -1, -1), np.float32(0.1)"],
}

"""The checker on steps that change Torch tensors in place."""

import numpy as np
import pytest

from adam_edu import check
from adam_edu.check.in_place import in_place

torch = pytest.importorskip("torch")

M = "m.mul_(beta1).add_(g, alpha=1 - beta1)"
V = "v.mul_(beta2).addcmul_(g, g, value=1 - beta2)"
DENOMINATOR = "denominator = (v / (1 - beta2**t)).sqrt_().add_(eps)"
X = "x.addcdiv_(m, denominator, value=-lr / (1 - beta1**t))"


def step(*lines, header="x, g, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8"):
    namespace = {"torch": torch}
    exec(f"def adam_step({header}):\n    " + "\n    ".join(lines), namespace)
    return namespace["adam_step"]


def test_a_right_step_passes():
    report = check.adam_step(in_place(step(M, V, DENOMINATOR, X)))

    assert report.ok, report
    assert "Torch tensors changed in place" in " ".join(str(report).split())


def test_other_names_in_the_same_order_pass():
    renamed = step(
        *(line.replace("g", "grad") for line in (M, V)),
        DENOMINATOR,
        X,
        header="x, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8",
    )

    assert check.adam_step(in_place(renamed)).ok


@pytest.mark.parametrize(
    ("lines", "mistake"),
    [
        ((M.replace("mul_", "mul"), V, DENOMINATOR, X), "not_in_place"),
        ((M, "v = beta2 * v + (1 - beta2) * g * g", DENOMINATOR, X), "not_in_place"),
        ((M, V, DENOMINATOR, X.replace("addcdiv_", "addcdiv")), "not_in_place"),
        (("m = beta1 * m", "pass"), "not_in_place"),
        ((M, V, "g.mul_(2)", DENOMINATOR, X), "changes_the_gradient"),
        ((M, V, DENOMINATOR, X.replace("-lr", "lr")), "ascent"),
        ((M, V.replace(", value=1 - beta2", ""), DENOMINATOR, X), "v_without_share"),
        ((M.replace(", alpha=1 - beta1", ""), V, DENOMINATOR, X), "m_without_share"),
        ((M, V, "denominator = (v / (1 - beta2**t)).add_(eps).sqrt_()", X), "eps_inside_root"),
        ((M, V, DENOMINATOR, X.replace(" / (1 - beta1**t)", "")), "m_hat_not_corrected"),
        ((M, V, "denominator = v.sqrt().add_(eps)", X), "v_hat_not_corrected"),
    ],
)
def test_a_mistake_is_named(lines, mistake):
    report = check.adam_step(in_place(step(*lines)))

    assert not report.ok
    assert report.mistakes == (mistake,), report


@pytest.mark.parametrize(
    ("lines", "mistake"),
    [
        ((M, V, "v.div_(1 - beta2**t)", "denominator = v.sqrt() + eps", X), "v_hat_returned"),
        ((M, V, "denominator = v.sqrt_() / (1 - beta2**t) ** 0.5 + eps", X), "v_returned_wrongly"),
    ],
    ids=["corrected moment kept", "root kept"],
)
def test_a_slot_that_is_overwritten_is_named(lines, mistake):
    report = check.adam_step(in_place(step(*lines)))

    assert report.mistakes == (mistake,), report
    assert "Look at: what the step leaves in its tensors." in str(report)


def test_the_callers_arrays_are_left_alone():
    x, g, m, v = (np.full(2, value) for value in (1.0, 2.0, 1.0, 1.0))
    x_after, m_after, v_after = in_place(step(M, V, DENOMINATOR, X))(x, g, m, v, 1)

    assert (x == 1).all()
    assert (m == 1).all()
    assert x_after.dtype == m_after.dtype == v_after.dtype == torch.float64
    assert (x_after < 1).all()


def test_a_stub_is_not_written_yet():
    report = check.adam_step(in_place(step("...")))

    assert report.title == "not written yet"
    assert "Change x, m and v in place" in " ".join(str(report).split())


def test_what_is_no_function_is_refused():
    assert check.adam_step(in_place(3)).mistakes == ("not_a_function",)


def test_a_number_cannot_be_changed():
    with pytest.raises(TypeError, match="tensors"):
        in_place(step(M, V, DENOMINATOR, X))(1.0, 1.0, 0.0, 0.0, 1)

"""The pictures of a step: what they join is what the rule's lines read."""

from itertools import pairwise

import pytest

from adam_edu import RULES
from adam_edu.flow import draw, flow_of

pytest.importorskip("matplotlib")


def joined(name):
    flow = flow_of(RULES[name])
    return {(flow.boxes[start].text, flow.boxes[end].text) for start, end in flow.arrows}


@pytest.mark.parametrize("name", RULES)
def test_arrows_run_down_and_no_two_boxes_overlap(name):
    flow = flow_of(RULES[name])

    assert all(flow.boxes[start].row < flow.boxes[end].row for start, end in flow.arrows)
    for row in {box.row for box in flow.boxes}:
        places = sorted(box.place for box in flow.boxes if box.row == row)
        assert all(after - before > 0.89 for before, after in pairwise(places))


@pytest.mark.parametrize("name", RULES)
def test_every_box_has_a_part_in_the_step_or_is_kept(name):
    flow = flow_of(RULES[name])
    used = {start for start, _ in flow.arrows}
    ends = {box.name for i, box in enumerate(flow.boxes) if i not in used}

    assert "step" in ends
    assert ends <= {"step", *RULES[name].slots}


def test_what_tells_the_rules_apart():
    assert ("$v$", "$w$") in joined("AMSGrad")
    assert ("$v$", r"$\hat v$") not in joined("AMSGrad")
    assert ("$x$", r"$\text{decay}$") in joined("AdamW")
    assert ("$g$", "step of $x$") in joined("Nesterov")
    assert ("$g$", "step of $x$") not in joined("Momentum")
    assert (r"kept $d$", r"$\Delta$") in joined("AdaDelta")


def test_the_picture_has_every_box():
    ax = draw(RULES["AMSGrad"])

    shown = [label.get_text() for label in ax.texts if label.get_text()]
    assert shown == [box.text for box in flow_of(RULES["AMSGrad"]).boxes]

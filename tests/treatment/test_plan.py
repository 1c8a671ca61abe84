"""In which order remedies are tried, and what is drawn at random."""

from __future__ import annotations

from unstuck.treatment import catalog
from unstuck.treatment.plan import candidates, random_edits

from .test_trial import KNOWN

BROADCAST = {
    **KNOWN,
    "meetings": [{"function": "mse_loss", "kind": "numbers", "broadcast": [8, 8], "scores_given": False}],
    "target": {"mean": 0.0, "std": 1.0},
}


def test_a_fault_that_was_seen_and_found_comes_first():
    assert candidates(BROADCAST, ["L205"])[0].name == "matching-shapes"


def test_a_fault_that_was_seen_is_tried_early_though_another_was_found():
    names = [c.name for c in candidates(BROADCAST, ["G303"])]
    assert names.index("matching-shapes") < 6
    assert names[0] in ("leaky-rectifier", "initialization", "batch-norm")


def test_the_usual_ones_come_before_the_rare_ones():
    names = list(dict.fromkeys(c.name for c in candidates(KNOWN, [])))
    assert names.index("learning-rate") < names.index("initialization") < names.index("decay")
    assert names.index("decay") < names.index("larger-batch")


def test_a_later_variant_waits_for_other_remedies():
    order = [c.name for c in candidates(KNOWN, ["U401"])]
    first, second = [i for i, name in enumerate(order) if name == "learning-rate"][:2]
    assert first == 0 and second > 1


def test_only_what_is_asked_for():
    assert {c.name for c in candidates(KNOWN, [], only=["clipping"])} == {"clipping"}


def test_random_edits_are_different_and_drawn_again_the_same():
    drawn = random_edits(KNOWN, 8, seed=1, script="train.py")
    assert drawn == random_edits(KNOWN, 8, seed=1, script="train.py")
    assert drawn != random_edits(KNOWN, 8, seed=2, script="train.py") != random_edits(KNOWN, 8, seed=2, script="b.py")
    assert len({(c.name, c.label) for c in drawn}) == 8


def test_random_edits_are_every_one_that_would_change_something_at_equal_compute():
    names = {c.name for c in random_edits(KNOWN, 1000, seed=1)}
    assert names == {c.name for c in candidates(KNOWN, []) if not c.more_compute}


def test_a_softmax_over_one_unit_gives_way_to_what_the_targets_need():
    tail = [{"name": "softmax", "count": 0, "dim": 1, "shape": [8, 1], "size": 1}]
    for kind, instead in (("numbers", "nothing"), ("binary", "sigmoid")):
        known = {"tail": tail, "meetings": [{"kind": kind, "function": "sub"}]}
        (variant,) = catalog.remedy("linear-output").variants(known)
        assert variant.options["instead"] == instead

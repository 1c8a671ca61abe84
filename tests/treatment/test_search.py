"""What is tried next, by what was reached."""

from __future__ import annotations

from unstuck.treatment.plan import Candidate, compatible
from unstuck.treatment.search import Row, next_changes, that_helped

ORDER = [
    Candidate(name, name)
    for name in ("linear-output", "standardize-targets", "clipping", "learning-rate", "other-rule")
]


def row(value: float, *names: str) -> Row:
    return Row(tuple(Candidate(name, name) for name in names), [value, None, None])


NOTHING = Row((), [0.0, 0.0, 0.0])


def labels(rows: list[Row], *, count: int = 2) -> list[list[str]]:
    return [[c.label for c in changes] for changes in next_changes(rows, ORDER, NOTHING, first=3, count=count)]


def test_first_come_single_remedies_in_their_order():
    assert labels([]) == [["linear-output"], ["standardize-targets"], ["clipping"]]


def test_two_that_helped_are_tried_together_though_they_answer_the_same_finding():
    rows = [row(0.3, "linear-output"), row(0.25, "standardize-targets"), row(0.0, "clipping")]
    assert labels(rows)[0] == ["linear-output", "standardize-targets"]


def test_beside_a_cure_only_others_are_tried_and_beside_a_small_gain_single_ones_too():
    rows = [row(0.5, "linear-output"), row(0.0, "standardize-targets"), row(0.0, "clipping")]
    assert labels(rows) == [["linear-output", "learning-rate"], ["linear-output", "other-rule"]]
    rows[0].values[0] = 0.1
    assert labels(rows) == [["linear-output", "learning-rate"], ["learning-rate"]]


def test_where_nothing_helped_the_next_single_ones_follow():
    rows = [row(0.0, name) for name in ("linear-output", "standardize-targets", "clipping")]
    assert labels(rows) == [["learning-rate"], ["other-rule"]]


def test_faults_that_hide_each_other_are_treated_together():
    """A softmax over one unit behind raw inputs: neither remedy helps while the other fault stands."""
    order = [
        Candidate("linear-output", "a", answers=("L206", "G304")),
        Candidate("right-loss", "b", answers=("L206",)),
        Candidate("standardize-inputs", "c", answers=("D101", "G304")),
        Candidate("learning-rate", "d", answers=("D101",)),
        Candidate("clipping", "e", answers=("G302",)),
        Candidate("decay", "f"),
    ]
    rows = [Row((c,), [0.0, None, None]) for c in order[:4]]

    def asked() -> list[list[str]]:
        return [[c.label for c in changes] for changes in next_changes(rows, order, NOTHING, first=4, count=2)]

    assert asked() == [["a", "c", "e"], ["e"]]
    rows += [Row(tuple(order[i] for i in (0, 2, 4)), [0.0, None, None]), Row((order[4],), [0.0, None, None])]
    assert asked() == [["a", "c"], ["f"]]


def test_a_fault_that_no_finding_names_may_hide_behind_one_that_is_named():
    order = [
        Candidate("linear-output", "a", answers=("L206",)),
        Candidate("right-loss", "b", answers=("L206",)),
        Candidate("longer", "c", answers=("L206",), more_compute=True),
        Candidate("standardize-inputs", "d"),
        Candidate("decay", "e"),
    ]
    rows = [Row((c,), [0.0, None, None]) for c in order if not c.more_compute]
    asked = next_changes(rows, order, NOTHING, first=4, count=3)
    assert [[c.label for c in changes] for changes in asked] == [
        ["a", "d"],
        ["c"],
        ["a", "e"],
    ]  # b is another way to do what a does


def test_beside_a_partial_cure_comes_what_answers_another_finding_though_it_did_nothing_alone():
    order = [
        Candidate("right-loss", "a", answers=("L201",)),
        Candidate("standardize-inputs", "b", answers=("D101",)),
        Candidate("learning-rate", "c"),
        Candidate("decay", "d"),
    ]
    rows = [Row((c,), [value, None, None]) for c, value in zip(order[:3], (0.45, 0.0, 0.0), strict=True)]
    asked = next_changes(rows, order, NOTHING, first=3, count=1)
    assert [[c.label for c in changes] for changes in asked] == [["a", "b"]]


def test_nothing_more_is_tried_where_nothing_is_left_to_gain():
    assert labels([row(0.96, "linear-output")]) == []


def test_no_more_than_three_together_and_none_twice():
    three = row(0.6, "linear-output", "standardize-targets", "clipping")
    assert labels([three]) == [["linear-output"], ["standardize-targets"]]
    pair, single = row(0.6, "clipping", "linear-output"), row(0.5, "linear-output")
    assert ["clipping", "linear-output", "standardize-targets"] in labels([pair, single])


def test_alternatives_are_not_combined():
    rule, rate = Candidate("other-rule", "Adam"), Candidate("learning-rate", "× 10")
    assert not compatible((rule,), rate) and not compatible((rate,), rule)
    assert not compatible((rate,), Candidate("learning-rate", "× 0.1"))
    assert compatible((rate,), Candidate("clipping", "0.2"))


def test_what_a_second_seed_refuted_no_longer_leads():
    lucky, sound = row(0.96, "clipping"), row(0.6, "learning-rate")
    assert labels([lucky, sound]) == []
    lucky.values[1] = 0.0
    assert labels([lucky, sound])[0] == ["learning-rate", "clipping"]


def test_a_part_that_adds_next_to_nothing_does_not_lead():
    rows = [row(0.5, "linear-output"), row(0.52, "linear-output", "clipping")]
    assert [len(r.changes) for r in that_helped(rows, NOTHING)] == [1, 2]
    rows[1].values[0] = 0.56
    assert [len(r.changes) for r in that_helped(rows, NOTHING)] == [2, 1]

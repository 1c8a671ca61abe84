"""One class that dominates, or the only one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from literal_losses import (
    EMPTY,
    FALLING,
    NO_SAMPLES,
    UNSEEN,
    amounts,
    binary,
    cross_entropy,
    labels,
    output,
    run,
    squared,
    whole,
    yes_no,
)

from unstuck.findings.contract import Fired, NotApplicable, Passed, Skipped
from unstuck.findings.rules.d105_classes_imbalanced import judge
from unstuck.record.recording import Event, Recording, Series

RARE = {"0": 62, "1": 2}  # 97 %: entropy .139
CLASSIFIER = [{"name": "net", "params": [{"name": "out.weight", "shape": [10, 64]}]}]


def imbalanced(accuracy: float, counts: dict[str, int] = RARE) -> dict:
    return whole(cross_entropy(counts=counts, accuracy=accuracy))


def test_the_network_names_the_commonest_class() -> None:
    answer = judge(run(imbalanced(62 / 64), loss=[0.7] * 10 + [0.135] * 90))
    assert isinstance(answer, Fired)
    assert answer.severity == "warning" and answer.confidence >= 0.8
    assert "96.9%" in answer.sentence and "WeightedRandomSampler" in answer.advice[0].code


def test_without_late_samples_the_loss_tells() -> None:
    collapsed = judge(run(imbalanced(62 / 64), loss=[0.7] * 10 + [0.139] * 90, steps=range(20)))
    learned = judge(run(imbalanced(62 / 64), loss=[0.7] * 10 + [0.05] * 90, steps=range(20)))
    assert isinstance(collapsed, Fired) and collapsed.severity == "warning"
    assert isinstance(learned, Fired) and learned.severity == "info"


def test_one_that_learned_the_rare_class_is_information() -> None:
    answer = judge(run(imbalanced(1.0), loss=[0.7] * 10 + [0.02] * 90))
    assert isinstance(answer, Fired) and answer.severity == "info"


def test_one_that_ranks_the_rare_ones_is_information() -> None:
    # Never beyond even odds, so the answer is always the same; but the loss says that it tells them apart.
    answer = judge(run(imbalanced(62 / 64), loss=[0.7] * 10 + [0.08] * 90))
    assert isinstance(answer, Fired) and answer.severity == "info"


def test_known_class_weights_keep_the_loss_from_telling() -> None:
    told = whole(cross_entropy(counts=RARE, accuracy=62 / 64, class_weights=True))
    answer = judge(run(told, loss=[0.7] * 10 + [0.139] * 90, steps=range(20)))
    assert isinstance(answer, Fired) and answer.severity == "info"


def test_class_weights_make_other_mistakes() -> None:
    # It finds the rare ones and gives up some of the common ones: fewer right answers than naming one class.
    answer = judge(run(imbalanced(0.9), loss=[0.7] * 10 + [0.3] * 90))
    assert isinstance(answer, Fired) and answer.severity == "info"


def answered(right: int, *, weighs: bool = False) -> Fired:
    """Of 40 rare examples in the kept batches so many are answered rightly at the end; the loss is well below naming one."""
    told = whole(cross_entropy(counts=RARE, accuracy=63 / 64, **({"modified": True} if weighs else {})))
    look = Event("biopsy", 99, {"look": "kept", "when": "end", "answers": {"0": [2000, 1998], "1": [40, right]}})
    answer = judge(run(told, loss=[0.7] * 10 + [0.06] * 90, events=(look,)))
    assert isinstance(answer, Fired)
    return answer


def test_the_rare_ones_of_its_own_batches_are_missed() -> None:
    missed, half_missed, found = answered(2), answered(14), answered(30)
    assert (missed.severity, half_missed.severity, found.severity) == ("warning", "warning", "info")
    assert missed.confidence > half_missed.confidence and "14 are answered rightly" in half_missed.sentence


def test_a_loss_that_weighs_its_examples_was_chosen_for_such_labels() -> None:
    """Focal: the answers may be ranked, and none of them need be beyond even odds."""
    assert answered(2, weighs=True).severity == "info" and answered(14, weighs=True).severity == "info"


def test_yes_and_no() -> None:
    told = binary("bce_logits", target=yes_no(0.03125, (64, 1)), accuracy=62 / 64)
    answer = judge(run(whole(told), loss=[0.7] * 10 + [0.138] * 90))
    assert isinstance(answer, Fired) and answer.severity == "warning"


def test_labels_that_became_all_zero() -> None:
    told = cross_entropy(output=output((80, 10)), target=labels({"0": 80}), accuracy=1.0)
    answer = judge(run(whole(told), loss=[1.0] * 10 + [1e-6] * 90, models=CLASSIFIER))
    assert isinstance(answer, Fired)
    assert answer.severity == "error" and answer.confidence >= 0.9
    assert "10 classes" in answer.sentence


def test_contrastive_losses_have_the_right_answer_in_place_zero() -> None:
    told = cross_entropy(output=output((32, 101)), target=labels({"0": 32}), accuracy=0.4)
    told["head"] = [{**told["head"][0], "size": 101}]
    models = [{"name": "net", "params": [{"name": "out.weight", "shape": [32, 64]}]}]
    assert isinstance(judge(run(whole(told), loss=FALLING, models=models)), Passed)


def test_a_sorted_beginning_is_not_a_single_class() -> None:
    told = cross_entropy(target=labels({"0": 80}), output=output((80, 10)))
    answer = judge(run(whole(told), steps=range(20), models=CLASSIFIER))
    assert isinstance(answer, Skipped) and "sorted" in answer.reason
    assert isinstance(judge(run(whole(told), steps=(0, 99), models=CLASSIFIER)), Skipped)


def test_a_loss_that_only_faded_has_seen_one_class() -> None:
    told = cross_entropy(target=labels({"0": 80}), output=output((80, 10)))
    fading = [2.3 * 0.8**i for i in range(100)]
    answer = judge(run(whole(told), steps=range(20), models=CLASSIFIER, loss=fading))
    assert isinstance(answer, Fired) and answer.severity == "error"
    leaping = [*fading[:60], 9.0, *fading[61:]]
    assert isinstance(judge(run(whole(told), steps=range(20), models=CLASSIFIER, loss=leaping)), Skipped)


def test_real_and_generated_examples_come_apart() -> None:
    one = run(whole(binary("bce_logits", target=yes_no(1.0, batch_equal=True))), loss=[0.7] * 100).main
    other = replace(one, number=1, loss=Series(range(100), [0.6] * 100))
    assert isinstance(judge(Recording(streams={0: one, 1: other})), NotApplicable)
    both = whole(binary("bce_logits", target=yes_no(1.0)), binary("bce_logits", target=yes_no(0.0)))
    assert isinstance(judge(run(both)), Passed)


@pytest.mark.parametrize(
    "told",
    [
        pytest.param(cross_entropy(accuracy=0.1), id="ten equal classes"),
        pytest.param(cross_entropy(counts={"0": 70, "1": 10}, accuracy=0.875), id="seven to one"),
    ],
)
def test_health(told: dict) -> None:
    assert isinstance(judge(run(whole(told))), Passed)


def test_what_is_not_seen() -> None:
    assert isinstance(judge(EMPTY), NotApplicable)
    assert isinstance(judge(NO_SAMPLES), Skipped)
    assert isinstance(judge(UNSEEN), Skipped)
    assert isinstance(judge(run(whole(squared(target=amounts())))), NotApplicable)
    assert isinstance(judge(run(whole(cross_entropy(target=None)))), NotApplicable)

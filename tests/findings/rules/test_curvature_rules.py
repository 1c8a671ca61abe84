"""Rules that judge looks at the curvature: each speaks on the numbers it is for, and on no others."""

from __future__ import annotations

from typing import Any

from literal_recordings import classes, sample

from unstuck.findings.contract import Fired, NotApplicable, Passed, Skipped
from unstuck.findings.rules import c501_saddle_point as c501
from unstuck.findings.rules import c502_local_minimum as c502
from unstuck.findings.rules import c503_flat_region as c503
from unstuck.findings.rules import c504_ill_conditioned as c504
from unstuck.findings.rules import c505_sharp_minimum as c505
from unstuck.findings.rules import g309_wrong_gradient as g309
from unstuck.findings.rules import u402_step_too_short as u402
from unstuck.findings.verdict import verdict
from unstuck.record.recording import Event, Recording

N = 100
STUCK = [2.3 - 0.0002 * i for i in range(N)]
LEARNED = [2.3 * 0.95**i + 0.05 for i in range(N)]


def look(state: str, *, evidence: dict[str, Any] | None = None, **more: Any) -> Event:
    told = {"loss": 2.28, "gradient_norm": 1e-7, "noise_parts": 1, "smallest_eigenvalue": -0.3, "escape_gain": 0.5}
    data = {
        "look": "kept",
        "when": "end",
        "state": state,
        "sentence": f"A {state}.",
        "evidence": told | (evidence or {}),
        "batches": 6,
        "largest": 2.0,
        "smallest": -0.3,
        "rate": 0.001,
        "peak_rate": 0.001,
        "rate_times_curvature": 0.002,
        "stable_limit": 2.0,
        "rule": "SGD",
        **more,
    }
    return Event("biopsy", N, data)


def trial(falls: list[float | None], newton: float = 0.0, before: float = 2.28) -> dict[str, Any]:
    multiples = [1.0, 4.0, 16.0, 64.0][: len(falls)]
    return {"before": before, "steps": 20, "multiples": multiples, "falls": falls, "newton": newton, "separate": True}


def run(event: Event | None, *, loss: list[float] = STUCK, accuracy: float = 0.1) -> Recording:
    samples = [sample(s, term=classes(accuracy)) for s in range(0, N, 10)]
    return Recording.of(loss=loss, samples=samples, events=[] if event is None else [event])


def test_a_saddle() -> None:
    found = c501.judge(run(look("saddle")))
    assert isinstance(found, Fired) and found.severity == "error" and found.basis == "probed"
    assert verdict(run(look("saddle"))).state == "saddle"


def test_a_saddle_in_a_run_that_learned_is_only_told() -> None:
    recording = run(look("saddle"), loss=LEARNED, accuracy=0.95)
    found = c501.judge(recording)
    assert isinstance(found, Fired) and found.severity == "info"
    assert verdict(recording).state != "saddle"


def test_a_ripple_is_no_saddle() -> None:
    assert isinstance(c501.judge(run(look("saddle", evidence={"escape_gain": 1e-6}))), Passed)


def test_two_batches_are_too_few_for_noise() -> None:
    few = look("saddle", evidence={"noise_parts": 2, "gradient_is_zero": False})
    exact = look("saddle", evidence={"noise_parts": 2, "gradient_is_zero": True})
    assert isinstance(c501.judge(run(few)), Passed)
    assert isinstance(c501.judge(run(exact)), Fired)


def test_no_look_no_claim() -> None:
    for rule in (c501, c502, c503, c504, u402, g309):
        assert isinstance(rule.judge(run(None)), Skipped), rule.CODE


def test_why_there_was_no_look_is_said() -> None:
    unseen = Event("biopsy", 5, {"look": "batches", "unseen": "the script has a hook on fc"})
    found = c501.judge(run(unseen))
    assert isinstance(found, Skipped) and "the script has a hook on fc" in found.reason


def test_a_poor_minimum_and_a_good_one() -> None:
    found = c502.judge(run(look("minimum")))
    assert isinstance(found, Fired) and found.severity == "warning"
    good = look("minimum", evidence={"loss": 0.06})
    assert isinstance(c502.judge(run(good, loss=LEARNED, accuracy=0.95)), Passed)


def test_a_minimum_far_above_what_was_reached() -> None:
    loss = [2.3] * 10 + [0.2] * 40 + [1.0] * 50
    found = c502.judge(run(look("minimum", evidence={"loss": 1.0}), loss=loss, accuracy=0.6))
    assert isinstance(found, Fired) and "0.2" in found.sentence


def test_flat() -> None:
    assert isinstance(c503.judge(run(look("flat"))), Fired)
    assert isinstance(c503.judge(run(look("flat"), loss=LEARNED, accuracy=0.95)), Passed)
    assert isinstance(c503.judge(run(look("descending"))), Passed)


def test_a_narrow_valley() -> None:
    steep = {"rate_times_curvature": 1.2}
    valley = look("descending", trial=trial([0.01, -5.0, None], newton=1.5), **steep)
    assert isinstance(c504.judge(run(valley)), Fired)
    assert isinstance(c504.judge(run(valley, loss=LEARNED, accuracy=0.95)), Passed)
    room = look("descending", trial=trial([0.01, 0.04, 0.2], newton=1.5))
    assert isinstance(c504.judge(run(room)), Passed)
    no_gain = look("descending", trial=trial([0.01, -5.0, None], newton=0.02), **steep)
    assert isinstance(c504.judge(run(no_gain)), Passed)


def test_steps_too_short() -> None:
    short = look("descending", trial=trial([0.003, 0.012, 0.05, 0.2]))
    found = u402.judge(run(short))
    assert isinstance(found, Fired) and found.severity == "error"
    assert found.evidence["best_multiple"] == 64 and "lr=0.064" in found.advice[0].code
    assert verdict(run(short)).state == "slow"
    assert isinstance(u402.judge(run(short, loss=LEARNED, accuracy=0.95)), Passed)
    assert verdict(run(short, loss=LEARNED, accuracy=0.95)).state != "slow"


def test_no_room_no_longer_steps() -> None:
    at_the_edge = look("descending", trial=trial([0.003, 0.012, 0.05, 0.2]), rate_times_curvature=1.0)
    assert isinstance(u402.judge(run(at_the_edge)), Passed)
    same = look("descending", trial=trial([0.1, 0.12, 0.2, 0.2]))
    assert isinstance(u402.judge(run(same)), Passed)


def checked(*parameters: dict[str, Any]) -> Event:
    return look("descending", gradient_check={"functions": ["Gate"], "parameters": list(parameters)})


def slope(name: str, numerical: float, analytic: float, *, wrong: bool = True, flat: bool = False) -> dict[str, Any]:
    error = abs(numerical - analytic) / max(abs(numerical), abs(analytic))
    return {"name": name, "wrong": wrong, "numerical": numerical, "analytic": analytic, "error": error, "flat": flat}


def test_a_wrong_backward_pass() -> None:
    found = g309.judge(run(checked(slope("fc1.weight", 1.0, 0.4), slope("fc1.bias", 0.2, 0.15))))
    assert isinstance(found, Fired) and found.severity == "error" and found.where.endswith("fc1.weight")


def test_gradients_that_are_meant_so_are_only_told() -> None:
    through = g309.judge(run(checked(slope("fc1.weight", 1e-12, 0.4, flat=True))))
    assert isinstance(through, Fired) and through.severity == "info"
    reversed_ = g309.judge(run(checked(slope("a", 1.0, -0.5), slope("b", 2.0, -1.0))))
    assert isinstance(reversed_, Fired) and reversed_.severity == "info" and "-0.5" in reversed_.sentence


def test_right_backward_passes() -> None:
    assert isinstance(g309.judge(run(checked(slope("fc1.weight", 1.0, 1.0 + 1e-8, wrong=False)))), Passed)
    assert isinstance(g309.judge(run(look("descending"))), NotApplicable)


def sharp(**changed: float) -> Recording:
    result = {"sharpness": 40.0, "flatter_sharpness": 8.0, "training": 0.01, "flatter_training": 0.0105,
              "evaluation": 0.5, "flatter_evaluation": 0.4, "error": 0.02}  # fmt: skip
    event = Event("probe", N, {"name": "flatter-alternative", "result": result | changed})
    return run(event, loss=LEARNED, accuracy=0.95)


def test_a_flatter_place_that_does_better() -> None:
    assert isinstance(c505.judge(sharp()), Fired)
    assert isinstance(c505.judge(sharp(flatter_evaluation=0.49)), Passed)
    assert isinstance(c505.judge(sharp(flatter_sharpness=30.0)), Passed)
    assert isinstance(c505.judge(sharp(error=0.06)), Passed)
    assert isinstance(c505.judge(run(None)), Skipped)


HALF_WAY = [2.3 * 0.9**i + 0.9 for i in range(N)]


def test_a_run_that_learns_and_could_gain_most_of_what_is_left() -> None:
    slow = look("descending", trial=trial([0.02, 0.1, 0.3, 0.6], before=0.9))
    found = u402.judge(run(slow, loss=HALF_WAY, accuracy=0.6))
    assert isinstance(found, Fired) and found.severity == "warning"
    little = look("descending", trial=trial([0.02, 0.1, 0.2, 0.3], before=0.9))
    assert isinstance(u402.judge(run(little, loss=HALF_WAY, accuracy=0.6)), Passed)
    assert isinstance(u402.judge(run(slow, loss=LEARNED, accuracy=0.95)), Passed)


def test_a_valley_in_a_run_that_learns() -> None:
    narrow = look("descending", rate_times_curvature=1.2, trial=trial([0.01, 0.02], newton=0.8, before=0.9))
    assert isinstance(c504.judge(run(narrow, loss=HALF_WAY, accuracy=0.6)), Fired)
    assert isinstance(c504.judge(run(narrow, loss=LEARNED, accuracy=0.95)), Passed)
    nearly_done = [0.35 + 1.95 * 0.9**i for i in range(len(LEARNED))]  # a seventh of ln 10 is left
    assert isinstance(c504.judge(run(narrow, loss=nearly_done, accuracy=0.9)), Fired)
    less = look("descending", rate_times_curvature=1.2, trial=trial([0.01, 0.02], newton=0.4, before=0.9))
    assert isinstance(c504.judge(run(less, loss=nearly_done, accuracy=0.9)), Passed)


def test_other_starts_decide_whether_a_minimum_is_poor() -> None:
    lower = look("minimum", elsewhere={"here": 2.28, "lowest": 0.4, "starts": 12, "lower": 5})
    found = c502.judge(run(lower))
    assert isinstance(found, Fired) and "5 of 12 other starts" in found.sentence and found.confidence == 0.85
    none = look("minimum", elsewhere={"here": 2.28, "lowest": 2.279, "starts": 12, "lower": 0})
    answer = c502.judge(run(none))
    assert isinstance(answer, Passed) and "none of 12 other starts" in answer.reason
    few = look("minimum", elsewhere={"here": 2.28, "lowest": 2.279, "starts": 3, "lower": 0})
    assert isinstance(c502.judge(run(few)), Fired)


def test_next_to_a_minimum_is_the_verdict_where_other_starts_lead_lower_or_nothing_else_is_known() -> None:
    beside = {"distance": 0.8, "gain_left": 1e-4}
    stands = [2.3] * 30 + [2.28] * 70
    alone = run(look("minimum", evidence=beside), loss=stands)
    better = run(look("minimum", evidence=beside, elsewhere={"lowest": 0.4, "starts": 12, "lower": 5}), loss=stands)
    learned = run(look("minimum", evidence=beside | {"loss": 0.05}), loss=LEARNED, accuracy=0.95)
    assert verdict(better).state == "minimum"
    assert verdict(alone).state in ("minimum", "converged")
    assert verdict(learned).state != "minimum"

"""A report from recordings and a judgement."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unstuck.findings import catalog
from unstuck.findings.contract import Advice, Check, Finding, Fired, Judgement, Verdict
from unstuck.live.assemble import assemble, curves, decimate, layers
from unstuck.record.recording import Event, Recording, Series, Stream
from unstuck.report import document

VERDICT = Verdict("learning", "It falls.", {"loss": 0.5})
NOTHING = Judgement(VERDICT, (), ())


def fired(**changes: Any) -> Fired:
    given = {"sentence": "S.", "severity": "warning", "confidence": 0.5, "where": "fc1", "step": 3, **changes}
    return Fired(**given)


def sample(step: int, **params: dict[str, Any]) -> dict[str, Any]:
    return {"s": step, "params": params}


# ---- the whole


def test_nothing_recorded_is_a_report_too() -> None:
    for recordings in ([], [Recording()], [Recording(complete=False)]):
        report = document.check(assemble(recordings, NOTHING))
        assert report["run"]["steps"] == 0 and report["run"]["complete"] is False
        assert report["curves"] == report["layers"] == report["findings"] == []


def test_of_thousands_of_optimizers_the_main_one_and_the_longest_are_told() -> None:
    """An optimizer for each task, as meta-learning makes them."""

    def told_at(steps: int) -> Series:
        return Series(list(range(steps)), [1.0] * steps)

    recording = Recording.of(loss=[1.0, 0.5])
    for number in range(1, 1200):
        steps = 5 if number == 700 else 3
        recording.streams[number] = Stream(number, loss=told_at(steps), seconds=told_at(steps))
    recording.models = [{"name": f"inner {i}"} for i in range(1200)]
    report = document.check(assemble([recording], NOTHING))
    told = [stream["number"] for stream in report["run"]["streams"]]
    assert len(told) == 32 and recording.main.number in told and 700 in told and told == sorted(told)
    assert {curve["stream"] for curve in report["curves"]} == set(told)
    assert report["run"]["unseen"][0]["what"] == "1168 optimizers"


def test_a_finding_is_told_whole_and_its_symptoms_under_it() -> None:
    line = {"file": "train.py", "line": 4, "function": "f", "text": "x = 1"}
    symptom = Finding("G301", "vanishing-gradient", fired(severity="info"))
    advice = Advice("do", "Do it.", "x = 2", line)
    finding = Finding(
        "G303", "dead-units", fired(line=line, advice=(advice,), evidence={"x": math.nan, "n": 3}), (symptom,)
    )
    report = document.check(assemble([Recording.of(loss=[1.0])], Judgement(VERDICT, (finding,), ())))
    (told,) = report["findings"]
    assert told["evidence"] == {"x": "nan", "n": 3}
    assert told["line"] == line and told["basis"] == "watched"
    assert told["remedies"] == [{"name": "do", "text": "Do it.", "code": "x = 2", "line": line, "verified": None}]
    assert [(s["code"], s["severity"], s["symptoms"]) for s in told["symptoms"]] == [("G301", "info", [])]
    assert set(report["pages"]) == {"G301", "G303"}
    assert report["pages"]["G303"] == catalog.page("G303").sections


def test_checks_and_verdict_are_told() -> None:
    checks = (Check("A1", "one", "passed"), Check("B2", "two", "crashed", "ValueError: x"))
    verdict = Verdict("unknown", "Nobody knows.", {"loss": math.inf}, "unstuck explain A1")
    report = document.check(assemble([Recording()], Judgement(verdict, (), checks)))
    assert report["checks"] == [
        {"code": "A1", "name": "one", "status": "passed", "reason": ""},
        {"code": "B2", "name": "two", "status": "crashed", "reason": "ValueError: x"},
    ]
    assert report["verdict"] == {
        "state": "unknown",
        "sentence": "Nobody knows.",
        "evidence": {"loss": "inf"},
        "next_command": "unstuck explain A1",
    }


def test_the_cost_is_a_share_of_the_scripts_own_time() -> None:
    end = {
        "status": 0, "exception": None, "seconds": 10.0, "steps": 4, "watcher_seconds": 0.4, "allowance_seconds": 0.1,
        "start_seconds": 0.02, "running_seconds": 0.28, "measured_seconds": 8.28, "samples": 7, "light_samples": 9,
    }  # fmt: skip
    head = {"settings": {"overhead": 0.03, "allowance_seconds": 1.0}}
    recording = Recording(head=head, end=end)
    overhead = assemble([recording], NOTHING)["run"]["overhead"]
    assert overhead["share"] == pytest.approx(0.4 / 9.6)
    assert overhead["steady_share"] == pytest.approx(0.28 / 8.0)
    assert (overhead["budget"], overhead["allowance_seconds"], overhead["first_samples_seconds"]) == (0.03, 1.0, 0.1)
    assert (overhead["samples"], overhead["light_samples"]) == (7, 9)
    assert (
        assemble([Recording(end={"seconds": 0.0, "watcher_seconds": 0.0})], NOTHING)["run"]["overhead"]["share"] is None
    )


def test_a_run_that_was_cut_off_is_told_as_far_as_it_came() -> None:
    recording = Recording.of(loss=[1.0] * 500)
    recording.complete = False
    recording.extras["status"] = -9
    run = document.check(assemble([recording], NOTHING))["run"]
    assert run["complete"] is False and run["seconds"] == pytest.approx(0.499)
    assert run["exit"] == {"status": -9, "exception": None} and run["overhead"]["share"] is None


def test_models_optimizers_and_what_was_not_seen() -> None:
    parameter = {"name": "w", "shape": [3, 4], "trainable": True, "device": "cpu"}
    frozen = {"name": "b", "shape": [5], "trainable": False, "device": "cuda:0"}
    recording = Recording.of(
        loss=[1.0],
        samples=[{"s": 0, "unseen": [{"what": "net.block", "why": "compiled"}] * 3}],
        events=[Event("unseen", 0, {"what": "net.block", "why": "compiled"}), Event("unseen", 0, {"what": "x"})],
        models=[{"name": "net", "kind": "Net", "modules": [{}, {}], "params": [parameter, frozen]}],
        optimizer={
            "o": 0,
            "kind": "AdamW",
            "groups": [{"lr": 0.1, "betas": [0.9, 0.99], "amsgrad": False, "params": ["w"]}, {}],
        },
    )
    run = document.check(assemble([recording, Recording()], NOTHING, source="somewhere"))["run"]
    assert run["models"] == [
        {"name": "net", "kind": "Net", "compiled": False, "modules": 2, "parameters": 17, "trainable": 12}
    ]
    (stream,) = run["streams"]
    assert run["stream"] == stream["number"]
    assert (stream["optimizer"], stream["groups"], stream["settings"]) == ("AdamW", 2, {"lr": 0.1, "amsgrad": False})
    assert run["unseen"] == [{"what": "net.block", "why": "compiled"}, {"what": "x", "why": ""}]
    assert run["device"] == "cpu, cuda:0" and run["processes"] == 2 and run["source"] == "somewhere"


# ---- curves


VALUES = st.lists(st.floats(allow_nan=True, allow_infinity=True) | st.integers(0, 3).map(float), max_size=300)


@given(VALUES, st.integers(5, 60))
def test_decimation_keeps_ends_and_peaks_and_gaps(values: list[float], points: int) -> None:
    series = Series([2 * i for i in range(len(values))], values)
    thin = decimate(series, points=points)
    assert len(thin) <= max(points, 5)
    pairs = dict(series)
    assert all(pairs[step] == value or value != value for step, value in thin)
    assert list(thin.steps) == sorted(set(thin.steps))
    finite = [v for v in values if math.isfinite(v)]
    kept = [v for v in thin.values if math.isfinite(v)]
    if finite:
        assert min(kept) == min(finite) and max(kept) == max(finite)
    assert (len(kept) < len(thin)) == (len(finite) < len(values))
    if values:
        assert (thin.steps[0], thin.steps[-1]) == (series.steps[0], series.steps[-1])


def test_a_long_curve_has_at_most_4000_points_and_its_spikes() -> None:
    draw = random.Random(0)
    losses = [draw.random() for _ in range(100_000)]
    losses[31_415], losses[92_653], losses[58_979] = 50.0, -50.0, math.nan
    (loss, rate) = curves(Recording.of(loss=losses).main)
    assert len(loss["values"]) <= 4000 and loss["of"] == 100_000 and loss["nonfinite"] == 1
    assert {50.0, -50.0} <= set(loss["values"]) and sum(v != v for v in loss["values"]) == 1
    # What the eye should follow is not moved by spikes.
    assert 150 <= len(loss["smooth"]["values"]) <= 200 and loss["smooth"]["window_steps"] == 500
    assert all(0.4 < v < 0.6 for v in loss["smooth"]["values"])
    assert (rate["name"], set(rate["values"])) == ("learning rate", {0.1})


def test_a_short_curve_is_not_smoothed() -> None:
    assert curves(Recording.of(loss=[1.0] * 50).main)[0]["smooth"] is None
    assert curves(Stream(0)) == []


def test_accuracy_is_of_the_first_term_that_has_one() -> None:
    terms = [{"kind": "penalty"}, {"kind": "nll", "accuracy": 0.25}, {"kind": "nll", "accuracy": 0.75}]
    stream = Recording.of(loss=[1.0], samples=[{"s": 0, "losses": [{"terms": terms}]}, {"s": 4, "losses": []}]).main
    accuracy = next(curve for curve in curves(stream) if curve["name"] == "accuracy")
    assert (accuracy["steps"], accuracy["values"]) == ([0], [0.25])


def test_the_gradient_norm_is_of_all_parameters_or_not_told() -> None:
    whole = {f"p{i}": {"g": 2.0, "o": 0} for i in range(4)} | {"other": {"g": 100.0, "o": 1}, "none": {"g": None}}
    samples = [
        sample(0, **whole),
        sample(1, p0={"g": 9.0, "o": 0}),
        sample(2, **{**whole, "p0": {"g": math.nan, "o": 0}}),
    ]
    norm = next(c for c in curves(Recording.of(loss=[1.0], samples=samples).main) if c["name"] == "gradient norm")
    assert norm["steps"] == [0, 2] and norm["values"][0] == 4.0 and math.isnan(norm["values"][1])


def test_norms_taken_between_samples_are_told_too() -> None:
    stream = Recording.of(loss=[1.0] * 9, samples=[sample(4, w={"g": 3.0})]).main
    stream.gradient_norm = Series([2, 4, 6], [1.0, 99.0, 5.0])
    norm = next(c for c in curves(stream) if c["name"] == "gradient norm")
    assert (norm["steps"], norm["values"]) == ([2, 4, 6], [1.0, 3.0, 5.0])


# ---- layers


def test_the_parameters_of_a_layer_are_one_row_in_forward_order() -> None:
    late = {"g": 3.0, "w": 4.0, "u": 0.1, "gz": 0.0, "n": 30, "order": 7, "layer": "fc2", "o": 0}
    late_bias = {"g": 4.0, "w": 3.0, "u": 0.0, "gz": 1.0, "n": 10, "order": 7, "layer": "fc2", "o": 0}
    early = {"g": math.nan, "w": 0.0, "u": 0.0, "n": 8, "order": 1, "layer": "fc1", "o": 0}
    other = {"g": 1.0, "order": 0, "layer": "critic", "o": 1}
    params = {"fc2.weight": late, "fc2.bias": late_bias, "fc1.weight": early, "critic.w": other, "loose": {"g": None}}
    stream = Recording.of(
        loss=[1.0], samples=[{"s": 0, "params": params, "layers": [{"name": "fc2", "kind": "Linear"}]}, sample(5)]
    ).main
    table = layers(stream)
    assert table is not None and table["steps"] == [0] and table["of"] == 1
    rows, statistics = table["parameters"]["rows"], table["parameters"]["statistics"]
    assert rows == [
        {"name": "fc1", "kind": None, "entries": 8},
        {"name": "fc2", "kind": "Linear", "entries": 40},
        {"name": "loose", "kind": None, "entries": None},
    ]
    assert math.isnan(statistics["gradient_norm"][0][0]) and statistics["gradient_norm"][1:] == [[5.0], [None]]
    assert statistics["weight_norm"] == [[0.0], [5.0], [None]]
    assert statistics["update_ratio"] == [[None], [0.02], [None]]
    assert statistics["zero_gradient_share"] == [[None], [0.25], [None]]


def test_activations_have_rows_of_their_own() -> None:
    acts = [{"name": "relu after fc1", "kind": "relu", "order": 0, "units": 8, "mean": 0.5, "dead": 0.25}]
    later = [*acts, {"name": "tanh", "kind": "tanh", "order": 1, "mean": math.inf, "saturated": 1.0}]
    stream = Recording.of(loss=[1.0], samples=[{"s": 0, "acts": acts}, {"s": 1, "acts": later}]).main
    table = layers(stream)
    assert table is not None
    found = table["activations"]
    assert found["rows"] == [
        {"name": "relu after fc1", "kind": "relu", "entries": 8},
        {"name": "tanh", "kind": "tanh", "entries": None},
    ]
    assert found["statistics"] == {
        "mean": [[0.5, 0.5], [None, math.inf]],
        "dead_share": [[0.25, 0.25], [None, None]],
        "saturated_share": [[None, None], [None, 1.0]],
    }
    assert layers(Stream(0)) is None


def test_of_many_samples_the_first_the_last_and_the_wildest_stay() -> None:
    samples = [sample(10 * i, w={"g": 1.0, "n": 4}) for i in range(5000)]
    samples[777]["params"]["w"]["g"] = 40.0
    samples[3333]["params"]["w"]["g"] = math.nan
    table = layers(Recording.of(loss=[1.0], samples=samples).main)
    assert table is not None and table["of"] == 5000
    steps = table["steps"]
    assert len(steps) <= 240 and steps == sorted(set(steps))
    assert steps[:20] == [10 * i for i in range(20)] and {7770, 33330, 49990} <= set(steps)

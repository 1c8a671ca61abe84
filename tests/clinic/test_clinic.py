"""The clinic: its corpus, its split, its runner and its arithmetic."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from unstuck.clinic.beginnings import beginnings, up_to
from unstuck.clinic.corpus import Case, held_out, read_corpus
from unstuck.clinic.page import markdown, render
from unstuck.clinic.runner import Outcome, run_cases
from unstuck.clinic.score import Share, parts, score
from unstuck.clinic.tables import line
from unstuck.core.errors import BadInput
from unstuck.record.recording import Event, Recording

SICK = """
import argparse, torch
parser = argparse.ArgumentParser(); parser.add_argument("--seed", type=int, default=0)
torch.manual_seed(parser.parse_args().seed)
x = torch.randn(256, 4); y = (x[:, 0] > 0).long()
model = torch.nn.Sequential(torch.nn.Linear(4, 16), torch.nn.ReLU(), torch.nn.Linear(16, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
for step in range(80):
    part = torch.randint(0, 256, (32,))
    loss = torch.nn.functional.cross_entropy(model(x[part]), y[part])
    optimizer.zero_grad()
    loss.backward()
    STEP
print("accuracy", (model(x).argmax(1) == y).float().mean().item())
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for kind in ("sick", "mended", "healthy"):
        (tmp_path / kind).mkdir()
    (tmp_path / "sick" / "plain.py").write_text(SICK.replace("STEP", "pass"))
    (tmp_path / "mended" / "plain.py").write_text(SICK.replace("STEP", "optimizer.step()"))
    (tmp_path / "healthy" / "other.py").write_text(SICK.replace("STEP", "optimizer.step()"))
    truth = {
        "well": ["learning", "converged", "unknown", "minimum"],
        "sick": {"plain": {"codes": ["U411"], "also_acceptable": ["U409"], "verdict": ["not-moving"]}},
        "healthy": {"other": {"verdict": ["learning", "converged"]}},
    }
    (tmp_path / "truth.json").write_text(json.dumps(truth))
    return tmp_path


def test_a_corpus_is_read(folder: Path) -> None:
    corpus = read_corpus(folder)
    assert [c.key for c in corpus.cases] == ["sick/plain", "mended/plain", "healthy/other"]
    assert corpus.cases[0].codes == ("U411",) and corpus.cases[1].codes == ()
    assert [c.key for c in corpus.chosen(["healthy"])] == ["healthy/other"]
    assert len(corpus.chosen(sample=1)) == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "JSON"),
        ("[]", "object"),
        ('{"sick": {"../x": {}}}', "without a folder"),
        ('{"sick": {"no": {}}}', "exists"),
    ],
)
def test_bad_corpora_are_named(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "truth.json").write_text(text)
    with pytest.raises(BadInput, match=words):
        read_corpus(tmp_path)


def test_the_split_is_that_of_the_readme() -> None:
    names = [c.name for c in read_corpus(Path(__file__).parents[2] / "clinic").cases]
    share = sum(map(held_out, names)) / len(names)
    assert 0.35 < share < 0.65
    assert held_out("digits_conv_adam") and not held_out("wine_two_towers")


def test_end_to_end(folder: Path, tmp_path: Path) -> None:
    keep = tmp_path / "kept"
    outcomes = run_cases(read_corpus(folder).cases, jobs=2, keep=keep)
    assert [o.codes[:1] for o in outcomes] == [["U411"], [], []]
    found = score(outcomes)
    assert found.pairs.value == 1.0 and found.first.value == 1.0 and found.alarms_healthy.value == 0.0
    assert outcomes[0].stood is not None and found.failed == 0
    again = run_cases(read_corpus(folder).cases, keep=keep)
    assert [o.seconds for o in again] == [o.seconds for o in outcomes]  # read, not run
    page = render(parts(outcomes), outcomes, names={"U411": "optimizer-never-steps"}, version="1")
    assert "optimizer-never-steps" in page and "http" not in page.replace("http-equiv", "")
    assert "| U411 |" in markdown(parts(outcomes), names={})


def test_a_recording_that_cannot_be_read_is_one_cases_problem(folder: Path, tmp_path: Path) -> None:
    cases = read_corpus(folder).cases
    keep = tmp_path / "kept"
    report = {"report": {"verdict": {}, "findings": []}, "seconds": 1.0}
    for case in cases:
        (keep / f"{case.kind}-{case.name}-0").mkdir(parents=True)
        (keep / f"{case.kind}-{case.name}-0.json").write_text(json.dumps(report))
    broken = keep / f"{cases[0].kind}-{cases[0].name}-0" / "journal-0-1.jsonl"
    broken.write_text('{"e":"head","schema":"another"}\n')
    outcomes = run_cases(cases, keep=keep, again=True)
    assert len(outcomes) == len(cases) and all(o.report is None and o.problem for o in outcomes)
    assert "another" in outcomes[0].problem


def outcome(kind: Any, name: str, codes: list[str], *, truth: tuple[str, ...] = (), sure: float = 0.9) -> Outcome:
    case = Case(name, kind, Path("x.py"), truth, (), ("learning",))
    findings = [{"code": c, "severity": "warning", "confidence": sure} for c in codes]
    report = {"verdict": {"state": "learning"}, "findings": findings, "checks": [{"code": "D101", "status": "passed"}]}
    return Outcome(case, 0, report, 1.0)


def test_scores_by_hand() -> None:
    outcomes = [
        outcome("sick", "a", ["D101"], truth=("D101",)),
        outcome("mended", "a", []),
        outcome("sick", "b", ["U401", "L201"], truth=("L201",)),
        outcome("mended", "b", ["U401"], sure=0.5),
        outcome("sick", "c", [], truth=("L205",)),
        outcome("mended", "c", []),
        outcome("healthy", "d", ["U401"]),
    ]
    found = score(outcomes)
    assert (found.detection.hits, found.first.hits, found.first_few.hits) == (2, 1, 2)
    assert found.pairs == Share(1, 3)  # b is named, but its twin is not left in peace
    assert found.alarms_mended == Share(1, 3) and found.alarms_healthy == Share(1, 1)
    assert found.sure_right == Share(2, 4) and found.right_sure == Share(1, 1)
    by_code = {c.code: c for c in found.codes}
    assert by_code["U401"].precision == Share(0, 3) and by_code["L201"].recall == Share(1, 1)
    assert found.alarm_codes == (("U401", 2),)
    assert dict(found.statuses)["D101"] == {"passed": 4}


def test_a_run_without_a_report_counts_as_nothing_found() -> None:
    lost = Outcome(Case("a", "sick", Path("x.py"), ("D101",)), 0, None, 1.0, problem="killed")
    found = score([lost])
    assert found.detection == Share(0, 1) and found.failed == 1 and "killed" in line(lost)


def test_beginnings_end_with_the_whole() -> None:
    recording = Recording.of(loss=[1.0] * 100, events=[Event("nonfinite", 50, {})], end={"status": 0})
    steps = [step for step, _ in beginnings(recording)]
    assert steps[0] == 5 and steps[-1] == 100 and steps == sorted(set(steps))
    early = up_to(recording, 40)
    assert len(early.main.loss) == 40 and not early.events and early.end is None
    assert recording.events  # the recording itself is left as it is

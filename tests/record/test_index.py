"""The index: what is added is what is rebuilt, whoever writes at the same time, whatever the files hold."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from unstuck.record.index import Index, IndexUnavailable
from unstuck.record.journal import Journal
from unstuck.record.runs import RunFolder, list_runs, new_run

START = 1_795_262_275.0
REPORT: dict[str, Any] = {
    "schema": "unstuck.report/1",
    "verdict": {"state": "no-gradient", "sentence": "The gradient is exactly zero from step 0."},
    "findings": [
        {"code": "G307", "name": "no-gradient-path", "severity": "error", "basis": "watched", "confidence": 1.0}
        | {"where": "fc1.weight", "step": 0, "sentence": "fc1.weight gets no gradient."},
        {"code": "D101", "name": "inputs-not-normalized", "severity": "warning", "confidence": 0.5, "step": None},
    ],
}


def ran(base: Path, number: int, *, report: object = None, killed: bool = False) -> RunFolder:
    """A run on disk, with its journals and its report."""
    run = new_run(base, f"train{number}.py", now=START + 60 * number)
    for rank in (1, 0):
        journal = Journal(run.journal(rank, 100 + rank))
        journal.record(
            {"e": "head", "schema": "unstuck.journal/1", "rank": rank, "time": START + 60 * number}
            | {"script": f"train{number}.py", "argv": ["train.py", "--lr", str(number)]}
            | {"versions": {"python": "3.11.2", "unstuck": "0.1.0"}}
        )
        journal.record({"e": "torch", "version": "2.13.0"})
        for step in range(10):
            journal.step(0, step, 0.5 * step, 1.0 / (1 + step + rank), 32)
        if not killed:
            journal.record({"e": "end", "status": 3, "exception": {"type": "OSError"}, "seconds": 5.5, "steps": 10})
        journal.close()
    if report is not None:
        run.report_json.write_text(json.dumps(report))
    return run


def everything(base: Path) -> list[str]:
    with Index(base) as index:
        return [repr(run) for run in index.runs(limit=1000)]


def test_what_is_known_of_a_run(tmp_path: Path) -> None:
    run = ran(tmp_path, 0, report=REPORT)
    with Index(tmp_path) as index:
        index.add(run, REPORT)
        (found,) = index.runs()
    assert (found.id, found.script, found.started) == (run.id, "train0.py", START)
    assert json.loads(found.arguments) == ["train.py", "--lr", "0"]
    assert (found.seconds, found.steps, found.processes, found.status, found.exception) == (5.5, 10, 2, 3, "OSError")
    assert (found.python, found.torch, found.unstuck, found.complete) == ("3.11.2", "2.13.0", "0.1.0", True)
    assert found.last_loss == 0.1  # of rank 0
    assert (found.verdict, found.errors, found.warnings) == ("no-gradient", 1, 1)
    first, second = found.findings
    assert (first.code, first.place, first.location, first.step) == ("G307", 0, "fc1.weight", 0)
    assert (second.code, second.place, second.basis, second.step) == ("D101", 1, "", None)


def test_a_killed_run(tmp_path: Path) -> None:
    seen_by_parent = {**REPORT, "run": {"exit": {"status": -9}}}
    run = ran(tmp_path, 0, report=seen_by_parent, killed=True)
    with Index(tmp_path) as index:
        index.add(run)
        (found,) = index.runs()
    assert not found.complete and (found.steps, found.seconds, found.status) == (10, 4.5, -9)


def test_rebuilding_gives_the_same_index(tmp_path: Path) -> None:
    for number, report in enumerate([REPORT, None, {"verdict": {"state": "learning"}, "findings": []}]):
        run = ran(tmp_path, number, report=report, killed=number == 1)
        with Index(tmp_path) as index:
            index.add(run, report)
    added = everything(tmp_path)
    assert len(added) == 3
    with Index(tmp_path) as index:
        assert index.rebuild() == 3
    assert everything(tmp_path) == added
    (tmp_path / "index.sqlite").unlink()
    assert everything(tmp_path) == added  # also by itself, when it was deleted


def test_adding_again_replaces(tmp_path: Path) -> None:
    run = ran(tmp_path, 0)
    with Index(tmp_path) as index:
        index.add(run.path, REPORT)
        index.add(run.path, {"verdict": {"state": "learning"}})
        (found,) = index.runs()
    assert found.verdict == "learning" and found.findings == ()


def test_asking_for_some(tmp_path: Path) -> None:
    runs = [
        ran(tmp_path, number, report=REPORT if number % 2 else {"verdict": {"state": "learning"}})
        for number in range(4)
    ]
    with Index(tmp_path) as index:
        assert [r.id for r in index.runs()] == [r.id for r in reversed(runs)]
        assert [r.id for r in index.runs(limit=1)] == [runs[3].id]
        assert [r.id for r in index.runs(verdict="learning")] == [runs[2].id, runs[0].id]
        assert [r.id for r in index.runs(code="D101")] == [runs[3].id, runs[1].id]
        assert index.runs(code="'; DROP TABLE runs; --") == []
        for place in (*runs[3].path.iterdir(), runs[3].path):
            place.unlink() if place.is_file() else place.rmdir()
        assert runs[3].id not in [r.id for r in index.runs()]


def test_nothing_there_yet(tmp_path: Path) -> None:
    with Index(tmp_path) as index:
        assert index.runs() == []
    assert not (tmp_path / "index.sqlite").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not json",
        b"[1]",
        b"\xff\xff",
        b"[" * 100_000,
        b'{"verdict":3,"findings":{"a":1}}',
        b'{"verdict":{"state":[1],"sentence":{}},"findings":[1,null,"x"]}',
        b'{"verdict":{"state":"\\ud800","sentence":"\\u0000<script>"},"findings":[{"code":"\\udfff","step":"1"}]}',
        b'{"findings":[{"step":' + b"9" * 50 + b',"confidence":1e999}]}',
        b'{"findings":[{"step":' + b"9" * 5000 + b"}]}",
        b'{"findings":[{"confidence":NaN,"severity":["error"]}],"run":{"exit":{"status":"x"}}}',
        b'{"findings":[' + b",".join([b'{"code":"' + b"x" * 3000 + b'"}'] * 600) + b"]}",
    ],
    ids=lambda content: content[:40].decode("latin-1"),
)
def test_a_report_is_not_trusted(tmp_path: Path, content: bytes) -> None:
    run = ran(tmp_path, 0)
    run.report_json.write_bytes(content)
    with Index(tmp_path) as index:
        index.add(run)
        assert index.rebuild() == 1
        (found,) = index.runs()
    assert found.steps == 10 and len(found.findings) <= 500
    assert all(len(finding.code) <= 2000 for finding in found.findings)
    repr(found).encode("utf-8")


def test_damaged_journals_do_not_stop_it(tmp_path: Path) -> None:
    good, bad, empty = ran(tmp_path, 0), new_run(tmp_path, "bad.py"), new_run(tmp_path, "empty.py")
    bad.journal(0, 1).write_bytes(b"\x00\xff garbage\n")
    with Index(tmp_path) as index:
        for run in (good, bad, empty):
            index.add(run, {})
        assert {r.id: r.processes for r in index.runs()} == {good.id: 2, bad.id: 0, empty.id: 0}


@pytest.mark.parametrize("content", [b"no database, just text" * 100, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_index_is_made_anew(tmp_path: Path, content: bytes) -> None:
    run = ran(tmp_path, 0, report=REPORT)
    (tmp_path / "index.sqlite").write_bytes(content)
    with Index(tmp_path) as index:
        assert [r.id for r in index.runs()] == [run.id]


def test_an_index_of_another_schema_is_made_anew(tmp_path: Path) -> None:
    run = ran(tmp_path, 0, report=REPORT)
    connection = sqlite3.connect(tmp_path / "index.sqlite")
    connection.executescript("CREATE TABLE runs (x); CREATE TABLE findings (y); PRAGMA user_version = 99;")
    connection.close()
    with Index(tmp_path) as index:
        assert [r.verdict for r in index.runs() if r.id == run.id] == ["no-gradient"]


def test_an_index_that_cannot_be_written(tmp_path: Path) -> None:
    run = ran(tmp_path, 0)
    (tmp_path / "index.sqlite").mkdir()
    with Index(tmp_path) as index, pytest.raises(IndexUnavailable, match=r"index\.sqlite"):
        index.add(run)


def test_processes_adding_at_once(tmp_path: Path) -> None:
    runs = [ran(tmp_path, number) for number in range(12)]
    script = """
import sys
from pathlib import Path
from unstuck.record.index import Index
sys.stdin.readline()  # all begin together
for place in sys.argv[2:]:
    with Index(sys.argv[1]) as index:
        index.add(Path(place), {"verdict": {"state": "learning"}, "findings": [{"code": "T701"}]})
"""
    command = [sys.executable, "-c", script, str(tmp_path)]
    started = [
        subprocess.Popen([*command, *(str(run.path) for run in runs[i::3])], stdin=subprocess.PIPE, text=True)
        for i in range(3)
    ]
    for process in started:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in started:
        process.communicate()
        assert process.returncode == 0
    with Index(tmp_path) as index:
        found = index.runs(limit=100)
    assert sorted(r.id for r in found) == [run.id for run in list_runs(tmp_path)]
    assert all(r.verdict == "learning" and r.findings[0].code == "T701" for r in found)

"""``unstuck report``: on journals, on runs that were killed, on reports that were handed on."""

from __future__ import annotations

import json
import webbrowser
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from unstuck.cli.report import project, report
from unstuck.core.errors import BadInput
from unstuck.record.journal import Journal
from unstuck.record.runs import RunFolder, new_run
from unstuck.report.document import read_document

app = typer.Typer()
app.command()(report)


def invoke(*arguments: str | Path) -> Any:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def run(*arguments: str | Path) -> str:
    result = invoke(*arguments)
    if result.exception is not None:
        raise result.exception
    return str(result.output)


def recorded(base: Path, *, script: str = "train.py", ended: bool = True) -> RunFolder:
    """A run of fifty steps whose loss falls."""
    folder = new_run(base, script)
    journal = Journal(folder.journal(0, 7))
    journal.record(
        {
            "e": "head", "schema": "unstuck.journal/1", "run": folder.id, "pid": 7, "rank": 0, "world": 1,
            "time": 1.0e9, "script": script, "argv": [script], "cwd": str(base), "versions": {"python": "3.11"},
            "settings": {"overhead": 0.03, "allowance_seconds": 1.0, "full_samples": 20},
        }
    )  # fmt: skip
    journal.record({"e": "optimizer", "o": 0, "kind": "SGD", "groups": [{"lr": 0.1, "params": ["w"]}], "line": None})
    for step in range(50):
        journal.step(0, step, 0.01 * step, 2.0 * 0.97**step, 32)
    if ended:
        journal.record(
            {
                "e": "end",
                "status": 0,
                "exception": None,
                "seconds": 0.6,
                "steps": 50,
                "watcher_seconds": 0.01,
                "samples": 0,
            }
        )
        journal.close()
    return folder


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return tmp_path / ".unstuck"


def test_a_run_is_judged_and_its_files_are_written(base: Path, tmp_path: Path) -> None:
    folder = recorded(base)
    for wanted in ("last", folder.id, folder.id[-4:], folder.path, folder.journal(0, 7)):
        folder.report_json.unlink(missing_ok=True)
        text = run(wanted, "--dir", base)
        assert "50 steps" in text
        document = read_document(folder.report_json)
        assert document["run"]["steps"] == 50 and document["run"]["id"] == folder.id
        assert document["curves"][0]["name"] == "loss" and len(document["checks"]) > 5
        assert folder.report_html.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_files_go_where_they_are_wanted(base: Path, tmp_path: Path) -> None:
    recorded(base)
    text = run("last", "--dir", base, "--json", tmp_path / "a.json", "--html", tmp_path / "b.html")
    assert read_document(tmp_path / "a.json")["run"]["steps"] == 50
    assert (tmp_path / "b.html").exists() and "b.html" in text


def test_a_killed_run_keeps_the_status_that_its_parent_saw(base: Path) -> None:
    folder = recorded(base, ended=False)
    run("last", "--dir", base)
    document = read_document(folder.report_json)
    assert document["run"]["complete"] is False and document["run"]["exit"]["status"] is None
    document["run"]["exit"]["status"] = -9
    folder.report_json.write_text(json.dumps(document))
    run("last", "--dir", base)
    assert read_document(folder.report_json)["run"]["exit"]["status"] == -9
    folder.report_json.write_text("{")  # an earlier report that is damaged is no hindrance
    run("last", "--dir", base)
    assert read_document(folder.report_json)["run"]["exit"]["status"] is None


TREATMENT: dict[str, Any] = {
    "sentence": "None helped: of 0 remedies tried none raised it.",
    "yardstick": {"measured_on": "validation", "kind": "balanced accuracy", "least_effect": 0.05, "steps": None},
    "recommended": None,
    "nothing": {"label": "nothing changed", "values": [0.3, 0.3], "curve": {"steps": [10, 30], "values": [0.1, 0.3]}},
    "halved": None, "random": None, "remedies": [], "trials": 0, "replays": 2, "seconds": 6.0, "warnings": [],
}  # fmt: skip


def test_what_a_cure_found_stays_in_the_report(base: Path) -> None:
    folder = recorded(base)
    left = folder.path / "treatment.json"
    left.write_text(json.dumps(TREATMENT))
    run("last", "--dir", base)
    assert read_document(folder.report_json)["treatment"]["sentence"] == TREATMENT["sentence"]
    assert "None helped" in folder.report_html.read_text(encoding="utf-8")
    for damaged in ("{", "[]", json.dumps({**TREATMENT, "trials": "many"})):
        left.write_text(damaged)
        run("last", "--dir", base)
        assert "treatment" not in read_document(folder.report_json)


def test_a_report_that_was_handed_on_is_shown(base: Path, tmp_path: Path) -> None:
    folder = recorded(base)
    first = run("last", "--dir", base)
    alone = tmp_path / "elsewhere" / "somebody.json"
    alone.parent.mkdir()
    alone.write_bytes(folder.report_json.read_bytes())
    text = run(alone, "--html", alone.parent / "page.html", "--json", alone.parent / "copy.json")
    assert text.splitlines()[0] == first.splitlines()[0]
    assert (alone.parent / "page.html").exists()
    assert read_document(alone.parent / "copy.json") == read_document(alone)
    alone.write_text('{"schema": "something else"}')
    with pytest.raises(BadInput, match=r"report\.run"):
        run(alone)


def test_without_a_run_the_latest_are_listed(base: Path) -> None:
    with pytest.raises(BadInput, match="no runs in"):
        run("--dir", base)
    one, two = recorded(base, script="one.py"), recorded(base, script="two.py")
    run(one.id, "--dir", base)
    text = run("--dir", base)
    assert one.id in text and two.id in text and "50 steps" in text
    with pytest.raises(BadInput, match="a run to write a report on"):
        run("--dir", base, "--html", base / "x.html")


def test_the_index_is_made_anew(base: Path) -> None:
    recorded(base)
    assert "1 runs" in run("--dir", base, "--rebuild")
    (base / "index.sqlite").write_bytes(b"no index")
    assert "1 runs" in run("--dir", base, "--rebuild")


def test_what_is_no_run(base: Path, tmp_path: Path) -> None:
    for wanted in ("last", "x", tmp_path / "none", tmp_path):
        with pytest.raises(BadInput):
            run(wanted, "--dir", base)
    empty = new_run(base, "train.py")
    with pytest.raises(BadInput, match="a journal"):
        run("last", "--dir", base)
    empty.journal(0, 1).write_text("no journal\n")
    with pytest.raises(BadInput):
        run("last", "--dir", base)


def test_the_page_is_opened(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    folder = recorded(base)
    run("last", "--dir", base, "--open")
    assert opened == [folder.report_html.as_uri()]


def test_the_project_is_found_from_below(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    below = tmp_path / "src" / "deep"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    if not any(
        (folder / ".unstuck").is_dir() for folder in below.parents
    ):  # of somebody's own, above the test's folder
        assert project(None) == below / ".unstuck"
    recorded(base)
    assert project(None) == base
    assert project(Path("other")) == below / "other"

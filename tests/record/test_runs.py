"""Run folders: names that sort and never meet, and lookups that cannot be led astray."""

import subprocess
import sys
from pathlib import Path

import pytest

from unstuck.core.errors import BadInput
from unstuck.record.runs import find_run, list_runs, new_run, project_folder, shared_run

NOON = 1_795_262_275.0


def test_a_new_run(tmp_path: Path) -> None:
    base = project_folder(tmp_path)
    run = new_run(base, "deep/train.py", now=NOON)
    assert run.path.parent == tmp_path / ".unstuck" / "runs" and run.path.is_dir()
    assert (base / ".gitignore").read_text() == "*\n"
    date, word, suffix = run.id[:17], run.id[18:-5], run.id[-4:]
    assert date.startswith("2026-11-2") and word == "train" and int(suffix, 16) >= 0
    assert run.journal(0, 12).name == "journal-0-12.jsonl"


@pytest.mark.parametrize(
    ("script", "word"),
    [
        ("train.py", "train"),
        ("package.sub.train", "train"),
        ("../../etc/passwd.py", "passwd"),
        ("a\\b\\fit.py", "fit"),
        ("mit leer zeichen ü.py", "mit-leer-zeichen"),
        ("..", "script"),
        ("", "script"),
        ("x" * 300 + ".py", "x" * 40),
    ],
)
def test_the_word_in_a_name(tmp_path: Path, script: str, word: str) -> None:
    run = new_run(tmp_path, script, now=NOON)
    assert run.id[18:-5] == word and run.path.parent == tmp_path / "runs"


def test_many_runs_in_one_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suffixes = iter(["aaaa", "aaaa", "aaaa", "bbbb"])
    monkeypatch.setattr("secrets.token_hex", lambda _: next(suffixes))
    runs = [new_run(tmp_path, "train.py", now=NOON) for _ in range(2)]
    assert runs[0].id != runs[1].id and runs[1].id.endswith("bbbb")


def test_sorted_by_name_is_sorted_by_start(tmp_path: Path) -> None:
    runs = [new_run(tmp_path, script, now=NOON + 100 * i) for i, script in enumerate(("z.py", "a.py", "m.py"))]
    assert list_runs(tmp_path) == runs and sorted(run.id for run in runs) == [run.id for run in runs]
    assert find_run(tmp_path) == find_run(tmp_path, "last") == runs[-1]


def test_finding_a_run(tmp_path: Path) -> None:
    first, second = new_run(tmp_path, "train.py", now=NOON), new_run(tmp_path, "fit.py", now=NOON + 3600)
    assert find_run(tmp_path, first.id) == first
    assert find_run(tmp_path, first.id[-4:]) == first
    assert find_run(tmp_path, second.id[:20]) == second
    (second.path / "journal-0-1.jsonl").write_text("")
    assert find_run(tmp_path / "elsewhere", second.path).path == second.path
    assert find_run(tmp_path / "elsewhere", second.path / "journal-0-1.jsonl").path == second.path


def test_what_is_not_found_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="none yet"):
        find_run(tmp_path, "last")
    runs = [new_run(tmp_path, "train.py", now=NOON + i) for i in range(3)]
    with pytest.raises(BadInput, match=runs[1].id):
        find_run(tmp_path, runs[1].id[:-1] + "?")
    with pytest.raises(BadInput, match="one run"):
        find_run(tmp_path, runs[0].id[:10])
    with pytest.raises(BadInput, match=runs[2].id):
        find_run(tmp_path, "nothing like it")


@pytest.mark.parametrize("name", ["../outside", "..", ".", "", "/", "runs/../../outside", "\0", "x" * 5000, "a/b"])
@pytest.mark.parametrize("paths", [True, False])
def test_no_name_leads_out(tmp_path: Path, name: str, paths: bool) -> None:
    base = tmp_path / "project"
    new_run(base, "train.py")
    (tmp_path / "outside").mkdir()
    with pytest.raises(BadInput):
        find_run(base, name, paths=paths)


def test_paths_only_when_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base, other = tmp_path / "one", tmp_path / "other"
    new_run(base, "train.py")
    run = new_run(other, "fit.py")
    run.report_json.write_text("{}")
    assert find_run(base, run.path).path == run.path
    with pytest.raises(BadInput):
        find_run(base, run.path, paths=False)
    monkeypatch.chdir(base)
    with pytest.raises(BadInput):
        find_run(base, f"../other/runs/{run.id}", paths=False)


def test_links_and_strays_are_no_runs(tmp_path: Path) -> None:
    run = new_run(tmp_path, "train.py")
    (tmp_path / "runs" / "2026-01-01-000000-link-0000").symlink_to(tmp_path)
    (tmp_path / "runs" / "notes").mkdir()
    (tmp_path / "runs" / "2026-01-01-000000-file-0000").write_text("")
    assert list_runs(tmp_path) == [run]


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for make in (new_run, shared_run):
        with pytest.raises(BadInput, match="project folder"):
            make(tmp_path / "file" / ".unstuck", "train.py")


def test_processes_share_a_run(tmp_path: Path) -> None:
    script = "import sys; from unstuck.record.runs import shared_run; print(shared_run(sys.argv[1], '../job 7').id)"
    command = [sys.executable, "-c", script, str(tmp_path)]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    names = {process.communicate()[0].strip() for process in started}
    assert len(names) == 1 and [run.id for run in list_runs(tmp_path)] == list(names)
    (run,) = list_runs(tmp_path)
    run.path.rmdir()
    assert shared_run(tmp_path, "../job 7").path.is_dir()  # the old one is gone: a new one, not a dead link

"""A replay's writes stay in its folder."""

from __future__ import annotations

import subprocess
import sys

from unstuck.treatment.isolation import make_copy, warnings_for

SCRIPT = """
import os, sys, socket, shutil
from pathlib import Path
from unstuck.treatment.isolation import Guard

scratch, theirs = Path(sys.argv[1]), Path(sys.argv[2])
guard = Guard(scratch)
guard.allowed = (os.path.realpath(scratch) + os.sep, "/dev/", "/proc/")  # the test's own folders are temporary ones
guard.set()
with open(theirs / "results.txt", "w") as file:
    file.write("new")
assert open(theirs / "results.txt").read() == "new"
(theirs / "deeper").mkdir()
(theirs / "more.txt").write_text("x")
with open(theirs / "log.txt", "a") as file:
    file.write(" and more")
assert (theirs / "log.txt").read_text() == "old and more"
for attempt in (
    lambda: os.remove(theirs / "log.txt"),
    lambda: shutil.rmtree(theirs),
    lambda: os.rename(scratch / "a", theirs / "b"),
    lambda: os.open(theirs / "raw", os.O_WRONLY | os.O_CREAT),
    lambda: socket.create_connection(("192.0.2.1", 80), timeout=1),
):
    try:
        attempt()
    except (PermissionError, ConnectionRefusedError) as error:
        assert "unstuck cure" in str(error), error
    else:
        raise SystemExit("not refused")
with open(scratch / "own.txt", "w") as file:
    file.write("fine")
print("held")
"""


def test_writes_outside_are_moved_and_deletions_refused(tmp_path):
    scratch, theirs = tmp_path / "scratch", tmp_path / "theirs"
    scratch.mkdir()
    theirs.mkdir()
    (theirs / "log.txt").write_text("old")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(scratch), str(theirs)], capture_output=True, text=True, timeout=120
    )
    assert done.stdout == "held\n", done.stderr
    assert sorted(p.name for p in theirs.iterdir()) == ["log.txt"]
    assert (theirs / "log.txt").read_text() == "old"
    assert (scratch / "own.txt").read_text() == "fine"


def test_the_copy_is_a_copy(tmp_path):
    source = tmp_path / "source"
    (source / "data").mkdir(parents=True)
    (source / "data" / "a.txt").write_text("a")
    (source / ".git").mkdir()
    make_copy(source, tmp_path / "copy")
    (tmp_path / "copy" / "data" / "a.txt").write_text("changed")
    assert (source / "data" / "a.txt").read_text() == "a"
    assert not (tmp_path / "copy" / ".git").exists()


def test_what_cannot_be_isolated_is_said():
    text = "import subprocess\nx = input('go?')\n# requests in a comment\n"
    said = " ".join(warnings_for(text))
    assert "other programs" in said and "standard input" in said and "network" not in said

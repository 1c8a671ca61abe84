"""The one door: what make and the check of a change do, tried with stand-ins for the slow parts."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
TOOLS = ("sh", "bash", "dirname", "id", "awk", "env", "cat", "rm", "touch", "find", "mkdir", "make", "chmod")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with the door alone, and a PATH of ours with nothing but the basic tools."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / ".ci", tmp_path / ".ci")
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in TOOLS:
        if found := shutil.which(name):
            (tools / name).symlink_to(found)
    stand_in(tools / "chromium", "exit 0")  # so that nothing is installed
    return tmp_path


def stand_in(path: Path, script: str) -> None:
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def run(clone: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "PYTHON"))}
    environment = {**kept, "PATH": str(clone / "tools"), **variables}
    return subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True)


# A Python that is new enough, makes environments of stand-ins like itself, and writes down what it is asked.
PYTHON = """
echo "$0 $*" >> "$LOG"
case "$*" in
    "-m venv .venv")
        mkdir -p .venv/bin
        cd .venv/bin
        for tool in python ruff mypy lint-imports unstuck; do cat "$0" > "$tool"; chmod +x "$tool"; done ;;
    *"-m pytest"*) echo "3 passed, 1 failed in 0.1s"; exit "${PYTEST_STATUS:-0}" ;;
    *"-m pip"*) exit "${PIP_STATUS:-0}" ;;
esac
"""


@needs_make
def test_help_names_every_target(clone: Path) -> None:
    targets = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)[0].split()
    done = run(clone, "make")
    assert re.findall(r"^make (\w+) +\w", done.stdout, re.MULTILINE) == targets
    assert {"demo", "test", "check", "fast", "slow", "look", "bench", "clean"} <= set(targets)


@needs_make
def test_two_commands_do_everything(clone: Path) -> None:
    log = clone / "log"
    stand_in(clone / "tools" / "python3.12", PYTHON)
    first = run(clone, "make", "demo", LOG=str(log))
    assert first.returncode == 0, first.stderr
    asked = log.read_text().splitlines()
    assert any(line.endswith("tools/python3.12 -m venv .venv") for line in asked)
    assert any("-m pip install" in line and "-c constraints.txt -e .[lab,dev]" in line for line in asked)
    assert asked[-1] == ".venv/bin/unstuck demo"
    log.unlink()
    assert run(clone, "make", "test", LOG=str(log)).returncode == 0
    assert "pip install" not in log.read_text() and "-m pytest" in log.read_text()  # installed once
    os.utime(clone / "constraints.txt", (4e9, 4e9))
    run(clone, "make", "test", LOG=str(log))
    assert "pip install" in log.read_text()  # and again when the pins changed


@needs_make
def test_a_broken_installation_is_not_taken_for_one(clone: Path) -> None:
    stand_in(clone / "tools" / "python3.11", PYTHON)
    assert run(clone, "make", "test", LOG="log", PIP_STATUS="1").returncode != 0
    assert not (clone / ".venv" / "installed").exists()


@needs_make
def test_without_a_python_it_says_what_to_do(clone: Path) -> None:
    stand_in(clone / "tools" / "python3", "exit 1")  # too old
    done = run(clone, "make", "test")
    assert done.returncode != 0 and "Python 3.11 or newer" in done.stderr and "python3-venv" in done.stderr
    done = run(clone, "make", "test", "PYTHON=/nowhere/python")
    assert done.returncode != 0 and "/nowhere/python" in done.stderr


@needs_make
@pytest.mark.parametrize(("status", "passes"), [("0", True), ("1", False)])
def test_the_check_fails_when_a_test_fails(clone: Path, status: str, passes: bool) -> None:
    stand_in(clone / "tools" / "python3.11", PYTHON)
    done = run(clone, ".ci/run", LOG="log", PYTEST_STATUS=status)
    assert (done.returncode == 0) == passes
    assert "3 passed, 1 failed in 0.1s" in done.stdout  # the closing line is shown
    asked = (clone / "log").read_text()
    assert "ruff check" in asked and ".venv/bin/mypy" in asked and "lint-imports" in asked


@needs_make
def test_the_check_fails_when_lint_fails(clone: Path) -> None:
    stand_in(clone / "tools" / "python3.11", PYTHON)
    run(clone, "make", "test", LOG="log")
    stand_in(clone / ".venv" / "bin" / "mypy", "exit 1")
    assert run(clone, ".ci/run", LOG="log").returncode != 0


@needs_make
def test_a_browser_that_cannot_be_installed_stops_nothing(clone: Path) -> None:
    (clone / "tools" / "chromium").unlink()
    stand_in(clone / "tools" / "id", "echo 0")
    stand_in(clone / "tools" / "apt-get", "exit 100")
    stand_in(clone / "tools" / "python3.11", PYTHON)
    done = run(clone, ".ci/run", LOG="log")
    assert done.returncode == 0 and "browser tests will skip" in done.stdout

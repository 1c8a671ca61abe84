"""What importing brings along: the front door is light, plain-number floors never bring torch."""

import subprocess
import sys

import pytest

HEAVY = ("torch", "numpy", "rich", "jinja2", "typer", "sklearn", "matplotlib")


def brought(statement: str) -> set[str]:
    """Names of the modules that a fresh interpreter has after the statement and had not before."""
    script = f"import sys; before = set(sys.modules); {statement}; print('\\n'.join(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    return set(done.stdout.split())


def test_the_front_door_is_light() -> None:
    modules = brought("import unstuck")
    assert not modules & set(HEAVY)
    assert len(modules) < 60, sorted(modules)


@pytest.mark.parametrize("name", ["core.errors", "record.journal", "record.reader", "record.runs", "record.index"])
def test_the_record_is_standard_library_only(name: str) -> None:
    assert not brought(f"import unstuck.{name}") & set(HEAVY)


@pytest.mark.parametrize("name", ["cli.main", "launch.parent", "findings.catalog", "report.terminal"])
def test_the_parent_process_never_pays_for_torch(name: str) -> None:
    assert "torch" not in brought(f"import unstuck.{name}")


def test_the_journal_needs_no_database() -> None:
    """The index is never opened inside the script's process: what writes the journal does not even load SQLite."""
    assert "sqlite3" not in brought("import unstuck.record.journal, unstuck.record.runs")

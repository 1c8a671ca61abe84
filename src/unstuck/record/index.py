"""The index of a project's runs: one SQLite file, made from the runs' folders and disposable at any time.

Adding a run and rebuilding everything go through the same reading of the folder, so the two agree. The file is never
opened inside the process of a script. What ``report.json`` says is not trusted: types are checked, lengths cut.
"""

from __future__ import annotations

import contextlib
import json
import math
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unstuck.core.errors import BadInput, UnstuckError
from unstuck.record.reader import Glance, glance, journals
from unstuck.record.runs import RunFolder, list_runs

SCHEMA_NUMBER = 1  # PRAGMA user_version; an index with another number is made anew
_WAIT_SECONDS = 30.0  # for another process that is writing
_LONGEST_REPORT_BYTES = 64 << 20
_LONGEST_TEXT = 2000
_MOST_FINDINGS = 500

_TABLES = """
CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    script TEXT, arguments TEXT, started REAL, seconds REAL, steps INTEGER, processes INTEGER,
    status INTEGER, exception TEXT, complete INTEGER NOT NULL, last_loss REAL,
    python TEXT, torch TEXT, unstuck TEXT,
    verdict TEXT, sentence TEXT, errors INTEGER NOT NULL, warnings INTEGER NOT NULL
);
CREATE TABLE findings (
    run TEXT NOT NULL REFERENCES runs(id) ON DELETE CASCADE, place INTEGER NOT NULL,
    code TEXT, name TEXT, severity TEXT, basis TEXT, confidence REAL, location TEXT, step INTEGER, sentence TEXT,
    PRIMARY KEY (run, place)
);
CREATE INDEX runs_started ON runs(started);
CREATE INDEX findings_code ON findings(code);
"""


class IndexUnavailable(UnstuckError):
    """The index cannot be used just now; the runs themselves are not touched by that."""


@dataclass(frozen=True)
class IndexedFinding:
    """One finding of an indexed run; ``place`` 0 is the one to act on."""

    run: str
    place: int
    code: str
    name: str
    severity: str
    basis: str
    confidence: float | None
    location: str
    step: int | None
    sentence: str


@dataclass(frozen=True)
class IndexedRun:
    """What the index knows of a run. A number that is not known, or not finite, is None."""

    id: str
    script: str
    arguments: str  # a JSON list
    started: float | None  # unix seconds
    seconds: float | None
    steps: int | None
    processes: int  # journals
    status: int | None  # exit status of the script
    exception: str
    complete: bool
    last_loss: float | None
    python: str
    torch: str
    unstuck: str
    verdict: str
    sentence: str
    errors: int
    warnings: int
    findings: tuple[IndexedFinding, ...] = ()


def index_path(base: str | Path) -> Path:
    """Where the index of a project folder lies."""
    return Path(base) / "index.sqlite"


def add(run: RunFolder, report: Mapping[str, Any] | None = None) -> None:
    """Enter a run into the index of its project, or enter it anew. ``report`` is by default its ``report.json``.

    Safe between processes: one writes, the others wait. Raises IndexUnavailable when the index cannot be written.
    """
    entry = _entry(run, _report(run) if report is None else report)
    with _writing(run.path.parent.parent) as connection:
        _put(connection, entry)


def rebuild(base: str | Path) -> int:
    """Make the index anew from the runs' folders; returns how many runs it holds now.

    Cost: reads both ends of each journal, and each ``report.json``.
    """
    base = Path(base)
    with _writing(base) as connection:
        return _fill(connection, base)


def runs(base: str | Path, *, limit: int = 20, verdict: str | None = None, code: str | None = None) -> list[IndexedRun]:
    """The latest runs, newest first, with their findings; of one verdict, or with one finding, when asked for.

    An index that is missing is built; runs whose folder is gone are left out.
    """
    base = Path(base)
    if not index_path(base).exists() and not list_runs(base):
        return []
    with _writing(base) as connection:  # builds it when it is missing or of another schema
        pass
    where = ["(:verdict IS NULL OR verdict = :verdict)"]
    where += ["(:code IS NULL OR EXISTS (SELECT 1 FROM findings WHERE run = runs.id AND code = :code))"]
    query = f"SELECT * FROM runs WHERE {' AND '.join(where)} ORDER BY started DESC, id DESC"
    there = {run.id for run in list_runs(base)}
    found: list[IndexedRun] = []
    with _errors(base), contextlib.closing(_connect(base)) as connection:
        for row in connection.execute(query, {"verdict": verdict, "code": code}):
            if len(found) >= limit:
                break
            if row["id"] in there:
                rows = connection.execute("SELECT * FROM findings WHERE run = ? ORDER BY place", (row["id"],))
                findings = tuple(IndexedFinding(**dict(finding)) for finding in rows)
                fields = {**dict(row), "complete": bool(row["complete"])}
                found.append(IndexedRun(**fields, findings=findings))
    return found


# -- the file ----------------------------------------------------------------------------------------------------------


def _connect(base: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(index_path(base), timeout=_WAIT_SECONDS, isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


@contextlib.contextmanager
def _writing(base: Path) -> Iterator[sqlite3.Connection]:
    """The index, present and of this schema, inside one transaction that no other writer shares."""
    if not base.is_dir():
        raise BadInput("project folder", got=str(base), want="a folder that holds runs")
    with _errors(base):
        try:
            connection = _prepared(base)
        except sqlite3.OperationalError:  # locked, or not to be written: it is not damaged
            raise
        except sqlite3.DatabaseError:  # not an index, or a damaged one: nothing in it is worth keeping
            for suffix in ("", "-wal", "-shm"):
                Path(f"{index_path(base)}{suffix}").unlink(missing_ok=True)
            connection = _prepared(base)
        with contextlib.closing(connection):
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise


def _prepared(base: Path) -> sqlite3.Connection:
    connection = _connect(base)
    try:
        _log_ahead(connection)
        connection.execute("BEGIN IMMEDIATE")
        if connection.execute("PRAGMA user_version").fetchone()[0] != SCHEMA_NUMBER:
            names = [row["name"] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
            for name in sorted(names):  # findings before runs
                connection.execute(f'DROP TABLE "{name}"')
            for statement in _TABLES.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {SCHEMA_NUMBER}")
            _fill(connection, base)
    except BaseException:
        connection.close()
        raise
    return connection


def _log_ahead(connection: sqlite3.Connection) -> None:
    """Turn on the write-ahead log; the file remembers it, and the very first moment can be contended."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            # SQLite does not wait by itself for this one.
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


@contextlib.contextmanager
def _errors(base: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise IndexUnavailable(f"index: {index_path(base)}: {error}; it can be deleted, and is made anew") from error


# -- what goes into it -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Entry:
    run: dict[str, Any]
    findings: list[dict[str, Any]]


def _fill(connection: sqlite3.Connection, base: Path) -> int:
    connection.execute("DELETE FROM findings")
    connection.execute("DELETE FROM runs")
    count = 0
    for run in list_runs(base):
        _put(connection, _entry(run, _report(run)))
        count += 1
    return count


def _put(connection: sqlite3.Connection, entry: _Entry) -> None:
    connection.execute("DELETE FROM runs WHERE id = ?", (entry.run["id"],))
    for table, rows in (("runs", [entry.run]), ("findings", entry.findings)):
        for row in rows:
            names = ", ".join(row)
            holes = ", ".join(f":{name}" for name in row)
            connection.execute(f"INSERT INTO {table} ({names}) VALUES ({holes})", row)


def _entry(run: RunFolder, report: Mapping[str, Any]) -> _Entry:
    glances = list(_glances(run))
    main = min(glances, key=lambda g: _whole(g.head.get("rank")) or 0, default=Glance())
    head, end, last = main.head, _object(main.end), _object(main.last_step)
    verdict = _object(report.get("verdict"))
    listed = report.get("findings")
    findings = [
        _finding(run.id, place, finding)
        for place, finding in enumerate(listed[:_MOST_FINDINGS] if isinstance(listed, list) else [])
        if isinstance(finding, dict)
    ]
    severities = [finding["severity"] for finding in findings]
    versions = _object(head.get("versions"))
    exception = _object(end.get("exception"))
    argv = head.get("argv")
    step = _whole(last.get("s"))
    row = {
        "id": run.id,
        "script": _text(head.get("script")),
        "arguments": json.dumps([_text(part) for part in argv[:200]] if isinstance(argv, list) else []),
        "started": _number(head.get("time")),
        "seconds": _number(end.get("seconds", last.get("t"))),
        "steps": _whole(end.get("steps", None if step is None else step + 1)),
        "processes": len(glances),
        "status": _whole(end.get("status")),
        "exception": _text(exception.get("type")),
        "complete": int(main.end is not None),
        "last_loss": _number(last.get("l")),
        "python": _text(versions.get("python")),
        "torch": _text(versions.get("torch")),
        "unstuck": _text(versions.get("unstuck")),
        "verdict": _text(verdict.get("state")),
        "sentence": _text(verdict.get("sentence")),
        "errors": severities.count("error"),
        "warnings": severities.count("warning"),
    }
    return _Entry(row, findings)


def _finding(run: str, place: int, finding: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "run": run,
        "place": place,
        **{name: _text(finding.get(name)) for name in ("code", "name", "severity", "basis", "sentence")},
        "confidence": _number(finding.get("confidence")),
        "location": _text(finding.get("where")),
        "step": _whole(finding.get("step")),
    }


def _glances(run: RunFolder) -> Iterable[Glance]:
    try:
        paths = journals(run.path)
    except OSError:
        return
    for path in paths:
        with contextlib.suppress(BadInput):
            yield glance(path)


def _report(run: RunFolder) -> Mapping[str, Any]:
    """The run's ``report.json``, or nothing when it is missing, damaged or absurdly long."""
    try:
        if run.report_json.stat().st_size > _LONGEST_REPORT_BYTES:
            return {}
        return _object(json.loads(run.report_json.read_bytes()))
    except (OSError, ValueError, RecursionError):
        return {}


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    """Text that SQLite and a terminal take: cut, and without halves of surrogate pairs."""
    return value[:_LONGEST_TEXT].encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else ""


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def _whole(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if abs(value) < 1 << 62 else None

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


class Index:
    """The index of one project folder; close it, or use it in a ``with``.

    Safe between processes: one writes, the others wait. A file of another schema, or one that is damaged, is made anew
    from the runs. Every call raises IndexUnavailable when the file cannot be used, BadInput when there is no folder.

    >>> import tempfile
    >>> from unstuck.record.runs import new_run
    >>> base = tempfile.mkdtemp()
    >>> run = new_run(base, "train.py")
    >>> with Index(base) as index:
    ...     index.add(run, {"verdict": {"state": "learning"}})
    ...     [(found.id == run.id, found.verdict) for found in index.runs()]
    [(True, 'learning')]
    """

    def __init__(self, base: str | Path) -> None:
        self.base = Path(base)
        self.path = self.base / "index.sqlite"
        self._connection: sqlite3.Connection | None = None

    def __enter__(self) -> Index:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file; it is opened again when needed."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def add(self, run: RunFolder | Path, report: Mapping[str, Any] | None = None) -> None:
        """Enter a run, or enter it anew. ``report`` is by default what its ``report.json`` says."""
        run = run if isinstance(run, RunFolder) else RunFolder(run)
        entry = _entry(run, _report(run) if report is None else report)
        with self._writing() as connection:
            _put(connection, entry)

    def rebuild(self) -> int:
        """Make the index anew from the runs' folders; returns how many runs it holds now.

        Cost: reads both ends of each journal, and each ``report.json``.
        """
        with self._writing() as connection:
            return _fill(connection, self.base)

    def runs(self, *, limit: int = 20, verdict: str | None = None, code: str | None = None) -> list[IndexedRun]:
        """The latest runs, newest first, with their findings; of one verdict, or with one finding, when asked for.

        An index that is missing is built; runs whose folder is gone are left out.
        """
        there = {run.id for run in list_runs(self.base)}
        if not there:
            return []
        where = "(:verdict IS NULL OR verdict = :verdict)"
        where += " AND (:code IS NULL OR EXISTS (SELECT 1 FROM findings WHERE run = runs.id AND code = :code))"
        found: list[IndexedRun] = []
        with self._errors():
            connection = self._ready()
            query = f"SELECT * FROM runs WHERE {where} ORDER BY started DESC, id DESC"
            for row in connection.execute(query, {"verdict": verdict, "code": code}):
                if len(found) >= limit:
                    break
                if row["id"] in there:
                    rows = connection.execute("SELECT * FROM findings WHERE run = ? ORDER BY place", (row["id"],))
                    findings = tuple(IndexedFinding(**dict(finding)) for finding in rows)
                    fields = {**dict(row), "complete": bool(row["complete"])}
                    found.append(IndexedRun(**fields, findings=findings))
        return found

    # -- the file ------------------------------------------------------------------------------------------------------

    def _ready(self) -> sqlite3.Connection:
        """The open file, with its tables."""
        if self._connection is None:
            if not self.base.is_dir():
                raise BadInput("project folder", got=str(self.base), want="a folder that holds runs")
            try:
                self._connection = self._opened()
            except sqlite3.OperationalError:  # locked, or not to be written: it is not damaged
                raise
            except sqlite3.DatabaseError:  # no index at all, or a damaged one: nothing in it is worth keeping
                for suffix in ("", "-wal", "-shm"):
                    Path(f"{self.path}{suffix}").unlink(missing_ok=True)
                self._connection = self._opened()
        return self._connection

    def _opened(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=_WAIT_SECONDS, isolation_level=None)
        try:
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA foreign_keys = ON")
            _log_ahead(connection)
            if _schema_number(connection) != SCHEMA_NUMBER:
                with _transaction(connection):
                    if _schema_number(connection) != SCHEMA_NUMBER:  # nobody was faster
                        _make_tables(connection)
                        _fill(connection, self.base)
        except BaseException:
            connection.close()
            raise
        return connection

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._errors(), _transaction(self._ready()) as connection:
            yield connection

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            self.close()
            raise IndexUnavailable(f"index: {self.path}: {error}; it can be deleted, and is made anew") from error


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Everything or nothing, and no other writer in between."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _schema_number(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _make_tables(connection: sqlite3.Connection) -> None:
    names = {row["name"] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    for name in sorted(names & {"findings", "runs"}):  # findings first: they refer to runs
        connection.execute(f"DROP TABLE {name}")
    for statement in _TABLES.split(";"):
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {SCHEMA_NUMBER}")


def _log_ahead(connection: sqlite3.Connection) -> None:
    """Turn on the write-ahead log; the file remembers it, and its very first moment can be contended."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:  # SQLite does not wait by itself for this one
                raise
            time.sleep(0.01)


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
        # A run that was killed could not write its own end; its parent saw how it ended.
        "status": _whole(end.get("status", _object(_object(report.get("run")).get("exit")).get("status"))),
        "exception": _text(exception.get("type")),
        "complete": int(main.end is not None),
        "last_loss": _number(last.get("l")),
        "python": _text(versions.get("python")),
        "torch": _text(_object(main.torch).get("version", versions.get("torch"))),
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

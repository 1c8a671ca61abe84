"""Where runs lie: one folder each, ``.unstuck/runs/<run id>/``, in the directory the user works in."""

from __future__ import annotations

import difflib
import re
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from unstuck.core.errors import BadInput

PROJECT_FOLDER = ".unstuck"
_ID = re.compile(r"(\d{4}-\d{2}-\d{2}-\d{6})-.+")


@dataclass(frozen=True)
class RunFolder:
    """One run's folder and the places in it."""

    path: Path

    @property
    def id(self) -> str:
        """The run's name, e.g. ``2026-11-21-113755-train-4f2a``: sorted by name is sorted by start."""
        return self.path.name

    @property
    def report_json(self) -> Path:
        """Where the report for programs goes."""
        return self.path / "report.json"

    @property
    def report_html(self) -> Path:
        """Where the report for people goes."""
        return self.path / "report.html"

    def journal(self, rank: int, pid: int) -> Path:
        """Where one process writes its journal."""
        return self.path / f"journal-{rank}-{pid}.jsonl"


def project_folder(directory: str | Path = ".") -> Path:
    """The project folder of a working directory (it need not exist yet).

    >>> project_folder("/data/mine").as_posix()
    '/data/mine/.unstuck'
    """
    return Path(directory).absolute() / PROJECT_FOLDER


def new_run(base: str | Path, script: str, *, now: float | None = None) -> RunFolder:
    """Make the folder of a new run in the project folder ``base``; no two runs ever get the same one.

    ``script`` is a path or a module's name; ``now`` (unix seconds) is the start, by default this moment. The project
    folder is made when missing, with a ``.gitignore`` of its own, so that nobody commits it by accident.

    Raises BadInput when the folder cannot be made.

    >>> import tempfile
    >>> run = new_run(tempfile.mkdtemp(), "work/train.py", now=0.0)
    >>> run.id[:4] in ("1969", "1970"), run.id[17:24], run.path.is_dir()
    (True, '-train-', True)
    """
    return _made(Path(base), _word(script), now)


def shared_run(base: str | Path, key: str, *, now: float | None = None) -> RunFolder:
    """The folder of the run that several processes share: whoever comes first makes it, all with this ``key`` get it.

    They need not speak to each other: the first to set a link named for the key has decided.

    Raises BadInput when the folder cannot be made.

    >>> import tempfile
    >>> base = tempfile.mkdtemp()
    >>> shared_run(base, "torchrun-7") == shared_run(base, "torchrun-7") != shared_run(base, "torchrun-8")
    True
    """
    base = Path(base)
    mine = _made(base, _plain(key), now)
    link = base / "shared" / _plain(key)
    try:
        link.parent.mkdir(exist_ok=True)
        for _ in range(10):
            try:
                link.symlink_to(mine.id)
                return mine
            except FileExistsError:
                theirs = base / "runs" / link.readlink().name
                if theirs.is_dir():
                    mine.path.rmdir()
                    return RunFolder(theirs)
                link.unlink(missing_ok=True)  # that run was deleted
    except OSError as error:
        raise BadInput("project folder", got=str(base), want="a folder to write in", hint=str(error.strerror)) from None
    return mine


def _made(base: Path, word: str, now: float | None) -> RunFolder:
    moment = time.strftime("%Y-%m-%d-%H%M%S", time.localtime(now))
    try:
        runs = base / "runs"
        runs.mkdir(parents=True, exist_ok=True)
        ignore = base / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", encoding="utf-8")
        for _ in range(1000):
            path = runs / f"{moment}-{word}-{secrets.token_hex(2)}"
            try:
                path.mkdir()
            except FileExistsError:
                continue
            return RunFolder(path)
    except OSError as error:
        raise BadInput("project folder", got=str(base), want="a folder to write in", hint=str(error.strerror)) from None
    raise BadInput("project folder", got=str(base), want="room for another run in this second")


def list_runs(base: str | Path) -> list[RunFolder]:
    """Every run of the project folder, oldest first; an empty list when there is none."""
    runs = Path(base) / "runs"
    if not runs.is_dir():
        return []
    # A link could lead anywhere; runs are folders that this program made.
    found = [path for path in runs.iterdir() if _ID.fullmatch(path.name) and path.is_dir() and not path.is_symlink()]
    return [RunFolder(path) for path in sorted(found, key=_start)]


def find_run(base: str | Path, wanted: str | Path = "last", *, paths: bool = True) -> RunFolder:
    """The run that is meant: ``last``, its id, the beginning or the end of its id when only one fits, or its path.

    A name is only ever compared with the names that are there, never joined to a path, so none leads out of ``base``.
    With ``paths=False`` a path is refused as well (for names that come from outside, such as a page's address).

    Raises BadInput naming the nearest runs.

    >>> import tempfile
    >>> base = tempfile.mkdtemp()
    >>> run = new_run(base, "train.py")
    >>> find_run(base).id == run.id == find_run(base, run.id[-4:]).id
    True
    """
    base = Path(base)
    name = str(wanted)
    runs = list_runs(base)
    if name == "last" and runs:
        return runs[-1]
    for run in runs:
        if run.id == name:
            return run
    if paths and (folder := _run_at(Path(wanted))) is not None:
        return RunFolder(folder)
    if not runs:
        raise BadInput("run", got=name, want=f"a run in {base}", hint="there is none yet: unstuck run train.py")
    fitting = [run for run in runs if name and (run.id.startswith(name) or run.id.endswith(name))]
    if len(fitting) == 1:
        return fitting[0]
    near = [run.id for run in fitting[-3:]] or difflib.get_close_matches(name, [r.id for r in runs], n=3, cutoff=0.3)
    near = near or [run.id for run in runs[-3:]]
    want = "one run" if fitting else "a run's id or path, or last"
    raise BadInput("run", got=name, want=want, hint="the nearest: " + ", ".join(near))


def _run_at(path: Path) -> Path | None:
    """The run's folder that a path names: itself, or a journal or report in it."""
    try:
        folder = path if path.is_dir() else path.parent if path.is_file() else None
        if folder is None:
            return None
        folder = folder.absolute()
        holds = any(folder.glob("journal-*.jsonl")) or (folder / "report.json").is_file()
    except (OSError, ValueError):  # a name no file can have
        return None
    return folder if holds else None


def _start(path: Path) -> tuple[str, int, str]:
    """Runs of the same second in the order in which they were last written to."""
    match = _ID.fullmatch(path.name)
    try:
        written = path.stat().st_mtime_ns
    except OSError:  # removed meanwhile
        written = 0
    return (match[1] if match else path.name), written, path.name


def _word(script: str) -> str:
    """The script's bare name, fit for a folder's name."""
    last = re.split(r"[/\\]", script.rstrip("/\\"))[-1]
    bare = last.removesuffix(".py") if last.endswith(".py") else last.rsplit(".", 1)[-1]
    return _plain(bare)


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]+", "-", name).strip("-")[:40].rstrip("-") or "script"

"""The watcher in the child process of ``unstuck run``: from the script's import of torch to its end."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Any

from unstuck import __version__
from unstuck.launch.frames import is_users
from unstuck.record.journal import Journal

if TYPE_CHECKING:
    from unstuck.live.watcher import Watcher


def start(config: dict[str, Any]) -> LiveAttendant:
    """What ``launch.child`` calls before the script runs. Imports no torch."""
    return LiveAttendant(config)


class LiveAttendant:
    """Keeps the journal of one run; watches once torch is there."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config
        self.began = time.time()
        self.clock = time.perf_counter()
        self.watcher: Watcher | None = None
        self.torch_version: str | None = None
        self.problem: str | None = None
        self.pid = os.getpid()
        # Opened before the script runs: a script that dies early, or uses no torch, leaves a journal too.
        self.journal = open_journal(config, began=self.began)

    def torch_imported(self, torch: ModuleType) -> None:
        """Set the taps; a failure here must not reach the script."""
        try:
            from unstuck.live.budget import contention
            from unstuck.live.watcher import Watcher

            shared = contention()
            self.torch_version = torch.__version__
            self.journal.record(
                {
                    "e": "torch",
                    "version": str(torch.__version__),
                    "threads": torch.get_num_threads(),
                    "device_count": 0,
                    "contention": shared,
                }
            )
            self.watcher = Watcher(
                self.journal,
                overhead=self.config["overhead"],
                allowance=self.config["allowance"],
                probe=bool(self.config.get("probe")),
                contention=shared,
            )
        except Exception as error:
            self.problem = f"{type(error).__name__}: {error}"
            self.journal.record(
                {"e": "event", "kind": "crashed", "o": 0, "s": None, "data": {"probe": "start", "error": self.problem}}
            )

    def ended(self, status: int | None, error: BaseException | None) -> None:
        """The script is over; the interpreter is about to leave."""
        if os.getpid() != self.pid:
            return
        if self.watcher is not None:
            self.watcher.finish(status=status, error=error, line=error_line(error))
            return
        exception = None
        if error is not None:
            exception = {"type": type(error).__name__, "message": str(error)[:2000], "line": error_line(error)}
        self.journal.record(
            {
                "e": "end",
                "status": status,
                "exception": exception,
                "seconds": time.perf_counter() - self.clock,
                "steps": 0,
                "watcher_seconds": 0.0,
                "torch": "torch" in sys.modules,
            }
        )
        self.journal.close()


def open_journal(config: dict[str, Any], *, began: float) -> Journal:
    """The journal of this process, with its head written."""
    rank = int(os.environ.get("RANK", "0") or 0)
    folder = Path(config["folder"])
    journal = Journal(folder / f"journal-{rank}-{os.getpid()}.jsonl")
    journal.record(
        {
            "e": "head",
            "schema": "unstuck.journal/1",
            "run": config["run"],
            "pid": os.getpid(),
            "rank": rank,
            "world": int(os.environ.get("WORLD_SIZE", "1") or 1),
            "time": began,
            "script": config["target"],
            "module": bool(config["module"]),
            "argv": [config["target"], *config["arguments"]],
            "cwd": str(Path.cwd()),
            "versions": {"python": sys.version.split()[0], "unstuck": __version__},
            "settings": {"overhead": config["overhead"], "allowance_seconds": config["allowance"], "full_samples": 20},
        }
    )
    return journal


def error_line(error: BaseException | None) -> dict[str, Any] | None:
    """Where in the user's code an exception was raised: its innermost frame there."""
    trace: TracebackType | None = error.__traceback__ if error is not None else None
    found: dict[str, Any] | None = None
    while trace is not None:
        code = trace.tb_frame.f_code
        if is_users(code.co_filename):
            found = {"file": code.co_filename, "line": trace.tb_lineno, "function": code.co_name, "text": ""}
        trace = trace.tb_next
    if found is not None:
        import linecache

        found["text"] = linecache.getline(str(found["file"]), int(found["line"])).strip()[:300]
    return found

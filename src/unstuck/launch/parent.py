"""The parent process: start the script, pass signals on, wait, tell how it ended."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any


@dataclass(frozen=True)
class Outcome:
    """How the script ended: its exit status (negative: killed by that signal), or why it never started."""

    status: int
    not_started: str | None = None


def run(
    target: str,
    arguments: Sequence[str] = (),
    *,
    module: bool = False,
    attendant: str,
    settings: dict[str, Any] | None = None,
    environment: dict[str, str] | None = None,
) -> Outcome:
    """Run a script in a child process that shares this one's streams and terminal.

    ``attendant`` is ``module:function``, imported in the child and called with the configuration; it returns what
    ``launch.child.Attendant`` describes. Cost: one interpreter start.
    """
    package_root = str(Path(__file__).resolve().parent.parent.parent)
    with tempfile.TemporaryDirectory(prefix="unstuck-") as folder:
        note = Path(folder) / "not-started.json"
        config = {
            "target": target,
            "arguments": list(arguments),
            "module": module,
            "attendant": attendant,
            "not_started": str(note),
            **(settings or {}),
        }
        entry = str(Path(__file__).with_name("entry.py"))
        # The child gets the flags this interpreter runs under (-O, -W, -X …), as multiprocessing does it.
        flags: list[str] = getattr(subprocess, "_args_from_interpreter_flags", list)()
        command = [sys.executable, *flags, entry, json.dumps(config), package_root]
        with subprocess.Popen(command, env=environment) as process, _passing_signals(process):
            status = _wait(process)
        if status == 2 and note.exists():
            said = json.loads(note.read_text(encoding="utf-8"))
            return Outcome(2, said["text"] or said["kind"])
    return Outcome(status)


def leave_like(status: int) -> int:
    """The exit status to end with so that a caller sees what the script did; dies of the same signal if it must."""
    if status >= 0:
        return status
    number = -status
    if number in (signal.SIGINT, signal.SIGTERM):
        sys.stderr.flush()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    return 128 + number


def _wait(process: subprocess.Popen[bytes]) -> int:
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:  # only if it came before the handler stood
            continue


@contextlib.contextmanager
def _passing_signals(process: subprocess.Popen[bytes]) -> Iterator[None]:
    def forward(number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT and _in_foreground():
            return  # the terminal gave it to the script as well
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)

    before = {}
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"):
        number = getattr(signal, name, None)
        if number is not None:
            with contextlib.suppress(ValueError, OSError):  # not in the main thread: nothing to pass on
                before[number] = signal.signal(number, forward)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _in_foreground() -> bool:
    for stream in (0, 1, 2):
        with contextlib.suppress(OSError):
            return os.tcgetpgrp(stream) == os.getpgrp()
    return False

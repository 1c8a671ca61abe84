"""A process that has imported the libraries and nothing else, and forks one replay after the other.

Importing torch and its company takes longer than many a small training; a fork of a process that did so, and did
nothing more, starts in milliseconds. No thread of ours runs in it and no tensor was ever made there.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

# Libraries whose import is known to start no threads and to draw nothing.
KNOWN = ("numpy", "scipy", "sklearn", "pandas", "torch", "torchvision", "mlxtend", "matplotlib", "PIL")
LEFT_OUT = ("matplotlib.pyplot", "torch._inductor", "torch.testing")


def wanted(modules: Iterable[str]) -> list[str]:
    """The modules of a finished replay that are worth having imported.

    >>> wanted(["numpy", "my_model", "torch._dynamo.utils.x", "sklearn.datasets"])
    ['numpy', 'sklearn.datasets']
    """
    return sorted(
        name
        for name in modules
        if name.split(".")[0] in KNOWN and name.count(".") <= 1 and not name.startswith(LEFT_OUT)
    )


def available() -> bool:
    """Whether forking after imports is safe here."""
    return sys.platform == "linux" and hasattr(os, "fork")


class ForkServer:
    """One such process, seen from outside: ``run`` makes one replay at a time."""

    def __init__(self, command: list[str], modules: list[str], environment: Mapping[str, str]) -> None:
        self.environment = dict(environment)
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=self.environment,
            text=True,
            start_new_session=True,
        )
        self._say({"modules": modules})

    def _say(self, message: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()

    def _hear(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise OSError("the process that starts replays has ended")
        return cast(dict[str, Any], json.loads(line))

    def run(self, settings: Path, cwd: Path, output: Path, limit: float) -> int | None:
        """Make one replay; its exit status, or None when it took longer than ``limit`` seconds."""
        self._say({"settings": str(settings), "cwd": str(cwd), "output": str(output), "limit": limit})
        status = self._hear()["status"]
        return None if status is None else int(status)

    def close(self) -> None:
        """End the process, and with it a replay under way."""
        with contextlib.suppress(OSError):
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()


def serve() -> None:
    """The process itself: import, then fork for every line that comes."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    first = json.loads(sys.stdin.readline())
    for name in first["modules"]:
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    if os.getppid() == 1:
        return
    while True:
        line = sys.stdin.readline()
        if not line:
            return
        job = json.loads(line)
        pid = os.fork()
        if pid == 0:
            replies.close()
            _become(job)
            return  # the script has run; what it left to do at its end is done by the interpreter
        replies.write(json.dumps({"status": _wait(pid, float(job["limit"]))}) + "\n")
        replies.flush()


def _become(job: dict[str, Any]) -> None:
    from unstuck.launch.child import main

    nothing = os.open(os.devnull, os.O_RDONLY)
    output = os.open(job["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  # for the life of the process
    os.chdir(job["cwd"])
    main(Path(job["settings"]).read_text(encoding="utf-8"))


def _wait(pid: int, limit: float) -> int | None:
    """The status of a child, or None when it was killed after ``limit`` seconds."""
    import select
    import signal

    handle = os.pidfd_open(pid) if hasattr(os, "pidfd_open") else None
    if handle is not None:
        # Nobody writes while a replay runs: what can be read then is the end, whoever asked is gone.
        ready, _, _ = select.select([handle, 0], [], [], limit)
        os.close(handle)
        if 0 in ready or not ready:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return None
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)

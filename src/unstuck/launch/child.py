"""The child process: the script runs here, as itself, with a watcher beside it once torch is there."""

from __future__ import annotations

import atexit
import contextlib
import importlib
import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from unstuck.core.errors import BadInput
from unstuck.launch import script
from unstuck.launch.post_import import after_import
from unstuck.launch.tracebacks import trim


class Attendant(Protocol):
    """What is told about the script's life."""

    def torch_imported(self, torch: ModuleType) -> None: ...

    def ended(self, status: int | None, error: BaseException | None) -> None: ...


@dataclass
class _State:
    status: int | None = None
    error: BaseException | None = None
    interrupted: bool = False
    pid: int = field(default_factory=os.getpid)


def main(configuration: str) -> None:
    """Run the script of a configuration (JSON, see ``launch.parent``) and leave as it would have left."""
    config: dict[str, Any] = json.loads(configuration)
    _die_with_parent()
    start: Callable[[dict[str, Any]], Attendant] = _resolve(config["attendant"])
    target, arguments = config["target"], list(config["arguments"])
    try:
        if config["module"]:
            sys.path.insert(0, str(Path.cwd()))
            script.find_module(target)
            code = None
        else:
            code = script.load_script(target)
    except BadInput as problem:
        _cannot_start(config, str(problem))
    except (SyntaxError, UnicodeDecodeError, ValueError) as problem:
        trim(problem).__traceback__ = None
        sys.excepthook(type(problem), problem, None)
        _cannot_start(config, "", kind=type(problem).__name__)

    attendant = start(config)
    state = _State()
    # Registered before anything of the script's own: it therefore runs after all of them.
    atexit.register(_leave, state, attendant)
    after_import("torch", attendant.torch_imported)
    try:
        if code is None:
            script.run_module(target, arguments)
        else:
            script.run_script(code, target, arguments)
        state.status = 0
    except SystemExit as leaving:
        state.status = _status(leaving.code)
        raise
    except BaseException as error:
        state.error = error
        state.status = 1
        state.interrupted = isinstance(error, KeyboardInterrupt)
        trim(error)
        with contextlib.suppress(BaseException):
            sys.excepthook(type(error), error, error.__traceback__)
        sys.exit(1)


def _resolve(place: str) -> Any:
    module, name = place.split(":")
    return getattr(importlib.import_module(module), name)


def _status(code: object) -> int:
    if code is None:
        return 0
    return code & 0xFF if isinstance(code, int) else 1


def _leave(state: _State, attendant: Attendant) -> None:
    if os.getpid() != state.pid:  # a forked child that leaves through the interpreter's door
        return
    with contextlib.suppress(Exception):
        attendant.ended(state.status, state.error)
    if state.interrupted:  # python dies of the signal itself, so that shells stop their loops
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)


def _cannot_start(config: dict[str, Any], text: str, *, kind: str = "BadInput") -> None:
    note = {"text": text, "kind": kind}
    Path(config["not_started"]).write_text(json.dumps(note), encoding="utf-8")
    sys.exit(2)


def _die_with_parent() -> None:
    """Kill the script when the command that started it is killed, as a plain ``python`` would be."""
    if sys.platform != "linux":
        return
    with contextlib.suppress(Exception):
        import ctypes

        PR_SET_PDEATHSIG = 1
        parent = os.getppid()
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it went before we asked
            os.kill(os.getpid(), signal.SIGKILL)

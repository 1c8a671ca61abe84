"""The script's own traceback, without the frames of Unstuck in the way."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

PACKAGE = str(Path(__file__).resolve().parent.parent) + "/"


def trim(error: BaseException, *, also: str = "<frozen runpy>") -> BaseException:
    """Remove Unstuck's frames from the traceback of ``error`` and of the errors that led to it."""
    seen: set[int] = set()
    todo: list[BaseException | None] = [error]
    while todo:
        current = todo.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        current.__traceback__ = _without_own_frames(current.__traceback__, also)
        todo += [current.__cause__, current.__context__]
    return error


def _without_own_frames(trace: TracebackType | None, also: str) -> TracebackType | None:
    kept: list[TracebackType] = []
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if not name.startswith(PACKAGE) and name != also:
            kept.append(trace)
        trace = trace.tb_next
    result: TracebackType | None = None
    for node in reversed(kept):
        result = TracebackType(result, node.tb_frame, node.tb_lasti, node.tb_lineno)
    return result

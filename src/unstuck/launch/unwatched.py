"""Training that is no part of the run: our own trials inside a watched script are not to be recorded as its steps."""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Iterator
from typing import Protocol


class Pausable(Protocol):
    """Something that listens to the training, and can be told not to for a while."""

    def pause(self) -> None: ...
    def resume(self) -> None: ...


_listening: weakref.WeakSet[Pausable] = weakref.WeakSet()


def listens(listener: Pausable) -> None:
    """Remember a listener, for as long as it lives."""
    _listening.add(listener)


@contextlib.contextmanager
def unwatched() -> Iterator[None]:
    """Steps and backward passes inside the block are recorded by nobody. May be nested.

    >>> with unwatched():
    ...     pass
    """
    paused = list(_listening)
    for listener in paused:
        listener.pause()
    try:
        yield
    finally:
        for listener in paused:
            listener.resume()

"""Work of our own inside a tap: it is booked, sets off no taps, and what goes wrong in it never reaches the script."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

from unstuck.live.budget import clock

if TYPE_CHECKING:
    from unstuck.live.watcher import Watcher


class OwnWork:
    """A ``with`` block around what a tap does.

    Inside it ``watcher.busy`` is set, and afterwards it is as it was before, also after Ctrl-C: an interrupt from the
    keyboard is the script's and passes through, any other exception is noted under the name ``probe``. The time goes to
    the budget under way, or to that of the first samples where the block sets ``first``. Cost: about 1 µs.
    """

    __slots__ = ("_before", "_start", "_unseen", "_watcher", "first", "probe")

    def __init__(self, watcher: Watcher, probe: str, unseen: float = 0.0) -> None:
        """``unseen``: seconds of the tap that the block cannot see, booked as well."""
        self._watcher = watcher
        self._unseen = unseen
        self.probe = probe  # may be changed inside the block
        self.first = False

    def __enter__(self) -> OwnWork:
        self._start = clock()
        watcher = self._watcher
        self._before, watcher.busy = watcher.busy, True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        watcher = self._watcher
        try:
            if error is None or not isinstance(error, Exception):
                return False
            try:
                watcher.crashed(self.probe, error)
            except Exception:
                return True  # not even that could be written down
            return True
        finally:
            watcher.busy = self._before
            seconds = clock() - self._start + self._unseen
            if self.first:
                watcher.budget.spend_first(seconds)
            else:
                watcher.spent(seconds)

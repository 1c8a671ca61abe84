"""Schedules that lower the rate when a measure stands still: the measures that the script hands to them, and the cuts."""

from __future__ import annotations

import math
import weakref
from dataclasses import dataclass, field
from numbers import Real
from typing import TYPE_CHECKING, Any

import torch

from unstuck.launch.frames import user_line

if TYPE_CHECKING:
    from unstuck.live.watcher import Watcher

MOST = 8  # schedules that are followed
KEPT = 200  # measures that are kept of each: the first ones, which the first cuts are made on
CUTS = 40  # that are kept
AT_ONCE = 4  # of them that are written when they are made: a run that is killed has told of these
_OPTIONS = ("mode", "factor", "patience", "threshold", "threshold_mode", "cooldown")


@dataclass
class _Plateau:
    """One schedule."""

    ref: weakref.ref[Any]
    told_of: dict[str, Any]  # name and options; the schedule itself may be gone when the run ends
    line: dict[str, Any] | None  # of the first call
    calls: int = 0
    values: list[list[Any]] = field(default_factory=list)  # step, measure
    cuts: list[list[Any]] = field(default_factory=list)  # call, step, rate before, rate after
    told: int = -1  # calls when it was written


class Plateaus:
    """What was handed to each schedule, and when it lowered the rate."""

    def __init__(self, watcher: Watcher) -> None:
        self.watcher = watcher
        self.seen: list[_Plateau] = []

    def measured(self, schedule: Any, measure: Any, before: list[Any], after: list[Any]) -> None:
        """A schedule was called with a measure; the rates of its groups before and after."""
        known = next((p for p in self.seen if p.ref() is schedule), None)
        if known is None:
            if len(self.seen) >= MOST:
                return
            told = {key: getattr(schedule, key, None) for key in _OPTIONS}
            known = _Plateau(weakref.ref(schedule), {"name": type(schedule).__name__, **told}, user_line())
            self.seen.append(known)
        known.calls += 1
        value = _plain(measure)
        if len(known.values) < KEPT and value is not None:
            known.values.append([self.watcher.current_step() or 0, value])
        lowered = [(float(a), float(b)) for a, b in zip(before, after, strict=False) if float(b) < float(a)]
        if lowered and len(known.cuts) < CUTS:
            known.cuts.append([known.calls, self.watcher.current_step() or 0, *lowered[0]])
            if len(known.cuts) <= AT_ONCE:
                self._write(known)

    def report(self) -> None:
        """The run ends."""
        for known in self.seen:
            if known.told != known.calls:
                self._write(known)

    def _write(self, known: _Plateau) -> None:
        known.told = known.calls
        self.watcher.event(
            "plateau",
            step=self.watcher.current_step(),
            limit=MOST * (AT_ONCE + 1),
            number=self.seen.index(known),
            **known.told_of,
            calls=known.calls,
            values=known.values,
            cuts=known.cuts,
            line=known.line,
        )


def _plain(measure: Any) -> float | None:
    """The measure as a number; None where it is none, or is on an accelerator and would be waited for."""
    if isinstance(measure, torch.Tensor):
        if measure.numel() != 1 or measure.device.type != "cpu" or measure.is_complex():
            return None
        value = float(measure.detach())
    elif isinstance(measure, Real):
        value = float(measure)
    else:
        return None
    return value if math.isfinite(value) else None

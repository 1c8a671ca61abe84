"""A point on a surface, and what is true of it."""

from __future__ import annotations

from dataclasses import dataclass

from unstuck.objective.contract import Objective


@dataclass(frozen=True)
class KnownPoint:
    """``truth``: saddle, minimum, maximum, flat; ``negative``, ``zero``: exact counts of eigenvalues where known."""

    name: str
    objective: Objective
    truth: str
    source: str
    negative: int | None = None
    zero: int | None = None
    loss: float | None = None

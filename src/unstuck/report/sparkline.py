"""The loss as a line of a few pixels, drawn on paper: it is there without JavaScript and in print."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from unstuck.report.document import number

WIDTH, HEIGHT = 220, 56
POINTS = 110


@dataclass(frozen=True)
class Sparkline:
    """SVG path data in a box of 220 by 56."""

    path: str
    first: float
    last: float


def sparkline(curve: Mapping[str, Any] | None) -> Sparkline | None:
    """The small picture of a curve; None where there are fewer than three finite points.

    >>> sparkline({"steps": [0, 1, 2], "values": [3.0, 2.0, 1.0]}).path
    'M2.0 2.0L110.0 28.0L218.0 54.0'
    """
    if curve is None:
        return None
    points = [(step, number(value)) for step, value in zip(curve["steps"], curve["values"], strict=True)]
    finite = [value for _, value in points if math.isfinite(value)]
    if len(finite) < 3 or points[-1][0] == points[0][0]:
        return None
    # Spikes would press the rest flat; here, where nothing can be read off, they are cut.
    ordered = sorted(finite)
    low, high = ordered[0], ordered[math.ceil(0.99 * (len(ordered) - 1))]
    log = low > 0 and high > 30 * low
    if log:
        low, high = math.log(low), math.log(high)
    span = high - low or 1.0
    first_step, steps = points[0][0], points[-1][0] - points[0][0]
    path, pen = "", False
    every = max(1, len(points) // POINTS)
    for i in range(0, len(points), every):
        chunk = [value for _, value in points[i : i + every] if math.isfinite(value)]
        if not chunk:
            pen = False
            continue
        value = sum(chunk) / len(chunk)
        height = (math.log(value) if log else value) - low
        x = 2 + (WIDTH - 4) * (points[i][0] - first_step) / steps
        y = 2 + (HEIGHT - 4) * (1 - min(max(height / span, 0.0), 1.0))
        path += f"{'L' if pen else 'M'}{x:.1f} {y:.1f}"
        pen = True
    # A single step's loss is chance; where there is a smoothed curve, its ends say more.
    smooth = [number(value) for value in (curve.get("smooth") or {}).get("values", ())]
    ends = smooth if len(smooth) > 1 else finite
    return Sparkline(path, ends[0], ends[-1])

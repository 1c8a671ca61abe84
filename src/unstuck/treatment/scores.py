"""Figures from a replay's counts, all on one scale: 1 is perfect; classes start at 0, numbers at −1. No torch.

Classes are scored by balanced accuracy (the mean recall over the classes that occurred), so that a rare class counts as
much as a common one; numbers by R², cut at −1: how far below it a run has exploded says nothing more.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

LAST_SHARE = 0.2  # of the training steps; short enough to be an end, long enough to average over batches
LOWEST_R2 = -1.0

Yard = Literal["validation", "training", "none"]


@dataclass(frozen=True)
class Score:
    """What one replay reached, on the validation passes or on the last fifth of the training steps."""

    value: float
    yard: Yard
    kind: str  # "balanced accuracy" or "R²"
    at_tick: int | None = None


def figure(tally: Mapping[str, Any]) -> float | None:
    """Balanced accuracy or R² of one tally; None when it holds neither.

    >>> figure({"right": [9, 1], "total": [10, 2]})
    0.7
    >>> figure({"squares": 25.0, "spread": 100.0, "count": 50})
    0.75
    """
    if tally.get("total"):
        recalls = [r / t for r, t in zip(tally["right"], tally["total"], strict=True) if t]
        return sum(recalls) / len(recalls) if recalls else None
    if tally.get("count"):
        squares, spread = float(tally["squares"]), float(tally["spread"])
        if not math.isfinite(squares) or not math.isfinite(spread):
            return LOWEST_R2
        if spread <= 0.0:
            return None
        return max(LOWEST_R2, 1.0 - squares / spread)
    return None


def pooled(tallies: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The sum of several tallies."""
    right: list[float] = []
    total: list[float] = []
    numbers = {"squares": 0.0, "spread": 0.0, "count": 0}
    for tally in tallies:
        for mine, key in ((right, "right"), (total, "total")):
            theirs = tally.get(key) or []
            mine.extend([0.0] * (len(theirs) - len(mine)))
            for i, value in enumerate(theirs):
                mine[i] += float(value)
        if tally.get("count"):
            for key in numbers:
                numbers[key] += float(tally[key])
    found: dict[str, Any] = {}
    if total:
        found |= {"right": right, "total": total}
    if numbers["count"]:
        found |= numbers
    return found


def curve(measured: Mapping[str, Any]) -> tuple[list[int], list[float]]:
    """The training figure over the steps: (steps, values), at most forty points."""
    blocks = [b for b in measured.get("blocks", ()) if figure(b) is not None]
    if not blocks:
        return [], []
    size = max(1, -(-len(blocks) // 40))
    steps, values = [], []
    for start in range(0, len(blocks), size):
        part = blocks[start : start + size]
        value = figure(pooled(part))
        if value is not None:
            steps.append(int(part[-1]["stop"]))
            values.append(value)
    return steps, values


def validation(measured: Mapping[str, Any], *, until: int | None = None) -> Score | None:
    """The figure of the last evaluation, as the script compared it itself where it did."""
    seen = [e for e in measured.get("evaluations", ()) if until is None or e["tick"] <= until]
    for evaluation in reversed(seen):
        for tally in (evaluation.get("compared"), evaluation):
            value = figure(tally) if tally else None
            if value is not None:
                assert tally is not None
                return Score(
                    value, "validation", "balanced accuracy" if tally.get("total") else "R²", evaluation["tick"]
                )
    return None


def training(measured: Mapping[str, Any]) -> Score | None:
    """The figure over the last fifth of the training steps."""
    blocks = measured.get("blocks", ())
    if not blocks:
        return None
    begin = (1.0 - LAST_SHARE) * blocks[-1]["stop"]
    last = pooled([b for b in blocks if b["stop"] > begin])
    value = figure(last)
    if value is None:
        return None
    return Score(value, "training", "balanced accuracy" if last.get("total") else "R²", blocks[-1]["stop"])


def yard_of(measured: Mapping[str, Any]) -> Yard:
    """By what to compare with this run: its evaluation after most of the training, or else its training steps."""
    last = validation(measured)
    # An evaluation in the middle of the training would compare arms at different stages.
    if last is not None and last.at_tick is not None and last.at_tick >= 0.8 * measured.get("ticks", 0):
        return "validation"
    return "training" if training(measured) is not None else "none"


def score(measured: Mapping[str, Any], yard: Yard, kind: str) -> Score:
    """What a replay reached by the yard that the plain run had; the lowest figure when it never came so far."""
    found = validation(measured) if yard == "validation" else training(measured) if yard == "training" else None
    if found is None or found.kind != kind:
        return Score(LOWEST_R2 if kind == "R²" else 0.0, yard, kind)
    return found

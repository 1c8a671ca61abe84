"""The course of each activation function over the samples."""

from __future__ import annotations

import math
from dataclasses import dataclass

from unstuck.record.recording import Fact, Stream

RELU_LIKE = ("relu", "relu6", "threshold", "hardtanh_relu", "relu_")
BOUNDED = ("sigmoid", "tanh", "hardsigmoid", "hardtanh", "softsign")


@dataclass(frozen=True)
class Course:
    """One activation function: its last known facts, and some statistics at the sampled steps."""

    name: str
    kind: str
    after: str  # the parametric layer that feeds it, "" when not known
    hidden: bool
    order: float
    units: int | None
    steps: tuple[int, ...]
    dead: tuple[float, ...]
    dead_so_far: float | None  # at the last sample
    saturated: tuple[float, ...]
    zero: tuple[float, ...]
    std: tuple[float, ...]
    vary: tuple[float, ...]
    sharp: tuple[float, ...] = ()  # of a softmax that weighs data: share of the rows with all weight on one entry

    def since(self, key: str, at_least: float) -> int | None:
        """The first sampled step from which a statistic stays at or above a value to the end; None when it does not."""
        values: tuple[float, ...] = getattr(self, key)
        first: int | None = None
        for step, value in zip(reversed(self.steps), reversed(values), strict=False):
            if not value >= at_least:
                break
            first = step
        return first

    def last(self, key: str, count: int = 5) -> float:
        """The smallest of the last ``count`` values of a statistic: what held throughout. NaN when there are none."""
        values: tuple[float, ...] = getattr(self, key)
        kept = [v for v in values[-count:] if math.isfinite(v)]
        return min(kept) if kept and len(kept) == len(values[-count:]) else math.nan


def courses(stream: Stream) -> list[Course]:
    """Every activation function of a stream, in forward order.

    A module that is used twice in a step (on real and on generated data) counts as dead or saturated only as far as it
    is so in every use.
    """
    found: dict[str, dict[int, list[Fact]]] = {}
    for sample in stream.samples:
        for act in sample.get("acts") or ():
            found.setdefault(str(act["name"]), {}).setdefault(int(sample["s"]), []).append(act)
    result = []
    for name, by_step in found.items():
        last = by_step[max(by_step)][-1]

        def column(key: str, by_step: dict[int, list[Fact]] = by_step) -> tuple[float, ...]:
            return tuple(
                min((float(a[key]) for a in acts if a.get(key) is not None), default=math.nan)
                for _, acts in sorted(by_step.items())
            )

        result.append(
            Course(
                name=name,
                kind=str(last.get("kind", "")).lower(),
                after=str(last.get("after") or ""),
                hidden=bool(last.get("hidden", True)),
                order=float(last.get("order", math.inf)),
                units=last.get("units"),
                steps=tuple(sorted(by_step)),
                dead=column("dead"),
                dead_so_far=last.get("dead_so_far"),
                saturated=column("saturated"),
                zero=column("zero"),
                std=column("std"),
                vary=column("vary"),
                sharp=column("sharp"),
            )
        )
    return sorted(result, key=lambda course: course.order)

"""The size of the whole gradient over the run, and of what reaches each time step of a recurrent network."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from unstuck.findings.evidence.liveness import owned
from unstuck.record.recording import Fact, Series, Stream


def norm(sample: Fact, stream: Stream) -> float | None:
    """Norm of the gradient of all parameters of this stream's optimizer; None when there is none; may be infinite."""
    values = [seen.gradient for seen in owned(sample, stream) if seen.gradient is not None]
    return math.sqrt(sum(float(v) ** 2 for v in values)) if values else None


def norms(stream: Stream) -> Series:
    """The gradient norm where it is known: before clipping where the script clips, else as the step found it."""
    known = {int(s): float(v) for s, v in stream.gradient_norm}
    known |= {int(s["s"]): n for s in stream.samples if (n := norm(s, stream)) is not None}
    known.update({int(s): float(v) for s, v in stream.clip_norm})
    steps = sorted(known)
    return Series(steps, [known[s] for s in steps])


@dataclass(frozen=True)
class TimeProfile:
    """The gradient's norm at some time steps of one recurrence, in one sample."""

    step: int
    layer: str
    weight: str
    length: int  # time steps
    at: tuple[int, ...]
    g: tuple[float, ...]

    @property
    def early(self) -> float:
        """The largest norm in the first tenth of the time steps."""
        return max(g for t, g in zip(self.at, self.g, strict=True) if t <= 0.1 * (self.length - 1))

    @property
    def late(self) -> float:
        """The largest norm in the last tenth of the time steps that any gradient reaches; 0 when it reaches none."""
        alive = [t for t, g in zip(self.at, self.g, strict=True) if g > 0]
        if not alive:
            return 0.0
        return max(g for t, g in zip(self.at, self.g, strict=True) if t <= alive[-1] and t >= 0.9 * alive[-1])

    @property
    def peak(self) -> float:
        """The largest norm of all."""
        return max(self.g)


def time_profiles(stream: Stream, *, until: float = math.inf) -> dict[str, list[TimeProfile]]:
    """The profiles of each recurrent weight up to a step; those with a norm that is not finite are left out."""
    found: dict[str, list[TimeProfile]] = {}
    for sample in stream.samples:
        if sample["s"] >= until:
            break
        for entry in sample.get("recurrent") or ():
            profile = _profile(int(sample["s"]), entry)
            if profile is not None:
                found.setdefault(profile.weight, []).append(profile)
    return found


def _profile(step: int, entry: Fact) -> TimeProfile | None:
    if not isinstance(entry, Mapping):
        return None
    at, g, length = entry.get("at"), entry.get("g"), entry.get("steps")
    if not isinstance(at, Sequence) or not isinstance(g, Sequence) or not isinstance(length, int):
        return None
    if len(at) < 2 or len(at) != len(g) or not all(isinstance(v, int | float) and math.isfinite(v) for v in (*at, *g)):
        return None
    if at[0] != 0 or at[-1] != length - 1 or any(a >= b for a, b in pairwise(at)):
        return None
    weight = str(entry.get("weight") or "weight")
    return TimeProfile(step, str(entry.get("layer") or weight), weight, length, tuple(at), tuple(g))

"""What looks at the curvature of the running training found: on live graphs, and on kept batches with a verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from unstuck.findings.contract import Number, Verdict
from unstuck.findings.evidence.head import number
from unstuck.findings.evidence.loss_course import WELL, LossCourse
from unstuck.record.recording import Event, Recording

SHOWN = ("saddle", "maximum", "flat", "minimum")
"""The states that only a look at the curvature can show."""

FEWEST_PARTS = 4
"""Batches from which a gradient may be called zero within its noise."""
WORTH = 0.01
"""Of the loss: a smaller descent from a saddle is a ripple."""
ROOM = 0.05
"""Of the stable limit: below it, twenty times the rate would still be stable."""
PAYS = 5.0
"""Times the fall at the run's own rate that a longer one must gain in the same number of updates."""
SHARE = 0.05
"""Of the loss that the longer one must gain, so that it matters."""
LINEAR = 0.5
"""Of the multiple, by which the fall has grown: the loss is a straight line over the whole of that way."""
SHARE_LINEAR = 0.01
"""Of the loss, where that is so: the gain of twenty updates is limited by what was tried, and goes on beyond."""
MUCH = 0.4
"""Of the loss, for a run that learns: sound runs that had not come far could gain at most a sixteenth of it."""


def live_looks(recording: Recording) -> list[Event]:
    """Looks into live graphs that came to numbers, in order of steps."""
    return [e for e in recording.happened("biopsy") if e.data.get("look") == "live" and "largest" in e.data]


def last_look(recording: Recording) -> Event | None:
    """The last look at kept batches that came to a verdict; None when there is none.

    >>> last_look(Recording()) is None
    True
    """
    found = [e for e in recording.happened("biopsy") if e.data.get("look") == "kept" and e.data.get("state")]
    return found[-1] if found else None


def why_not(recording: Recording) -> str:
    """Why there is no such look, in words for a check that could not be made."""
    told = [e.data for e in recording.happened("biopsy") if e.data.get("unseen")]
    kept = [d for d in told if d.get("look") in ("kept", "batches")] or told
    if kept:
        return f"no look at the curvature: {kept[-1]['unseen']}"
    return "no look at the curvature of this run was recorded"


def steepness(recording: Recording) -> tuple[float, int, str] | None:
    """Rate times curvature over the rule's limit, at its latest: (ratio, step, rule). Above 1 steps grow."""
    for event in reversed(recording.happened("biopsy")):
        data = event.data
        value, limit = number(data.get("rate_times_curvature")), number(data.get("stable_limit"))
        if value is not None and limit is not None and limit > 0:
            return value / limit, int(event.step or 0), str(data.get("rule") or "the rule")
    return None


def measured_verdict(recording: Recording) -> Verdict | None:
    """The verdict of the last look, where it is one that needs a look."""
    look = last_look(recording)
    if look is None or look.data["state"] not in SHOWN:
        return None
    told = _plain(look.data.get("evidence"))
    parts = number(told.get("noise_parts")) or 1
    if look.data["state"] == "saddle" and 1 < parts < FEWEST_PARTS and not told.get("gradient_is_zero"):
        return None  # the standard error of two or three batches is hardly known
    if look.data["state"] == "saddle" and not _material(told):
        return None
    evidence: dict[str, Number] = {"basis": "probed", "batches": look.data.get("batches")}
    evidence.update(told)
    return Verdict(str(look.data["state"]), str(look.data.get("sentence") or ""), evidence)


def _material(told: Mapping[str, Number]) -> bool:
    """The measured descent is worth the name: a hundredth of the loss that is left."""
    gains = [number(told.get(name)) or 0.0 for name in ("escape_gain", "curvature_gain", "probe_drop")]
    return max(gains) > WORTH * abs(number(told.get("loss")) or 0.0)


@dataclass(frozen=True)
class OtherStarts:
    """Where descents from other starts of the same model ended, on the kept batches: the lowest loss, of how many."""

    lowest: float
    starts: int
    lower: int


def other_starts(recording: Recording) -> OtherStarts | None:
    """What the last look found from other starts; None where it made none."""
    look = last_look(recording)
    data = look.data.get("elsewhere") if look is not None else None
    if not isinstance(data, Mapping):
        return None
    lowest, starts = number(data.get("lowest")), number(data.get("starts"))
    return (
        None if lowest is None or not starts else OtherStarts(lowest, int(starts), int(number(data.get("lower")) or 0))
    )


def next_to(verdict: Verdict) -> bool:
    """Whether the minimum is beside the run's place and not under it: its gradient is alive still, yet gains next to nothing."""
    return verdict.state == "minimum" and number(verdict.evidence.get("distance")) is not None


class Trial:
    """A few steps at multiples of the rate from where the run ended, judged on other batches."""

    def __init__(self, data: Mapping[str, object]) -> None:
        falls = data.get("falls")
        multiples = data.get("multiples")
        self.before = number(data.get("before")) or 0.0
        self.steps = int(number(data.get("steps")) or 0)
        self.newton = number(data.get("newton"))
        self.falls = [-math.inf if number(f) is None else float(f) for f in falls] if isinstance(falls, list) else []
        self.multiples = [float(m) for m in multiples] if isinstance(multiples, list) else []
        self.separate = bool(data.get("separate"))

    @property
    def own(self) -> float:
        """The fall at the run's own rate."""
        return self.falls[0]

    @property
    def best(self) -> tuple[float, float]:
        """The multiple with the largest fall, and that fall."""
        index = max(range(len(self.falls)), key=self.falls.__getitem__)
        return self.multiples[index], self.falls[index]


def trial(recording: Recording) -> Trial | None:
    """The trial of the last look; None without one."""
    look = last_look(recording)
    data = look.data.get("trial") if look is not None else None
    if not isinstance(data, Mapping):
        return None
    made = Trial(data)
    return made if made.falls and len(made.falls) == len(made.multiples) and made.before > 0 else None


def why_no_longer(recording: Recording) -> str | None:
    """None when a longer step was measured to pay and has room below the stable limit; else why not."""
    look, tried, steep = last_look(recording), trial(recording), steepness(recording)
    if look is None or tried is None or steep is None:
        return "no rates were tried on kept batches, or the optimizer's rule is not known"
    peak, rate = number(look.data.get("peak_rate")), number(look.data.get("rate"))
    ratio = steep[0] * (peak / rate if peak and rate else 1.0)
    if ratio > ROOM:
        return f"the rate stands at {ratio:.2g} of the stable limit"
    multiple, fall = tried.best
    # A fall that still grows with the rate at the largest one tried: all of these steps are short.
    linear = multiple == tried.multiples[-1] and fall >= LINEAR * multiple * tried.own > 0
    share = SHARE_LINEAR if linear else SHARE
    if multiple < 4 or fall < PAYS * max(tried.own, 0.0) or fall < share * tried.before:
        return (
            f"{tried.steps} updates at {multiple:g} times the rate gain {fall:.3g} of {tried.before:.3g}, at its own "
            f"{tried.own:.3g}"
        )
    return None


def worth_more(course: LossCourse, gain: float, before: float) -> bool:
    """Whether a run that learns leaves so much behind that a measured gain still is a finding: two fifths of the loss.

    The gain was measured on batches that the steps were not made on.
    """
    known = [v for v in (course.fall, course.skill) if v is not None]
    return bool(known) and max(known) < WELL and gain >= MUCH * before


def _plain(thing: object) -> dict[str, Number]:
    if not isinstance(thing, Mapping):
        return {}
    return {str(k): v for k, v in thing.items() if v is None or isinstance(v, int | float | str | bool)}

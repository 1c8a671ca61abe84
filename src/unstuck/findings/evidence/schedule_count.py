"""For how many calls the run's schedule was built, where torch's schedules keep that number."""

from __future__ import annotations

from dataclasses import dataclass

from unstuck.findings.evidence.head import number
from unstuck.findings.evidence.rate_course import epoch_steps, rate_course
from unstuck.record.recording import Fact, Recording

COUNTS = {
    "OneCycleLR": "total_steps",
    "CosineAnnealingLR": "T_max",
    "PolynomialLR": "total_iters",
    "LinearLR": "total_iters",
}
"""Where torch's schedules keep the number of calls that they run over."""

PER_STEP = 3  # steps between changes from which a schedule is not called after every batch
CUT_SHORT = 0.5  # of the calls, at most, for the run to have ended long before its schedule


@dataclass(frozen=True)
class ScheduleCount:
    """The only schedule of a run."""

    name: str
    built_for: float  # calls
    data: Fact

    def counts_epochs(self, recording: Recording) -> bool:
        """Built for fewer calls than one pass over the data has steps: it can only be meant to be called once an epoch."""
        epoch = epoch_steps(recording)
        return epoch is not None and self.built_for < epoch


def schedule_count(recording: Recording) -> ScheduleCount | None:
    """None where there are several schedules, or one that has no such number."""
    made = [e.data for e in recording.happened("schedule")]
    if len(made) != 1:
        return None
    name = str(made[0].get("name"))
    built_for = number((made[0].get("options") or {}).get(COUNTS.get(name, "")))
    return None if built_for is None else ScheduleCount(name, built_for, made[0])


def cut_short(recording: Recording) -> tuple[ScheduleCount, int] | None:
    """The schedule and the calls that it got, where the run ended in its first half; None where it did not, or where the
    number may be of batches and the calls of epochs."""
    count, course = schedule_count(recording), rate_course(recording.main)
    if count is None or course is None or course.constant:
        return None
    spacing = course.spacing(course.steps)
    if spacing is None:
        return None
    calls = len(course.changes) + 1 if spacing >= PER_STEP else course.steps
    if spacing >= PER_STEP and not count.counts_epochs(recording):
        return None
    return (count, calls) if calls <= CUT_SHORT * count.built_for else None

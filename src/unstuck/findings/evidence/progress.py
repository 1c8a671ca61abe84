"""What the run has come to, in the four words that the rules about signal and step ask for.

Built on the course of the loss. Where that has nothing to compare with (an unknown loss), the loss is
compared with its own start; that is weaker, and enough to say that a run learns, never that it does not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from unstuck.findings.evidence.loss_course import LossCourse, loss_course
from unstuck.record.recording import Fact, Recording, Stream

HALF = 0.5
"""A loss that came down to half its start learns, whatever else is odd about it."""


@dataclass(frozen=True)
class Progress:
    """The course of the loss, and the state that follows from it."""

    course: LossCourse

    @property
    def start(self) -> float | None:
        """Mean loss of the first steps."""
        return self.course.start

    @property
    def end(self) -> float | None:
        """Mean loss of the last tenth of the steps; NaN when it ends not finite."""
        return self.course.end

    @property
    def baseline(self) -> float | None:
        """Loss of the best answer that ignores the inputs."""
        return self.course.baseline

    @property
    def state(self) -> Literal["learned", "some", "none", "unknown"]:
        """``learned``: halfway or more; ``none``: no better than a constant answer, or diverged."""
        match self.course.outcome:
            case "well" | "learned":
                return "learned"
            case "some":
                return "some"
            case "nothing" | "diverged":
                return "none"
        start, end = self.course.start, self.course.end
        if start is None or end is None or not math.isfinite(end) or start <= 0 or not self.course.bounded:
            return "unknown"
        return "learned" if end <= HALF * start else "unknown"

    @property
    def lagging(self) -> bool:
        """The loss has not come halfway from a constant answer's to zero, however many answers are right by now."""
        fall = self.course.fall
        return fall is not None and fall < HALF and self.course.outcome != "well"

    @property
    def worse_than_constant(self) -> bool:
        """The loss ends above that of a constant answer, however many answers are right."""
        return self.course.fall is not None and self.course.fall < 0

    @property
    def sentence(self) -> str:
        """What was reached, in words with numbers."""
        return self.course.sentence


def progress(recording: Recording, stream: Stream | None = None) -> Progress:
    """Measure what a stream (by default the one with most steps) has learned.

    >>> progress(Recording.of(loss=[2.3] * 10 + [0.2] * 90)).state
    'learned'
    """
    return Progress(loss_course(recording, stream))


def main_term(sample: Fact) -> tuple[Fact, Fact] | None:
    """The loss and its data term that tell most of a sample: one with a measure of right and wrong, if there is any."""
    found: tuple[Fact, Fact] | None = None
    for loss in sample.get("losses") or ():
        for term in loss.get("terms") or ():
            if term.get("kind") == "penalty":
                continue
            if term.get("accuracy") is not None or term.get("r2") is not None:
                return loss, term
            found = found or (loss, term)
    return found

"""Whether the kept training targets depend on their inputs, as a look at the run's end tested it without a network."""

from __future__ import annotations

from dataclasses import dataclass

from unstuck.findings.evidence.head import number
from unstuck.record.recording import Recording

FEWEST = 100
"""Examples: digits, iris and wine show at forty; a signal of one answer in ten more needs some hundreds."""
NONE = 3.0
"""Deviations of chance, the largest of up to nine kinds of likeness: shuffled labels of six data sets gave 1.7 to 3 in the
median, and up to 5.5 where features are correlated."""
SURE = 8.0
"""Deviations that shuffled labels never came near; digits give 72, diabetes 35, rings 22, a faint signal 2 to 5."""


@dataclass(frozen=True)
class Relation:
    """The test's outcome, of the look with the most examples."""

    examples: int
    strongest: float
    seen_by: str
    neighbors: float | None = None  # what the five nearest of the others answer: 0 is a constant answer, 1 all right

    @property
    def sure(self) -> bool:
        return self.strongest >= SURE

    @property
    def none(self) -> bool:
        return self.examples >= FEWEST and self.strongest < NONE


def relation(recording: Recording) -> Relation | None:
    """What is known; None where no look made the test.

    >>> relation(Recording()) is None
    True
    """
    found = None
    for event in recording.happened("biopsy"):
        told = event.data.get("dependence")
        if not isinstance(told, dict):
            continue
        examples, strongest = number(told.get("examples")), number(told.get("strongest"))
        if examples is not None and strongest is not None and (found is None or examples >= found.examples):
            found = Relation(
                int(examples), strongest, str(told.get("seen_by") or ""), number(told.get("neighbors_skill"))
            )
    return found

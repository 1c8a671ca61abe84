"""What to try next, by what was reached so far: single remedies first, then the best one together with others."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from unstuck.treatment.plan import Candidate, compatible

HELPS = (
    0.05  # of the yardstick: one answer in twenty, or 5 % of the variance; seeds alone move healthy runs by up to 0.04
)
# Of what an untouched run lacks to perfection. Every mended example gains more (the least: 0.31, L208), and a healthy run
# that another rule or rate carries a little further is not sick.
WORTH = 0.25
MOST_PARTS = 3  # of a combination
PART = 0.5 * HELPS  # that a combination must gain for each further part, to come before what it was made of


@dataclass
class Row:
    """One remedy (or combination) and what its replays reached, by seed; None where it was not run."""

    changes: tuple[Candidate, ...]
    values: list[float | None]
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    curves: list[tuple[list[int], list[float]]] = field(default_factory=list)
    problem: str | None = None

    @property
    def label(self) -> str:
        return " + ".join(c.label for c in self.changes) or "nothing changed"

    @property
    def more_compute(self) -> bool:
        return any(c.more_compute for c in self.changes)

    def reached(self) -> list[float]:
        """The figures of the seeds that were run."""
        return [v for v in self.values if v is not None]

    def gain(self, nothing: Row) -> float:
        """The mean difference to doing nothing, over the seeds that both ran; −9 for none."""
        gains = self.gains(nothing)
        return sum(gains) / len(gains) if gains else -9.0

    def least_gain(self, nothing: Row) -> float:
        """The least difference to doing nothing, over the seeds that both ran; −9 for none."""
        return min(self.gains(nothing), default=-9.0)

    def gains(self, nothing: Row) -> list[float]:
        """The differences to doing nothing, for the seeds that both ran."""
        return [a - b for a, b in zip(self.values, nothing.values, strict=True) if a is not None and b is not None]

    @property
    def mean(self) -> float:
        reached = self.reached()
        return sum(reached) / len(reached) if reached else -9.0


def that_helped(rows: Sequence[Row], nothing: Row) -> list[Row]:
    """Those that gained ``HELPS`` on the seeds run so far, the best first; each further part has to pay for itself."""
    ranked = sorted(rows, key=lambda r: (PART * (len(r.changes) - 1) - r.gain(nothing), r.more_compute, len(r.changes)))
    return [r for r in ranked if r.gain(nothing) >= HELPS]


def next_changes(
    rows: Sequence[Row], order: Sequence[Candidate], nothing: Row, *, first: int, count: int
) -> list[tuple[Candidate, ...]]:
    """What to try next: ``first`` remedies in their order, then ``count`` at a time; nothing when nothing is left to gain.

    Where none helped, remedies are tried together, for faults that hide each other: of several findings, and the first that
    answers one beside others. Where one helped,
    others are tried beside it: those that helped by themselves, then those not yet tried; where it
    helped by less than a cure, half of the trials go on with remedies by themselves.
    """
    if not rows:
        return [(c,) for c in order[:first]]
    helped = that_helped(rows, nothing)
    best = helped[0] if helped else None
    if best is not None and best.mean >= 1.0 - HELPS:
        return []
    tried = {frozenset(c.label for c in row.changes) for row in rows}
    single = ((c,) for c in order if frozenset((c.label,)) not in tried)
    if best is None:
        hidden = itertools.chain(_one_for_each_finding(order, tried), _beside_the_answer(order, tried))
        return _alternating(count, hidden, single)
    if best.more_compute or len(best.changes) >= MOST_PARTS:
        return _alternating(count, single)
    beside = _beside(best, [r for r in helped[1:] if len(r.changes) == 1], order, tried)
    cured = best.gain(nothing) >= WORTH * (1.0 - nothing.mean)
    return _alternating(count, *((beside,) if cured else (beside, single)))


def _alternating(count: int, *sources: Iterator[tuple[Candidate, ...]]) -> list[tuple[Candidate, ...]]:
    """So many of what several sources offer, one of each in turn; nothing twice."""
    chosen: list[tuple[Candidate, ...]] = []
    while len(chosen) < count:
        before = len(chosen)
        for source in sources:
            changes = next((c for c in source if c not in chosen), None)
            if changes is not None and len(chosen) < count:
                chosen.append(changes)
        if len(chosen) == before:
            break
    return chosen


def _one_for_each_finding(order: Sequence[Candidate], tried: set[frozenset[str]]) -> Iterator[tuple[Candidate, ...]]:
    """Where nothing helps by itself, several faults may hide each other: the first remedies that each answer another finding,
    up to three, all together and then by twos."""
    chosen: list[Candidate] = []
    answered: set[str] = set()
    for candidate in order:
        new = set(candidate.answers) - answered
        if new and not candidate.more_compute and len(chosen) < MOST_PARTS and compatible(chosen, candidate):
            chosen.append(candidate)
            answered |= set(candidate.answers)
    for size in range(len(chosen), 1, -1):
        for together in itertools.combinations(chosen, size):
            if frozenset(c.label for c in together) not in tried:
                yield together


def _beside_the_answer(order: Sequence[Candidate], tried: set[frozenset[str]]) -> Iterator[tuple[Candidate, ...]]:
    """The first remedy that answers a finding, with each of the others: a second fault may have been hidden by the first.

    A softmax over one unit stops every gradient, and that the inputs are raw shows only when it is gone.
    """
    first = next((c for c in order if c.answers and not c.more_compute), None)
    if first is None:
        return
    for partner in order:
        new = frozenset((first.label, partner.label)) not in tried
        if new and not partner.more_compute and compatible((first,), partner):
            yield first, partner


def _beside(
    best: Row, others: Sequence[Row], order: Sequence[Candidate], tried: set[frozenset[str]]
) -> Iterator[tuple[Candidate, ...]]:
    alone = {label for labels in tried if len(labels) == 1 for label in labels}
    partners = [row.changes[0] for row in others]
    # What answers a finding that the best one does not: it may do nothing by itself as long as the other fault stands.
    answered = {code for change in best.changes for code in change.answers}
    partners += [c for c in order if set(c.answers) - answered]
    partners += [c for c in order if c.label not in alone] + [c for c in order if c.label in alone]
    seen: set[str] = set()
    for partner in partners:
        together = (*best.changes, partner)
        new = partner.label not in seen and frozenset(c.label for c in together) not in tried
        seen.add(partner.label)
        if new and not partner.more_compute and compatible(best.changes, partner):
            yield together

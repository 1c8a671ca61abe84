"""What to try next, by what was reached so far: single remedies first, then the best one together with others."""

from __future__ import annotations

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


def best_first(rows: Sequence[Row]) -> list[Row]:
    """By the first seed's figure; of equals the simpler and earlier one first."""
    return sorted(
        rows, key=lambda r: (-(r.values[0] if r.values[0] is not None else -9.0), r.more_compute, len(r.changes))
    )


def that_helped(rows: Sequence[Row], base: float) -> list[Row]:
    """Those that raised the first seed's figure by ``HELPS``, the best first."""
    return [r for r in best_first(rows) if r.values[0] is not None and r.values[0] >= base + HELPS]


def next_changes(
    rows: Sequence[Row], order: Sequence[Candidate], base: float, *, first: int, count: int
) -> list[tuple[Candidate, ...]]:
    """What to try next: ``first`` remedies in their order, then ``count`` at a time; nothing when nothing is left to gain.

    Where one helped, others are tried beside it: those that helped by themselves, then those not yet tried; where it
    helped by less than a cure, half of the trials go on with remedies by themselves.
    """
    if not rows:
        return [(c,) for c in order[:first]]
    helped = that_helped(rows, base)
    best = helped[0] if helped else None
    if best is not None and (best.values[0] or 0.0) >= 1.0 - HELPS:
        return []
    tried = {frozenset(c.label for c in row.changes) for row in rows}
    single = ((c,) for c in order if frozenset((c.label,)) not in tried)
    if best is None or best.more_compute or len(best.changes) >= MOST_PARTS:
        return [next_one for next_one, _ in zip(single, range(count), strict=False)]
    beside = _beside(best, [r for r in helped[1:] if len(r.changes) == 1], order, tried)
    cured = (best.values[0] or 0.0) >= base + WORTH * (1.0 - base)
    sources = (beside, beside) if cured else (beside, single)
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


def _beside(
    best: Row, others: Sequence[Row], order: Sequence[Candidate], tried: set[frozenset[str]]
) -> Iterator[tuple[Candidate, ...]]:
    alone = {label for labels in tried if len(labels) == 1 for label in labels}
    partners = [row.changes[0] for row in others]
    partners += [c for c in order if c.label not in alone] + [c for c in order if c.label in alone]
    seen: set[str] = set()
    for partner in partners:
        together = (*best.changes, partner)
        new = partner.label not in seen and frozenset(c.label for c in together) not in tried
        seen.add(partner.label)
        if new and not partner.more_compute and compatible(best.changes, partner):
            yield together

"""What the script's own evaluations measured: the same examples judged again and again."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from unstuck.findings.evidence.head import number, seen_terms
from unstuck.findings.evidence.places import at
from unstuck.record.recording import Event, Fact, Recording


@dataclass(frozen=True)
class Look:
    """What one evaluation measured. Numbers that are not known are None."""

    step: int
    loss: float  # for each example (element), over the batches looked at
    accuracy: float | None
    r2: float | None  # of one batch only: None where several were looked at
    examples: int
    commonest: float | None  # share of the commonest class
    target_mean: float | None = None
    target_std: float | None = None


@dataclass(frozen=True)
class Evaluations:
    """One place where an evaluation computes its loss, in order of steps."""

    model: str
    kind: str
    line: Fact | None
    looks: tuple[Look, ...]
    same_batch: bool  # every look is at the very same targets

    @property
    def examples(self) -> int:
        """Examples of one look."""
        return self.looks[-1].examples


class _Line(NamedTuple):
    model: str
    kind: str
    place: str  # file and line


@dataclass(frozen=True)
class _Batch:
    line: _Line
    turn: int  # of the block in its evaluation
    look: Look
    targets: tuple[object, ...]  # what tells one batch's targets from another's
    data: Fact


_Set = list[_Batch]  # batches of one set, in their order, judged in one block


def evaluations(recording: Recording) -> list[Evaluations]:
    """The evaluations of the models, the most often made first (in whatever mode: without dropout it makes no difference).

    Three and more batches of equal size at one line of one block (or each in a block of its own) are one set, with a
    last one that may be smaller: their mean counts, by examples. Where one line evaluates several sets (training and
    test set by turns), they are told apart by the targets of their first batch, provided that each comes again;
    targets that never come again (a shuffled set) make one series for each block of an evaluation.
    """
    result: list[Evaluations] = []
    for line, sets in _sets_by_line(recording).items():
        by_targets: dict[object, list[_Set]] = {}
        by_turn: dict[object, list[_Set]] = {}
        for batches in sets:
            first = batches[0]
            by_targets.setdefault(first.targets, []).append(batches)
            by_turn.setdefault((first.turn, first.data.get("place")), []).append(batches)
        again = [group for group in by_targets.values() if len(group) > 1]
        recurring = 2 * sum(map(len, again)) >= len(sets)
        for group in again if recurring else by_turn.values():
            result.append(_series(line, group, same=recurring))
    return sorted(result, key=lambda e: -len(e.looks))


@dataclass(frozen=True)
class OtherTargets:
    """Means and deviations of the targets of an evaluation and of the training, where they are plainly unlike."""

    mean: float
    deviation: float
    training_mean: float
    training_deviation: float


APART = 1.0
"""Training deviations between the means of the targets that no random split makes: of 16 examples four standard errors."""
NARROW = 0.4
"""Share of the training's deviation; 16 examples drawn at random have 0.6 and more."""
MIXED = 0.7
"""Share of the deviation within a batch: sorted training data show a few classes at a time, and not the whole."""


def other_targets(recording: Recording, series: Evaluations) -> OtherTargets | None:
    """How the targets of these evaluations differ from those of the training; None where they are alike or not known.

    A set that was split off without shuffling holds other classes than the rest.
    """
    look = series.looks[-1]
    if look.target_mean is None or look.target_std is None:
        return None
    seen = [
        (number(t.target.get("mean")), number(t.target.get("std")))
        for t in seen_terms(recording.main)
        if t.term.get("kind") == series.kind and not t.target.get("one_hot")
    ]
    known = [(m, s) for m, s in seen if m is not None and s is not None]
    if len(known) < 3:
        return None
    center = sum(m for m, _ in known) / len(known)
    within = sum(s * s for _, s in known) / len(known)
    whole = math.sqrt(within + sum((m - center) ** 2 for m, _ in known) / len(known))
    if whole == 0 or math.sqrt(within) < MIXED * whole:
        return None
    if abs(look.target_mean - center) <= APART * whole and look.target_std >= NARROW * whole:
        return None
    return OtherTargets(look.target_mean, look.target_std, center, whole)


def _sets_by_line(recording: Recording) -> dict[_Line, list[_Set]]:
    evaluated: dict[tuple[_Line, int], dict[object, list[_Batch]]] = {}  # by step, then by block
    for event in recording.happened("evaluation_loss"):
        batch = _batch(event)
        if batch is not None:
            blocks = evaluated.setdefault((batch.line, batch.look.step), {})
            blocks.setdefault(event.data.get("look"), []).append(batch)
    found: dict[_Line, list[_Set]] = {}
    for (line, _), blocks in evaluated.items():
        runs = list(blocks.values())
        if all(len(run) == 1 for run in runs):  # a block for every batch
            runs = [[batch for run in runs for batch in run]]
        for run in runs:
            found.setdefault(line, []).extend(_sets(run))
    return found


def _batch(event: Event) -> _Batch | None:
    data = event.data
    loss, kind = number(data.get("each", data.get("value"))), data.get("loss_kind")
    if loss is None or data.get("reduction") == "none" or event.step is None or kind is None:
        return None
    examples = int(data.get("examples") or 0)
    look = Look(
        int(event.step),
        loss,
        number(data.get("accuracy")),
        number(data.get("r2")),
        examples,
        number(data.get("commonest")),
        number(data.get("target_mean")),
        number(data.get("target_std")),
    )
    targets = (examples, _rounded(data.get("target_mean")), _rounded(data.get("target_std")))
    line = _Line(str(data.get("model") or ""), str(kind), at(data.get("line")))
    return _Batch(line, int(data.get("turn") or 1), look, targets, data)


def _sets(batches: Iterable[_Batch]) -> list[_Set]:
    """Batches in their order as sets. Two of equal size may as well be two sets: those stay apart."""
    runs: list[_Set] = []
    ended = False
    for batch in batches:
        run = runs[-1] if runs else []
        size = run[0].look.examples if run else 0
        last = len(run) > 1 and batch.look.examples < size
        if not run or ended or not (batch.look.examples == size or last):
            runs.append([batch])
            ended = False
        else:
            run.append(batch)
            ended = last
    return [part for run in runs for part in ([run] if len(run) > 2 else [[batch] for batch in run])]


def _series(line: _Line, group: list[_Set], *, same: bool) -> Evaluations:
    # Not every look could afford as many batches: as many count as four in five looks have, and those looks.
    common = sorted(map(len, group))[len(group) // 5]
    chosen = [batches[:common] for batches in group if len(batches) >= common]
    chosen.sort(key=lambda batches: batches[0].look.step)
    looks = tuple(_mean(batches) for batches in chosen)
    return Evaluations(line.model, line.kind, chosen[0][0].data.get("line"), looks, same)


def _mean(batches: _Set) -> Look:
    looks = [batch.look for batch in batches]
    if len(looks) == 1:
        return looks[0]
    weights = [max(1, look.examples) for look in looks]
    center = _weighted([look.target_mean for look in looks], weights)
    squares = [
        None if center is None or look.target_std is None else look.target_std**2 + (look.target_mean - center) ** 2
        for look in looks
        if look.target_mean is not None
    ]
    spread = _weighted(squares, weights) if center is not None else None
    return Look(
        looks[0].step,
        sum(look.loss * weight for look, weight in zip(looks, weights, strict=True)) / sum(weights),
        _weighted([look.accuracy for look in looks], weights),
        None,
        sum(look.examples for look in looks),
        _weighted([look.commonest for look in looks], weights),
        center,
        None if spread is None else math.sqrt(spread),
    )


def _weighted(values: list[float | None], weights: list[int]) -> float | None:
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return None
    return sum(value * weight for value, weight in zip(known, weights, strict=True)) / sum(weights)


def _rounded(value: object) -> object:
    found = number(value)
    return None if found is None or not math.isfinite(found) else float(f"{found:.6g}")

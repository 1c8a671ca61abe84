"""The yardstick of a replay: what the model gave against the targets as the script had them, in plain counts.

Read where outputs and targets first meet and before any remedy acts, so that no remedy can change what is counted.
Kept as sums by stretches of steps and by evaluations; ``treatment.scores`` turns them into figures without torch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch

from unstuck.treatment.stage import COMPARISONS, LOSSES, Met, Stage

PICKING = frozenset(("__getitem__", "gather", "take_along_dim", "index_select"))
MOST_CLASSES = 100  # more are pooled: recall by class needs several examples of each
MOST_COLUMNS = 4096
MOST_BLOCKS = 400


@dataclass
class Tally:
    """Sums over some outputs and targets, either of classes or of numbers."""

    right: list[float] = field(default_factory=list)
    total: list[float] = field(default_factory=list)
    squares: float = 0.0  # of the errors
    count: int = 0
    columns: int = 0
    sum: torch.Tensor | None = None  # of the targets, by column
    sum_squares: torch.Tensor | None = None

    def add_classes(self, right: torch.Tensor, labels: torch.Tensor, classes: int) -> None:
        size = max(classes, len(self.total))
        for name, weights in (("right", right.double()), ("total", torch.ones_like(right, dtype=torch.float64))):
            found = torch.bincount(labels, weights=weights, minlength=size).tolist()
            mine: list[float] = getattr(self, name)
            mine.extend([0.0] * (len(found) - len(mine)))
            for i, value in enumerate(found):
                mine[i] += value

    def add_numbers(self, output: torch.Tensor, target: torch.Tensor) -> None:
        rows = target.shape[0] if target.dim() > 1 else target.numel()
        target = target.detach().double().reshape(rows, -1)
        output = output.detach().double().reshape(rows, -1)
        if target.shape[1] > MOST_COLUMNS:
            target, output = target[:, :MOST_COLUMNS], output[:, :MOST_COLUMNS]
        if self.columns not in (0, target.shape[1]):
            return
        known = torch.isfinite(target)
        error = torch.where(known, output - target, 0.0)
        target = torch.where(known, target, 0.0)
        self.columns = target.shape[1]
        self.squares += float((error**2).sum())
        self.count += int(rows)
        total, squares = target.sum(0), (target**2).sum(0)
        self.sum = total if self.sum is None else self.sum + total
        self.sum_squares = squares if self.sum_squares is None else self.sum_squares + squares

    def merge(self, other: Tally) -> None:
        """Add another tally's sums to this one's."""
        for name in ("right", "total"):
            mine, theirs = getattr(self, name), getattr(other, name)
            mine.extend([0.0] * (len(theirs) - len(mine)))
            for i, value in enumerate(theirs):
                mine[i] += value
        if other.columns and self.columns in (0, other.columns):
            self.columns = other.columns
            self.squares += other.squares
            self.count += other.count
            assert other.sum is not None and other.sum_squares is not None
            self.sum = other.sum if self.sum is None else self.sum + other.sum
            self.sum_squares = other.sum_squares if self.sum_squares is None else self.sum_squares + other.sum_squares

    def plain(self) -> dict[str, Any]:
        """As the result file keeps it: ``right`` and ``total`` by class, ``squares`` and ``spread`` of numbers."""
        found: dict[str, Any] = {}
        if self.total:
            found |= {"right": self.right, "total": self.total}
        if self.columns and self.count:
            assert self.sum is not None and self.sum_squares is not None
            spread = float((self.sum_squares - self.sum**2 / self.count).clamp(min=0.0).sum())
            found |= {"squares": self.squares, "spread": spread, "count": self.count}
        return found


@dataclass
class Block:
    """Some consecutive steps, or one evaluation."""

    start: int
    stop: int
    tally: Tally = field(default_factory=Tally)
    compared: Tally = field(default_factory=Tally)  # the script's own comparison of predictions and labels
    losses: list[float] = field(default_factory=list)


class Yardstick:
    """Listens to a stage and counts."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.blocks: list[Block] = []
        self.evaluations: list[Block] = []
        self.width = 1  # steps in a block; doubles when there are too many
        self.pending: list[tuple[int, Tally]] = []
        self.kinds: dict[Any, str] = {}
        self.kind: str | None = None
        self.problem: str | None = None
        self.picked = False  # the last meeting picked values out by an index
        self.actions = 0
        self.constant = 0  # batches whose targets are all the same
        self.counted = 0
        stage.hear.met.insert(0, self.met)
        stage.hear.backward.insert(0, self.backward)

    def met(self, meeting: Met) -> None:
        """Count one meeting of outputs and targets; several on the way to one loss count once."""
        try:
            with self.stage.aside():
                self._met(meeting)
        except Exception as error:  # a shape nobody thought of must not end the replay
            self.problem = f"{type(error).__name__}: {error}"[:300]

    def _met(self, meeting: Met) -> None:
        if meeting.gradient:
            key = id(meeting.output)
            if any(k == key for k, _ in self.pending):
                self._met_again(meeting)
                return
            self.picked = meeting.function in PICKING
            self.constant += bool((meeting.target == meeting.target.reshape(-1)[0]).all())
            self.counted += 1
            tally = self._count(meeting)
            if tally is not None:
                self.pending.append((key, tally))
                if len(self.pending) > 64:
                    self._evaluated(self.pending.pop(0)[1])
            return
        if meeting.function in COMPARISONS and meeting.derived.shape == meeting.target.shape:
            self._compared(meeting)
            return
        if any(m.output is meeting.output and m.function not in COMPARISONS for m in self.stage.was_met):
            return
        tally = self._count(meeting)
        if tally is not None:
            self._evaluated(tally)

    def _met_again(self, meeting: Met) -> None:
        """What was picked out by an index and then weighed by values of both signs, or compared with them, is an action."""
        target = meeting.target
        if self.picked and target.is_floating_point() and target.numel() > 1:
            if meeting.function in LOSSES or bool((target.min() < 0) & (target.max() > 0)):
                self.actions += 1
            self.picked = False

    def unsupervised(self) -> str | None:
        """Why what was counted is no yardstick, or None."""
        if self.counted >= 10 and self.actions > 0.5 * self.counted:
            return "a training by rewards: what meets the outputs are actions, not targets"
        if self.kind == "binary" and len(self.stage.optimizers) > 1 and self.constant > 0.9 * self.counted > 9:
            return "two networks trained against each other: their targets only say which of them is asked"
        return None

    def _evaluation(self) -> Block:
        tick = self.stage.tick
        if not self.evaluations or self.evaluations[-1].stop != tick:
            self.evaluations.append(Block(tick, tick))
        return self.evaluations[-1]

    def _evaluated(self, tally: Tally) -> None:
        self._evaluation().tally.merge(tally)

    def _compared(self, meeting: Met) -> None:
        labels = meeting.target.detach().reshape(-1)
        if labels.is_floating_point() and not bool((labels == labels.round()).all()):
            return
        labels = labels.long()
        right = (meeting.derived.detach().reshape(-1) == meeting.target.reshape(-1)).double()
        labels, classes = _pooled(labels)
        self._evaluation().compared.add_classes(right, labels, classes)

    def _count(self, meeting: Met) -> Tally | None:
        for output in (meeting.output, meeting.derived):
            if not output.is_floating_point():
                continue
            key = (tuple(output.shape[1:]), tuple(meeting.target.shape[1:]), meeting.target.dtype)
            kind = self.kinds.get(key)
            if kind is None:
                kind = kind_of(output, meeting.target)
                if kind is None:
                    continue
                self.kinds[key] = kind
            if meeting.gradient:
                self.kind = kind
            tally = Tally()
            _add(tally, kind, output.detach(), meeting.target.detach())
            return tally
        return None

    def backward(self, loss: torch.Tensor) -> torch.Tensor:
        """A training loss is ready: what was met on the way to it belongs to this step."""
        with self.stage.aside():
            value = float(loss.detach()) if not loss.is_complex() else float(loss.detach().real)
        scale = self.stage.loss_scale.get(id(loss))
        value = value / scale if scale else value
        tick = self.stage.tick - 1
        if not self.blocks or self.blocks[-1].stop - self.blocks[-1].start >= self.width:
            self.blocks.append(Block(tick, tick))
            if len(self.blocks) > MOST_BLOCKS:
                self._halve()
        block = self.blocks[-1]
        block.stop = tick + 1
        block.losses.append(value)
        for _, tally in self.pending:
            block.tally.merge(tally)
        self.pending.clear()
        return loss

    def _halve(self) -> None:
        joined: list[Block] = []
        for first, second in zip(self.blocks[::2], self.blocks[1::2], strict=False):
            first.tally.merge(second.tally)
            joined.append(Block(first.start, second.stop, first.tally, Tally(), first.losses + second.losses))
        if len(self.blocks) % 2:
            joined.append(self.blocks[-1])
        self.blocks = joined
        self.width *= 2

    def plain(self) -> dict[str, Any]:
        """Everything counted, for the result file."""
        for _, tally in self.pending:
            self._evaluated(tally)
        self.pending.clear()
        return {
            "kind": self.kind,
            "ticks": self.stage.tick,
            "blocks": [
                {"start": b.start, "stop": b.stop, "loss": _mean(b.losses), **b.tally.plain()} for b in self.blocks
            ],
            "evaluations": [
                {"tick": b.stop, **({"compared": b.compared.plain()} if b.compared.total else {}), **b.tally.plain()}
                for b in self.evaluations[-200:]
            ],
            "problem": self.problem,
            "unsupervised": self.unsupervised(),
        }


def kind_of(output: torch.Tensor, target: torch.Tensor) -> str | None:
    """How an output and a target belong together: ``classes``, ``one-hot``, ``binary``, ``numbers`` or None.

    Classes lie on dimension 1 of the output, as torch's losses have it.
    """
    if target.numel() == 0 or output.numel() == 0 or target.is_complex():
        return None
    whole = not target.is_floating_point()
    if output.dim() >= 2 and output.shape[1] > 1 and output.numel() != target.numel():
        positions = output.numel() // output.shape[1]
        together = target.numel() == positions and target.shape[0] == output.shape[0]
        if together and (whole or bool((target == target.round()).all())):
            low, high = float(target.min()), float(target.max())
            few = not whole and high <= 1 and output.shape[1] > 2  # two values for a longer vector: no class number
            return None if low < -100 or high >= output.shape[1] or few else "classes"
        return None
    if output.numel() != target.numel():
        return None
    values = target.double()
    if bool(((values == 0) | (values == 1)).all()):
        if (
            target.shape == output.shape
            and target.dim() == 2
            and target.shape[1] > 1
            and bool((values.sum(1) == 1).all())
        ):
            return "one-hot"
        return "binary"
    return "numbers"


def _add(tally: Tally, kind: str, output: torch.Tensor, target: torch.Tensor) -> None:
    if kind == "numbers":
        tally.add_numbers(output.reshape(target.shape), target)
        return
    if kind == "binary":
        given, labels = output.reshape(-1).float(), target.reshape(-1).float()
        # Probabilities are cut at one half, scores at zero.
        cut = 0.5 if bool(((given >= 0) & (given <= 1)).all()) else 0.0
        right = ((given > cut) == (labels > 0.5)) & torch.isfinite(given)
        tally.add_classes(right, (labels > 0.5).long(), 2)
        return
    scores = output.movedim(1, -1).reshape(-1, output.shape[1])
    labels = target.argmax(1) if kind == "one-hot" else target.reshape(-1).long()
    kept = labels >= 0  # torch's losses pass over −100
    scores, labels = scores[kept], labels[kept]
    right = (scores.argmax(1) == labels) & torch.isfinite(scores).all(1)
    labels, classes = _pooled(labels)
    tally.add_classes(right, labels, classes)


def _pooled(labels: torch.Tensor) -> tuple[torch.Tensor, int]:
    if labels.numel() == 0:
        return labels, 1
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= MOST_CLASSES:
        return torch.zeros_like(labels), 1
    return labels, high + 1


def _mean(values: list[float]) -> float | str:
    finite = [v for v in values if v - v == 0.0]
    return sum(finite) / len(finite) if finite else "nan"

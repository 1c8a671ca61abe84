"""Schedules that wait for a measure to stand still: whether the measure goes the way that their mode expects."""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from unstuck.findings.evidence.evaluations import evaluations
from unstuck.findings.evidence.head import number
from unstuck.findings.evidence.trend import mean_between
from unstuck.record.recording import Fact, Recording

GONE = 0.01
"""Of the rate before the first cut: what the measure does after that is not the training's doing."""
ALIKE = 0.02
"""By how much a measure may differ from what an evaluation of the script was seen to measure, to be the same."""

Kind = Literal["loss", "score"]
LEAST = 8
"""Measures that are looked at where there are as many, though the rate be gone before: what then goes on slowly still goes
one way."""
_SCORES = frozenset(
    "acc accuracy accuracies auc auroc auprc f1 score scores r2 iou miou dice bleu precision recall top1 reward rewards".split()
)
_LOSSES = frozenset("loss losses error errors err mse mae rmse nll perplexity ppl ce bce".split())


@dataclass(frozen=True)
class Plateau:
    """One schedule, the measures that it was given, and its cuts."""

    name: str
    mode: str  # "min" or "max"
    values: tuple[float, ...]
    steps: tuple[int, ...]  # of the run, at each measure
    cuts: tuple[tuple[int, int, float, float], ...]  # call, step, rate before, rate after
    calls: int
    line: Fact | None

    @property
    def trained(self) -> tuple[float, ...]:
        """The measures until the rate was gone, and some more where that was at once."""
        first = self.cuts[0][2] if self.cuts else 0.0
        gone = next((call for call, _, _, after in self.cuts if after <= GONE * first), len(self.values))
        return self.values[: max(gone, LEAST)]


def plateaus(recording: Recording) -> list[Plateau]:
    """The schedules of this kind whose measures are known from their first call on."""
    last: dict[object, Mapping[str, Any]] = {e.data.get("number"): e.data for e in recording.happened("plateau")}
    found = []
    for data in last.values():
        pairs = [(number(v), int(s)) for s, v in data.get("values") or ()]
        values = tuple(v for v, _ in pairs if v is not None and math.isfinite(v))
        calls = int(data.get("calls") or 0)
        cuts = tuple((int(c), int(s), float(a), float(b)) for c, s, a, b in data.get("cuts") or ())
        # Where some could not be read, the calls of the cuts are not those of the values.
        if len(values) != len(pairs) or len(values) < min(calls, 200) or data.get("mode") not in ("min", "max"):
            continue
        line = data.get("line")
        found.append(
            Plateau(
                name=str(data.get("name")),
                mode=str(data["mode"]),
                values=values,
                steps=tuple(s for _, s in pairs),
                cuts=cuts,
                calls=calls,
                line=line if isinstance(line, Mapping) else None,
            )
        )
    return found


def agreement(values: Sequence[float], others: Sequence[float] | None = None) -> float:
    """Kendall's rank correlation of the values with the others, or with time: +1 always rises, −1 always falls.

    >>> agreement([1.0, 2.0, 4.0, 3.0])
    0.6666666666666666
    """
    n = len(values)
    against = range(n) if others is None else others
    total = sum(
        _sign(values[j] - values[i]) * _sign(against[j] - against[i]) for i in range(n) for j in range(i + 1, n)
    )
    return total / max(1, n * (n - 1) // 2)


def bests(values: Sequence[float], mode: str) -> int:
    """How many of the values after the first are better than all before them."""
    sign = 1 if mode == "max" else -1
    count, best = 0, sign * values[0] if values else 0.0
    for value in values[1:]:
        if sign * value > best:
            count, best = count + 1, sign * value
    return count


def kind_of_measure(recording: Recording, plateau: Plateau) -> Kind | None:
    """Whether the measure is a loss or a score: by what an evaluation was seen to measure at the same steps, by the name
    that the script gives it, or by the training loss that it falls with. None where nothing tells."""
    return _as_evaluated(recording, plateau) or _as_called(plateau) or _as_trained(recording, plateau)


def _as_evaluated(recording: Recording, plateau: Plateau) -> Kind | None:
    at = dict(zip(plateau.steps, plateau.values, strict=True))
    for series in evaluations(recording):
        losses = [(at[look.step], look.loss) for look in series.looks if look.step in at]
        if len(losses) >= 3 and _median_gap(losses, relative=True) <= ALIKE:
            return "loss"
        for name in ("accuracy", "r2"):
            told = [
                (at[k.step], getattr(k, name)) for k in series.looks if k.step in at and getattr(k, name) is not None
            ]
            percent = [(v / 100, w) for v, w in told]
            if len(told) >= 3 and min(_median_gap(told), _median_gap(percent)) <= ALIKE:
                return "score"
    return None


def _median_gap(pairs: Sequence[tuple[float, float]], *, relative: bool = False) -> float:
    return statistics.median(abs(a - b) / (max(abs(b), 1e-12) if relative else 1.0) for a, b in pairs)


def _as_called(plateau: Plateau) -> Kind | None:
    text = str((plateau.line or {}).get("text") or "")
    handed = re.search(r"\.step\((.*)\)", text)
    # What is called is no measure: ``map(check, parts)``.
    named = re.sub(r"([a-z])([A-Z])", r"\1 \2", re.sub(r"\w+\(", "(", handed[1])).lower() if handed else ""
    words = set(re.findall(r"[a-z]+\d?", named))
    score, loss = bool(words & _SCORES), bool(words & _LOSSES)
    return None if score == loss else "score" if score else "loss"


def _as_trained(recording: Recording, plateau: Plateau) -> Kind | None:
    """It falls with the training loss, by a fifth of itself or more: no score does that."""
    course = recording.main.loss
    starts = (0, *plateau.steps[:-1])
    means = [mean_between(course, a, b) for a, b in zip(starts, plateau.steps, strict=True)]
    both = [(v, m) for v, m in zip(plateau.trained, means, strict=False) if m is not None]
    if len(both) < 5 or not 0 <= both[-1][0] < 0.8 * both[0][0]:
        return None
    return "loss" if agreement([v for v, _ in both], [m for _, m in both]) >= 0.6 else None


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)

"""What the script's own evaluations measured: the same batch of examples judged again and again."""

from __future__ import annotations

import math
from dataclasses import dataclass

from unstuck.findings.evidence.head import at, number
from unstuck.record.recording import Fact, Recording


@dataclass(frozen=True)
class Look:
    """One evaluation loss. Numbers that are not known are None."""

    step: int
    loss: float
    accuracy: float | None
    r2: float | None
    examples: int
    commonest: float | None  # share of the commonest class in the batch


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


def evaluations(recording: Recording) -> list[Evaluations]:
    """The evaluations of the models, the most often made first (in whatever mode: without dropout it makes no difference).

    Looks are put together by model, line and place in their block. Where one line evaluates several sets (training and
    test set by turns), they are told apart by their targets, provided that each comes again; targets that never
    come again (a shuffled set) make one series together.
    """
    places: dict[tuple[object, ...], list[tuple[tuple[object, ...], Look, Fact]]] = {}
    for event in recording.happened("evaluation_loss"):
        data = event.data
        loss = number(data.get("value"))
        if loss is None or data.get("reduction") == "none":
            continue
        if event.step is None or data.get("loss_kind") is None:
            continue
        examples = int(data.get("examples") or 0)
        look = Look(
            int(event.step),
            loss,
            number(data.get("accuracy")),
            number(data.get("r2")),
            examples,
            number(data.get("commonest")),
        )
        print_of_targets = (examples, _rounded(data.get("target_mean")), _rounded(data.get("target_std")))
        key = (str(data.get("model") or ""), at(data.get("line")), data.get("place"), data.get("loss_kind"))
        places.setdefault(key, []).append((print_of_targets, look, data))
    result: list[Evaluations] = []
    for (model, _, _, kind), seen in places.items():
        groups: dict[tuple[object, ...], list[tuple[Look, Fact]]] = {}
        for fingerprint, look, data in seen:
            groups.setdefault(fingerprint, []).append((look, data))
        again = [group for group in groups.values() if len(group) > 1]
        if 2 * sum(map(len, again)) >= len(seen):
            result += [_series(str(model), str(kind), group, same=True) for group in again]
        else:
            result.append(_series(str(model), str(kind), [(look, data) for _, look, data in seen], same=False))
    return sorted(result, key=lambda e: -len(e.looks))


def _series(model: str, kind: str, group: list[tuple[Look, Fact]], *, same: bool) -> Evaluations:
    ordered = sorted(group, key=lambda pair: pair[0].step)
    return Evaluations(model, kind, ordered[0][1].get("line"), tuple(look for look, _ in ordered), same)


def _rounded(value: object) -> object:
    found = number(value)
    return None if found is None or not math.isfinite(found) else float(f"{found:.6g}")

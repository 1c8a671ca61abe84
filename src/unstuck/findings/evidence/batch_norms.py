"""The batch-normalization layers of a run: over how many numbers they average, and how their running averages fare."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass

from unstuck.findings.evidence.head import number
from unstuck.record.recording import Fact, Recording, Stream


@dataclass(frozen=True)
class Normalizer:
    """One batch-normalization layer in training mode, over the samples."""

    name: str
    steps: tuple[int, ...]
    examples: tuple[int, ...]  # rows of the batch that it got
    values: tuple[int, ...]  # numbers that each channel's statistics rest on
    shift: tuple[float, ...]  # of the running mean from the batch's, in the batch's deviations (median channel)
    ratio: tuple[float, ...]  # running deviation over the batch's (median channel)

    def late(self, key: str, share: float = 0.8) -> list[float]:
        """A statistic in the samples of the last part of the run."""
        values: tuple[float, ...] = getattr(self, key)
        last = self.steps[-1]
        return [v for s, v in zip(self.steps, values, strict=True) if s >= share * last and math.isfinite(v)]


def normalizers(recording: Recording, stream: Stream | None = None) -> list[Normalizer]:
    """Every batch normalization that normalized by its batch in a stream's samples, in forward order."""
    stream = stream or recording.main
    kinds = module_kinds(recording)
    found: dict[str, list[tuple[int, Fact]]] = {}
    for sample in stream.samples:
        for layer in sample.get("layers") or ():
            if layer.get("kind") != "batch_norm" or layer.get("training") is not True or not layer.get("in_shape"):
                continue
            name = str(layer.get("name"))
            # Instance normalization runs through the same operation.
            if kinds and "BatchNorm" not in kinds.get(name, "BatchNorm"):
                continue
            found.setdefault(name, []).append((int(sample["s"]), layer))
    return [_one(name, seen) for name, seen in found.items()]


def module_kinds(recording: Recording) -> dict[str, str]:
    """Class names of the modules by their full names."""
    return {
        str(module.get("name")): str(module.get("kind"))
        for model in recording.models
        for module in model.get("modules") or ()
    }


def _one(name: str, seen: list[tuple[int, Fact]]) -> Normalizer:
    return Normalizer(
        name=name,
        steps=tuple(s for s, _ in seen),
        examples=tuple(int((layer["in_shape"] or [0])[0] or 0) for _, layer in seen),
        values=tuple(int(layer.get("values_per_channel") or 0) for _, layer in seen),
        shift=tuple(_figure(layer, "running_shift") for _, layer in seen),
        ratio=tuple(_figure(layer, "running_ratio") for _, layer in seen),
    )


def _figure(layer: Fact, key: str) -> float:
    found = number(layer.get(key))
    return math.nan if found is None else found


def typical(values: tuple[int, ...]) -> int:
    """The lower median of whole numbers; 0 when there are none."""
    return statistics.median_low(values) if values else 0

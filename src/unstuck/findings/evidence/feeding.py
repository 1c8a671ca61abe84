"""What enters the models: the scale and offset of the inputs, and whether they reach a layer as they are."""

from __future__ import annotations

import math
from dataclasses import dataclass

from unstuck.findings.evidence.head import number
from unstuck.record.recording import Fact, Recording, Stream


@dataclass(frozen=True)
class Feed:
    """One input of a model over all samples; numbers that are not known are None."""

    model: str
    name: str
    index: int  # place among the floating inputs
    step: int  # first sample that shows it
    shape: tuple[int, ...]
    mean: float | None  # over all entries, first sample
    std: float | None
    low: float | None  # least entry over the samples
    high: float | None
    features: int | None
    feature_std_min: float | None  # over features that vary; of the last sample, which has seen most rows
    feature_std_median: float | None
    feature_std_max: float | None
    feature_mean_max: float | None
    mean_to_std: float | None
    zero_share: float | None
    examples: int | None

    @property
    def rms(self) -> float | None:
        """Root mean square of all entries."""
        if self.mean is None or self.std is None:
            return None
        return math.hypot(self.mean, self.std)

    @property
    def size(self) -> float | None:
        """Largest absolute value."""
        if self.low is None or self.high is None:
            return None
        return max(abs(self.low), abs(self.high))

    @property
    def spread(self) -> float | None:
        """Largest deviation of a feature over the smallest, among those that vary."""
        if not self.feature_std_min or self.feature_std_max is None or (self.features or 0) < 2:
            return None
        return self.feature_std_max / self.feature_std_min


def feeds(stream: Stream) -> list[Feed]:
    """Every floating input of a model in this stream's samples, in the order they were met."""
    found: dict[tuple[str, str, int], list[tuple[int, Fact]]] = {}
    for sample in stream.samples:
        for index, given in enumerate(sample.get("inputs") or ()):
            if not _floating(given):
                continue
            key = (str(given.get("model") or ""), str(given.get("name") or ""), index)
            found.setdefault(key, []).append((int(sample["s"]), given))
    return [_feed(key, seen) for key, seen in found.items()]


def _floating(given: Fact) -> bool:
    return (
        given.get("mean") is not None and "int" not in str(given.get("dtype", "")) and str(given.get("dtype")) != "bool"
    )


def _feed(key: tuple[str, str, int], seen: list[tuple[int, Fact]]) -> Feed:
    first, last = seen[0][1], seen[-1][1]
    lows = [v for _, g in seen if (v := number(g.get("min"))) is not None and math.isfinite(v)]
    highs = [v for _, g in seen if (v := number(g.get("max"))) is not None and math.isfinite(v)]
    return Feed(
        model=key[0],
        name=key[1],
        index=key[2],
        step=seen[0][0],
        shape=tuple(int(n) for n in first.get("shape") or ()),
        mean=_finite(first.get("mean")),
        std=_finite(first.get("std")),
        low=min(lows, default=None),
        high=max(highs, default=None),
        features=int(last["features"]) if last.get("features") else None,
        feature_std_min=_finite(last.get("feature_std_min")),
        feature_std_median=_finite(last.get("feature_std_median")),
        feature_std_max=_finite(last.get("feature_std_max")),
        feature_mean_max=_finite(last.get("feature_mean_max")),
        mean_to_std=_finite(last.get("mean_to_std")),
        zero_share=_finite(last.get("zero_share")),
        examples=int(last["examples"]) if last.get("examples") else None,
    )


def _finite(value: object) -> float | None:
    found = number(value)
    return found if found is not None and math.isfinite(found) else None


def reaches_a_layer(stream: Stream, feed: Feed) -> bool | None:
    """Whether some layer gets the input as it is, by its size in the first samples; None when no layer was seen.

    A model that divides by 255 or standardizes in its forward pass gets raw inputs, but its layers do not.
    """
    rms = feed.rms
    if rms is None or rms == 0:
        return None
    known = False
    for sample in stream.samples[:3]:
        for layer in sample.get("layers") or ():
            size = number(layer.get("in_rms"))
            if size is None:
                continue
            known = True
            if 0.4 * rms <= size <= 2.5 * rms and float(layer.get("order") or 0) <= 3 * (1 + feed.index):
                return True
    return False if known else None


def normalizes_at_the_door(recording: Recording, stream: Stream, model: str) -> str | None:
    """Name of a normalization that is the first thing the model applies (or comes right after its first layer)."""
    for sample in stream.samples[:1]:
        layers = sorted(sample.get("layers") or (), key=lambda layer: float(layer.get("order") or 0))
        for layer in layers[:2]:
            if "norm" in str(layer.get("kind", "")).lower():
                return str(layer.get("name"))
    for described in recording.models:
        if model and described.get("name") != model:
            continue
        for module in described.get("modules") or ():
            kind = str(module.get("kind", ""))
            if kind in ("Sequential", "ModuleList", "ModuleDict", "Flatten", "Identity", "Dropout") or not module.get(
                "name"
            ):
                continue
            return str(module["name"]) if "norm" in kind.lower() else None
    return None


def reads_tokens(recording: Recording) -> bool:
    """The model reads whole numbers: words, characters, items. Text can be predicted only in part, and one is many examples."""
    for sample in recording.main.samples:
        if given := sample.get("inputs"):
            return any("int" in str(entry.get("dtype", "")) for entry in given)
    return False

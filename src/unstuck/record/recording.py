"""A recording in memory: plain numbers by name and step, facts and events. No torch.

Rules judge this and nothing else, so the same rule runs on a live run, on last week's file and on ten literal numbers.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from unstuck.record.stages import main_stream

Fact = Mapping[str, Any]


@dataclass(frozen=True)
class Series:
    """Numbers at steps, in order of steps.

    >>> s = Series((0, 1, 2), (3.0, 2.0, float("nan")))
    >>> s.last, s.finite().last, len(s)
    (nan, 2.0, 3)
    """

    steps: Sequence[int] = ()
    values: Sequence[float] = ()

    def __len__(self) -> int:
        return len(self.values)

    def __iter__(self) -> Iterator[tuple[int, float]]:
        return zip(self.steps, self.values, strict=True)

    def __bool__(self) -> bool:
        return len(self.values) > 0

    @property
    def first(self) -> float:
        return self.values[0]

    @property
    def last(self) -> float:
        return self.values[-1]

    def finite(self) -> Series:
        """The part of it that is finite."""
        if all(map(math.isfinite, self.values)):
            return self
        kept = [(s, v) for s, v in self if math.isfinite(v)]
        return Series([s for s, _ in kept], [v for _, v in kept])

    def between(self, start: int, stop: int) -> Series:
        """The part with ``start <= step < stop``."""
        first, end = bisect_left(self.steps, start), bisect_left(self.steps, stop)
        return Series(self.steps[first:end], self.values[first:end])


@dataclass(frozen=True)
class Event:
    """Something that happened at a step (``step`` is None before the first one)."""

    kind: str
    step: int | None
    data: Fact
    stream: int = 0


@dataclass
class Stream:
    """The steps of one optimizer (or, as number −1, of updates made by hand)."""

    number: int
    loss: Series = field(default_factory=Series)
    learning_rate: Series = field(default_factory=Series)  # of the first group, at every step
    learning_rates: list[tuple[int, list[float]]] = field(default_factory=list)  # (step, all groups), when changed
    batch_size: Series = field(default_factory=Series)
    backwards: Series = field(default_factory=Series)
    seconds: Series = field(default_factory=Series)
    clip_norm: Series = field(default_factory=Series)  # gradient norm before clipping
    gradient_norm: Series = field(default_factory=Series)  # of light samples: as the optimizer's step found it
    clip_maximum: Series = field(default_factory=Series)
    samples: list[Fact] = field(default_factory=list)  # as in docs/recording.md, in order of steps
    optimizer: Fact | None = None

    @property
    def steps(self) -> int:
        """Steps made."""
        return int(self.seconds.steps[-1]) + 1 if self.seconds else 0

    def parameters(self) -> list[str]:
        """Names of the parameters seen in samples, in forward order."""
        order: dict[str, float] = {}
        for sample in self.samples:
            for name, stat in sample.get("params", {}).items():
                order.setdefault(name, stat.get("order") if stat.get("order") is not None else math.inf)
        return sorted(order, key=lambda name: order[name])

    def parameter(self, name: str, key: str) -> Series:
        """One statistic of one parameter over the samples, e.g. ``parameter("fc1.weight", "g")``."""
        found = [
            (s["s"], s["params"][name][key])
            for s in self.samples
            if s.get("params", {}).get(name, {}).get(key) is not None
        ]
        return Series([s for s, _ in found], [float(v) for _, v in found])

    def activations(self) -> list[str]:
        """Names of the activations seen in samples, in forward order."""
        order: dict[str, float] = {}
        for sample in self.samples:
            for act in sample.get("acts", ()):
                order.setdefault(act["name"], act.get("order", math.inf))
        return sorted(order, key=lambda name: order[name])

    def activation(self, name: str, key: str) -> Series:
        """One statistic of one activation over the samples, e.g. ``activation("relu1", "dead")``."""
        found = [
            (s["s"], act[key])
            for s in self.samples
            for act in s.get("acts", ())
            if act["name"] == name and act.get(key) is not None
        ]
        return Series([s for s, _ in found], [float(v) for _, v in found])

    def sampled(self, part: str, key: str, index: int = 0) -> Series:
        """One statistic of ``inputs[index]``, ``layers[index]`` or of the ``noise`` over the samples."""
        found: list[tuple[int, float]] = []
        for s in self.samples:
            block = s.get(part)
            if isinstance(block, list):
                block = block[index] if index < len(block) else None
            if isinstance(block, Mapping) and block.get(key) is not None:
                found.append((s["s"], float(block[key])))
        return Series([s for s, _ in found], [v for _, v in found])

    def terms(self) -> Iterator[tuple[int, Fact, Fact]]:
        """Every data term of every sampled loss: (step, loss, term)."""
        for sample in self.samples:
            for loss in sample.get("losses", ()):
                for term in loss.get("terms", ()):
                    yield sample["s"], loss, term


@dataclass
class Recording:
    """Everything known of one process of one run."""

    head: Fact = field(default_factory=dict)
    streams: dict[int, Stream] = field(default_factory=dict)
    models: list[Fact] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    end: Fact | None = None
    complete: bool = True  # False when the file was cut off (killed) or still grows
    extras: dict[str, Any] = field(default_factory=dict)  # set by judges that ran before, e.g. the verdict

    @property
    def main(self) -> Stream:
        """The stream with most steps, or the last stage of a training in stages; an empty one if there is none."""
        return main_stream(self.streams.values(), self.models) or Stream(0)

    def happened(self, kind: str) -> list[Event]:
        """All events of a kind."""
        return [event for event in self.events if event.kind == kind]

    @classmethod
    def of(
        cls,
        *,
        loss: Sequence[float] = (),
        learning_rate: float | Sequence[float] = 0.1,
        batch_size: int = 32,
        samples: Sequence[Fact] = (),
        events: Sequence[Event] = (),
        models: Sequence[Fact] = (),
        optimizer: Fact | None = None,
        end: Fact | None = None,
    ) -> Recording:
        """A recording of one optimizer from literal numbers, for tests and for other tools.

        >>> Recording.of(loss=[3.0, 2.0]).main.loss.last
        2.0
        """
        n = max(len(loss), 1 + max((s["s"] for s in samples), default=-1))
        steps = range(n)
        rates = [learning_rate] * n if isinstance(learning_rate, int | float) else list(learning_rate)
        stream = Stream(
            0,
            loss=Series(list(steps)[: len(loss)], list(loss)),
            learning_rate=Series(list(steps), rates),
            batch_size=Series(list(steps), [batch_size] * n),
            backwards=Series(list(steps), [1] * n),
            seconds=Series(list(steps), [0.001 * i for i in steps]),
            samples=list(samples),
            optimizer=optimizer
            if optimizer is not None
            else {"o": 0, "kind": "SGD", "groups": [{"lr": rates[0] if rates else 0.1}]},
        )
        return cls(streams={0: stream}, events=list(events), models=list(models), end=end)

"""Which parameters get a gradient, and which of them move. Exact numbers only: None, zero, or alive."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from unstuck.record.recording import Event, Fact, Recording, Stream

WEIGHTS = ("weight", "embedding", "other")
LASTING = 0.1
"""Of the steps, over which an optimizer was seen without any gradient, up to the end: a few at the end cost nothing."""


@dataclass(frozen=True)
class Seen:
    """One parameter in one sample."""

    step: int
    name: str
    stat: Fact

    @property
    def gradient(self) -> float | None:
        """Gradient norm; None when there is no gradient."""
        value = self.stat.get("g")
        return None if value is None else float(value)

    @property
    def zero(self) -> bool:
        """The gradient exists and every entry of it is exactly zero."""
        return self.gradient == 0.0 or (self.stat.get("gz") == 1 and not self.stat.get("gn"))

    @property
    def is_weight(self) -> bool:
        """Not a bias and not the gain of a normalization layer."""
        return self.stat.get("role", "weight") in WEIGHTS


def with_parameters(stream: Stream) -> list[Fact]:
    """The samples that hold statistics of parameters."""
    return [sample for sample in stream.samples if sample.get("params")]


def owned(sample: Fact, stream: Stream) -> Iterator[Seen]:
    """The parameters of a sample that this stream's own optimizer holds (all of them when that is not known)."""
    for name, stat in (sample.get("params") or {}).items():
        if "o" not in stat or stat["o"] == stream.number:
            yield Seen(int(sample["s"]), name, stat)


def trainable_names(recording: Recording) -> dict[str, bool]:
    """Whether each parameter of every model asks for a gradient, by name."""
    found: dict[str, bool] = {}
    for model in recording.models:
        for param in model.get("params") or ():
            found[param["name"]] = bool(param.get("trainable", True))
    return found


def left_out(recording: Recording) -> list[str]:
    """Parameters that get a gradient, are in no optimizer and do not move, as far as the watcher told.

    Those that an optimizer takes up later (a second phase, a group that is added) are not among them.
    """
    held = held_names(recording)
    return [
        str(param["name"])
        for event in recording.happened("untracked")
        for param in event.data.get("params") or ()
        if param.get("gradient") and not param.get("moved") and str(param["name"]) not in held
    ]


def gradients_stopped(recording: Recording) -> list[Event]:
    """The optimizers that went on stepping to the end of the run while nothing they hold got a gradient any more."""
    found = []
    for event in recording.happened("gradients_stopped"):
        first, last, steps = (int(event.data.get(key) or 0) for key in ("from", "to", "steps"))
        if last - first >= LASTING * max(1, steps):
            found.append(event)
    return found


def held_names(recording: Recording) -> set[str]:
    """The parameters that any optimizer ever held, as far as it was told."""
    found: set[str] = set()
    for stream in recording.streams.values():
        for group in (stream.optimizer or {}).get("groups") or ():
            found |= {str(name) for name in group.get("params") or ()}
        for sample in stream.samples:
            found |= {str(n) for n, stat in (sample.get("params") or {}).items() if stat.get("o") is not None}
    return found


def means_to_train(recording: Recording) -> bool:
    """The script clears gradients or compares outputs with targets: it is no mere look at gradients."""
    if recording.happened("zero_grad") or any(s.steps for n, s in recording.streams.items() if n >= 0):
        return True
    return any(term.get("target") for stream in recording.streams.values() for _, _, term in stream.terms())


def stepless(recording: Recording) -> int:
    """How many backward passes a training loop made without any step, when nothing moved; 0 otherwise."""
    totals = recording.happened("backward_without_step")
    if not totals or not means_to_train(recording):
        return 0
    data = totals[-1].data
    backwards = int(data.get("backwards") or 0)
    return backwards if backwards >= 3 and not data.get("steps") and not data.get("moved") else 0

"""Where in the user's own code something stands: lines of the optimizer, the model, the backward call."""

from __future__ import annotations

from collections.abc import Mapping

from unstuck.record.recording import Fact, Recording, Stream


def optimizer_line(stream: Stream) -> Fact | None:
    """The line that made the optimizer."""
    line = (stream.optimizer or {}).get("line")
    return line if isinstance(line, Mapping) else None


def model_line(recording: Recording, name: str = "") -> Fact | None:
    """The line that made a model; without a name, the first one whose line is known."""
    for model in recording.models:
        if isinstance(model.get("line"), Mapping) and name in ("", str(model.get("name"))):
            return model["line"]  # type: ignore[no-any-return]
    return None


def backward_line(stream: Stream) -> Fact | None:
    """The line of the backward call."""
    for sample in stream.samples:
        for loss in sample.get("losses") or ():
            if isinstance(loss.get("line"), Mapping):
                return loss["line"]  # type: ignore[no-any-return]
    return None


def model_name(recording: Recording) -> str:
    """The name of the model's variable in the script, ``model`` when it is not known."""
    for model in recording.models:
        name = str(model.get("name") or "")
        if name.isidentifier():
            return name
    return "model"


def optimizer_kind(stream: Stream) -> str:
    """The optimizer's class, ``SGD`` for instance; "" when there is none."""
    return str((stream.optimizer or {}).get("kind") or "")


def at(line: Fact | None) -> str:
    """A line of the script as ``train.py:12``; empty when unknown.

    >>> at({"file": "/home/me/train.py", "line": 12, "function": "main", "text": "loss.backward()"})
    'train.py:12'
    """
    if not line or not line.get("file"):
        return ""
    name = str(line["file"]).replace("\\", "/").rsplit("/", 1)[-1]
    return f"{name}:{line.get('line')}"

"""What is known of a run, as names and values for the foot of the page."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from unstuck.report import wording
from unstuck.report.document import number
from unstuck.report.wording import SPACE


def facts(run: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """The run in names and values, as far as they are known."""

    def shown(value: object) -> str:
        return wording.figure(value, space=SPACE)

    overhead = run["overhead"]
    versions = run["versions"]
    found: list[tuple[str, list[str]]] = [
        ("Run", [run["id"]]),
        ("Command", [" ".join(run["argv"]) or run["script"]]),
        ("Folder", [run.get("cwd") or ""]),
        ("Started", [_moment(run.get("time"))]),
        ("Steps", [shown(run["steps"])]),
        ("Time", [wording.duration(number(run["seconds"])) if run.get("seconds") is not None else ""]),
        ("Device", [run.get("device") or ""]),
        ("Seed", [shown(run["seed"]) if run.get("seed") is not None else ""]),
        ("Processes", [shown(run["processes"]) if run.get("processes", 1) > 1 else ""]),
        ("Versions", [f"{name} {version}" for name, version in versions.items()]),
        ("Models", [_model(model) for model in run.get("models", ())]),
        ("Optimizers", [_optimizer(stream) for stream in run.get("streams", ())]),
        ("Samples", [_samples(overhead)]),
        ("Watching cost", [_watching(overhead)]),
        ("Not seen", [_unseen(part) for part in run.get("unseen", ())]),
    ]
    return [(name, kept) for name, values in found if (kept := [value for value in values if value])]


def _moment(seconds: object) -> str:
    if seconds is None:
        return ""
    try:
        moment = datetime.datetime.fromtimestamp(number(seconds)).astimezone()
    except (ValueError, OverflowError, OSError):
        return ""
    return moment.strftime("%Y-%m-%d %H:%M:%S %z")


def _model(model: Mapping[str, Any]) -> str:
    text = f"{model['name']}" + (f" ({model['kind']})" if model.get("kind") and model["kind"] != model["name"] else "")
    if model.get("parameters") is not None:
        text += f": {wording.plural(model['parameters'], 'parameter', space=SPACE)}"
        frozen = model["parameters"] - model.get("trainable", model["parameters"])
        text += f", {wording.figure(frozen, space=SPACE)} of them frozen" if frozen > 0 else ""
    return text + (", compiled" if model.get("compiled") else "")


def _optimizer(stream: Mapping[str, Any]) -> str:
    text = f"{stream.get('optimizer') or 'optimizer'}: {wording.plural(stream['steps'], 'step', space=SPACE)}"
    settings = [
        f"{name} {wording.figure(value, space=SPACE)}" for name, value in stream.get("settings", {}).items() if value
    ]
    text += f", {wording.plural(stream['groups'], 'group')}" if stream.get("groups", 1) > 1 else ""
    return text + (" · " + ", ".join(settings[:8]) if settings else "")


def _samples(overhead: Mapping[str, Any]) -> str:
    if overhead.get("samples") is None:
        return ""
    text = f"{wording.figure(overhead['samples'], space=SPACE)} full"
    light = overhead.get("light_samples")
    return text + (f", {wording.figure(light, space=SPACE)} light" if light else "")


def _watching(overhead: Mapping[str, Any]) -> str:
    if overhead.get("seconds") is None:
        return ""
    text = wording.duration(number(overhead["seconds"]))
    if overhead.get("share") is not None:
        text += f", {wording.percent(number(overhead['share']))} of the script's own time"
    first = number(overhead.get("first_samples_seconds") or 0) + number(overhead.get("start_seconds") or 0)
    if first > 0:
        text += f"; {wording.duration(first)} of it at the start"
    if overhead.get("steady_share") is not None:
        text += f", then {wording.percent(number(overhead['steady_share']))}"
    if overhead.get("budget") is not None:
        text += f" (budget {wording.percent(number(overhead['budget']))})"
    after = number(overhead.get("exam_seconds") or 0)
    if after > 0:
        text += f"; {wording.duration(after)} more after the script's end, for the look at its curvature"
    return text


def _unseen(part: Mapping[str, Any]) -> str:
    return f"{part['what']}: {part['why']}" if part.get("why") else str(part["what"])

"""A report from what was recorded and what was concluded from it. Plain numbers in, plain numbers out."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from unstuck.findings import catalog
from unstuck.findings.contract import Advice, Finding, Judgement
from unstuck.live.looks import links, looks
from unstuck.live.source_lines import point
from unstuck.record.recording import Fact, Recording, Series, Stream
from unstuck.report.document import SCHEMA, Report, plain

MOST_POINTS = 4000  # of one curve: about two a pixel on a wide screen
SMOOTH_POINTS = 200
MOST_STREAMS = 32  # optimizers told of, with six curves each
MOST_MODELS = 200
MOST_CELLS = 24_000  # of one statistic of one table, layers × samples: 3 MB of JSON for eight statistics
FIRST_SAMPLES = 20  # the first steps tell the cause, so all of them stay


def assemble(recordings: Sequence[Recording], judgement: Judgement, *, source: Path | str | None = None) -> Report:
    """The report (schema ``unstuck.report/1``) on a run: one recording for each of its processes, and the judgement.

    ``source`` is the folder or file that the recordings came from. The first recording is the one that was judged and
    is told in detail; of the others the report says only how many there are.
    """
    recording = recordings[0] if recordings else Recording(complete=False)
    report = {
        "schema": SCHEMA,
        "run": _run(recording, recordings, None if source is None else str(source)),
        "verdict": {
            "state": judgement.verdict.state,
            "sentence": judgement.verdict.sentence,
            "evidence": dict(judgement.verdict.evidence),
            "next_command": judgement.verdict.next_command,
        },
        "findings": [_finding(finding) for finding in judgement.findings],
        "checks": [
            {"code": check.code, "name": check.name, "status": check.status, "reason": check.reason}
            for check in judgement.checks
        ],
        "curves": [curve for stream in _streams(recording) for curve in curves(stream)],
        "pages": pages(code for finding in judgement.findings for code in _codes(finding)),
        "curvature": looks(recording),
        "links": links(judgement),
        "layers": [table for stream in _streams(recording) if (table := layers(stream)) is not None],
    }
    point(report, recording.head.get("script"), recording.head.get("cwd"), started=recording.head.get("time"))
    result: Report = plain(report)
    return result


def _streams(recording: Recording) -> list[Stream]:
    """The streams that are told of, in the order in which they began: the main one, and of the others the longest.

    A script that makes an optimizer for each task or trial has thousands, which nobody would read.
    """
    stepped = [stream for stream in recording.streams.values() if stream.steps]
    ranked = sorted(stepped, key=lambda s: (s.number != recording.main.number, -s.steps, s.number))
    return sorted(ranked[:MOST_STREAMS], key=lambda s: s.number)


# ---- the pages


def pages(codes: Iterable[str]) -> dict[str, dict[str, str]]:
    """What ``unstuck explain`` says of these findings, by code and heading, for a report that explains itself."""
    known = catalog.rules()
    return {code: dict(catalog.page(code).sections) for code in sorted(set(codes)) if code in known}


def _codes(finding: Finding) -> Iterator[str]:
    yield finding.code
    for symptom in finding.symptoms:
        yield from _codes(symptom)


# ---- the run


def _run(recording: Recording, recordings: Sequence[Recording], source: str | None) -> dict[str, Any]:
    head, end = recording.head, recording.end or {}
    seconds = end.get("seconds")
    if seconds is None:  # cut off: as far as the steps tell
        seconds = max((float(s.seconds.last) for s in recording.streams.values() if s.seconds), default=None)
    settings = head.get("settings") or {}
    versions = {**(head.get("versions") or {})}
    if recording.extras.get("torch"):
        versions.setdefault("torch", recording.extras["torch"].get("version"))
    return {
        "id": head.get("run") or "",
        "script": head.get("script") or "",
        "argv": list(head.get("argv") or ()),
        "cwd": head.get("cwd") or "",
        "time": head.get("time"),
        "seed": head.get("seed"),
        "python": versions.get("python") or "",
        "versions": {name: str(version) for name, version in versions.items() if version is not None},
        "device": _device(recording.models),
        "steps": recording.main.steps,
        "stream": recording.main.number,
        "seconds": seconds,
        "complete": recording.complete and recording.end is not None,
        "processes": len(recordings),
        "source": source,
        "overhead": _overhead(end, settings, recording),
        "exit": {"status": end.get("status", recording.extras.get("status")), "exception": end.get("exception")},
        "streams": [_stream(stream) for stream in _streams(recording)],
        "models": [_model(model) for model in recording.models[:MOST_MODELS]],
        "unseen": _unseen(recording),
    }


def _overhead(end: Fact, settings: Fact, recording: Recording) -> dict[str, Any]:
    """The watcher's cost. Shares are of the script's own time, that is of the time without the watcher."""
    total, own = end.get("seconds"), end.get("watcher_seconds")
    script = 0.0 if total is None or own is None else float(total) - float(own)
    # What goes on to be paid once the first samples are taken: the part that the budget is about.
    running, measured = end.get("running_seconds"), end.get("measured_seconds")
    steady = 0.0 if running is None or measured is None else float(measured) - float(running)
    return {
        "share": own / script if own is not None and script > 0 else None,
        "steady_share": running / steady if running is not None and steady > 0 else None,
        "seconds": own,
        "budget": settings.get("overhead"),
        "allowance_seconds": settings.get("allowance_seconds"),
        "first_samples_seconds": end.get("allowance_seconds"),
        "start_seconds": end.get("start_seconds"),
        "exam_seconds": end.get("exam_seconds"),
        "samples": end.get("samples", sum(len(s.samples) for s in recording.streams.values())),
        "light_samples": end.get("light_samples"),
    }


def _device(models: Sequence[Fact]) -> str | None:
    devices = {p["device"]: None for model in models for p in model.get("params") or () if p.get("device")}
    return ", ".join(devices) or None


def _stream(stream: Stream) -> dict[str, Any]:
    optimizer = stream.optimizer or {}
    groups = optimizer.get("groups") or []
    options = {
        name: value
        for name, value in (groups[0] if groups else {}).items()
        if name != "params" and (value is None or isinstance(value, bool | int | float | str))
    }
    return {
        "number": stream.number,
        "optimizer": optimizer.get("kind") or ("no optimizer" if stream.number < 0 else "optimizer"),
        "steps": stream.steps,
        "groups": len(groups),
        "samples": len(stream.samples),
        "settings": options,
        "line": optimizer.get("line"),
    }


def _model(model: Fact) -> dict[str, Any]:
    sizes = [(math.prod(p.get("shape") or ()), bool(p.get("trainable", True))) for p in model.get("params") or ()]
    return {
        "name": model.get("name") or model.get("kind") or "model",
        "kind": model.get("kind") or "",
        "compiled": bool(model.get("compiled")),
        "modules": len(model.get("modules") or ()),
        "parameters": sum(size for size, _ in sizes),
        "trainable": sum(size for size, trainable in sizes if trainable),
    }


def _unseen(recording: Recording) -> list[dict[str, str]]:
    found: dict[tuple[str, str], None] = {}
    for stream in recording.streams.values():
        for sample in stream.samples:
            for part in sample.get("unseen") or ():
                found.setdefault((str(part.get("what", "")), str(part.get("why") or "")))
    more = sum(1 for stream in recording.streams.values() if stream.steps) - MOST_STREAMS
    if more > 0:
        found.setdefault((f"{more} optimizers", f"the report tells of {MOST_STREAMS}: the main one and the longest"))
    for event in recording.happened("unseen"):
        found.setdefault((str(event.data.get("what", "")), str(event.data.get("why") or "")))
    return [{"what": what, "why": why} for what, why in list(found)[:200]]


# ---- the findings


def _finding(finding: Finding) -> dict[str, Any]:
    fired = finding.fired
    return {
        "code": finding.code,
        "name": finding.name,
        "severity": fired.severity,
        "basis": fired.basis,
        "confidence": fired.confidence,
        "where": fired.where,
        "step": fired.step,
        "sentence": fired.sentence,
        "evidence": dict(fired.evidence),
        "line": fired.line,
        "remedies": [_remedy(advice) for advice in fired.advice],
        "symptoms": [_finding(symptom) for symptom in finding.symptoms],
    }


def _remedy(advice: Advice) -> dict[str, Any]:
    return {"name": advice.name, "text": advice.text, "code": advice.code, "line": advice.line, "verified": None}


# ---- the curves


def curves(stream: Stream) -> list[dict[str, Any]]:
    """What a stream's steps tell, as curves of at most 4000 points each; the lowest and highest are always kept."""
    found = [
        _curve("loss", stream, stream.loss, smooth=True),
        _curve("accuracy", stream, _of_terms(stream, "accuracy")),
        _curve("r2", stream, _of_terms(stream, "r2")),
        _curve("learning rate", stream, stream.learning_rate),
        _curve("gradient norm", stream, _gradient_norm(stream)),
        _curve("clip norm", stream, stream.clip_norm),
    ]
    return [curve for curve in found if curve is not None]


def _curve(name: str, stream: Stream, series: Series, *, smooth: bool = False) -> dict[str, Any] | None:
    if not series:
        return None
    thin = decimate(series)
    return {
        "name": name,
        "stream": stream.number,
        "steps": list(thin.steps),
        "values": [_rounded(value, 7) for value in thin.values],
        "of": len(series),
        "nonfinite": sum(not math.isfinite(value) for value in series.values),
        "smooth": _smoothed(series) if smooth else None,
    }


def decimate(series: Series, *, points: int = MOST_POINTS) -> Series:
    """At most so many points of a series: of each stretch the lowest, the highest, and the first that is not finite.

    >>> decimate(Series(range(100), [0.0] * 50 + [9.0] + [0.0] * 49), points=11).values.count(9.0)
    1
    """
    count = len(series)
    if count <= points:
        return series
    values = series.values
    kept = {0, count - 1}
    stretches = max((points - 2) // 3, 1)
    for i in range(stretches):
        start, stop = i * count // stretches, (i + 1) * count // stretches
        finite = [j for j in range(start, stop) if math.isfinite(values[j])]
        if finite:
            kept.add(min(finite, key=values.__getitem__))
            kept.add(max(finite, key=values.__getitem__))
        if len(finite) < stop - start:
            kept.add(next(j for j in range(start, stop) if not math.isfinite(values[j])))
    order = sorted(kept)
    return Series([series.steps[j] for j in order], [values[j] for j in order])


def _smoothed(series: Series) -> dict[str, Any] | None:
    """Medians of equal stretches: what the eye should follow. None for a series too short to need it."""
    finite = series.finite()
    if len(finite) < 2 * SMOOTH_POINTS:
        window = 8
        if len(finite) < 10 * window:
            return None
    else:
        window = -(-len(finite) // SMOOTH_POINTS)
    steps: list[int] = []
    values: list[float] = []
    for start in range(0, len(finite), window):
        chunk = finite.values[start : start + window]
        if len(chunk) < window / 2:  # a rest too short to give a median like the others
            break
        steps.append(int(finite.steps[start + len(chunk) // 2]))
        values.append(_rounded(statistics.median(chunk), 7))
    return {"window_steps": window, "steps": steps, "values": values}


def _of_terms(stream: Stream, key: str) -> Series:
    """A measure of the sampled steps' first data term that has it."""
    found: dict[int, float] = {}
    for step, _, term in stream.terms():
        if term.get(key) is not None:
            found.setdefault(step, float(term[key]))
    return Series(list(found), list(found.values()))


def _gradient_norm(stream: Stream) -> Series:
    """Norm of the whole gradient at those samples that looked at all parameters."""
    norms: list[tuple[int, int, float]] = []
    for sample in stream.samples:
        own = [p["g"] for p in _own(sample, stream) if p.get("g") is not None]
        if own:
            norms.append((sample["s"], len(own), _root_sum(own)))
    # A sample that was cut short by the budget would look like a drop of the norm.
    most = max((count for _, count, _ in norms), default=0)
    whole = dict(stream.gradient_norm)  # between samples the norm alone is taken where the budget allows it
    whole.update({step: norm for step, count, norm in norms if count >= 0.9 * most})
    steps = sorted(whole)
    return Series(steps, [whole[step] for step in steps])


def _own(sample: Fact, stream: Stream) -> list[Fact]:
    """The sampled parameters that this stream's optimizer holds, or that nobody is known to hold."""
    return [p for p in (sample.get("params") or {}).values() if p.get("o") in (None, stream.number)]


def _root_sum(values: Sequence[float]) -> float:
    return math.hypot(*[float(value) for value in values])


# ---- the layers


def layers(stream: Stream) -> dict[str, Any] | None:
    """Each layer's numbers over the samples: tables of rows (layers in forward order) by samples (steps)."""
    samples = [s for s in stream.samples if s.get("params") or s.get("acts")]
    if not samples:
        return None
    widest = max(max(len(s.get("params") or ()), len(s.get("acts") or ())) for s in samples)
    chosen = _chosen(samples, stream, most=max(40, min(240, MOST_CELLS // max(widest, 1))))
    return {
        "stream": stream.number,
        "of": len(samples),
        "steps": [s["s"] for s in chosen],
        "parameters": _parameter_table(chosen, stream),
        "activations": _activation_table(chosen, stream),
    }


def _chosen(samples: list[Fact], stream: Stream, *, most: int) -> list[Fact]:
    """So many of the samples: the first ones, the last one, and of each stretch the one with the largest gradient."""
    if len(samples) <= most:
        return samples
    first, rest = samples[:FIRST_SAMPLES], samples[FIRST_SAMPLES:-1]
    stretches = most - FIRST_SAMPLES - 1
    peaks = []
    for i in range(stretches):
        stretch = rest[i * len(rest) // stretches : (i + 1) * len(rest) // stretches]
        if stretch:
            peaks.append(max(stretch, key=lambda s: _alarm(s, stream)))
    return [*first, *peaks, samples[-1]]


def _alarm(sample: Fact, stream: Stream) -> tuple[int, float]:
    """Whole samples before light ones, then by the gradient's norm; one that is not finite counts as the largest."""
    norm = _root_sum([p["g"] for p in _own(sample, stream) if p.get("g") is not None])
    return len(sample.get("params") or ()), norm if math.isfinite(norm) else math.inf


def _parameter_table(samples: Sequence[Fact], stream: Stream) -> dict[str, Any]:
    """Parameters of one layer taken together: a layer's weight and bias are one row."""
    order: dict[str, float] = {}
    entries: dict[str, dict[str, int]] = defaultdict(dict)
    for sample in samples:
        for name, p in (sample.get("params") or {}).items():
            if p.get("o") not in (None, stream.number):
                continue
            layer = p.get("layer") or name.rpartition(".")[0] or name
            place = p.get("order")
            order[layer] = min(order.get(layer, math.inf), math.inf if place is None else float(place))
            entries[layer][name] = int(p.get("n") or 0)
    rows = sorted(order, key=lambda layer: order[layer])
    kinds = {layer["name"]: layer.get("kind") for sample in samples for layer in sample.get("layers") or ()}
    table: dict[str, list[list[float | None]]] = {
        "gradient_norm": [],
        "weight_norm": [],
        "update_ratio": [],
        "zero_gradient_share": [],
    }
    for layer in rows:
        for matrix in table.values():
            matrix.append([])
        for sample in samples:
            found = sample.get("params") or {}
            present = [found[name] for name in entries[layer] if name in found]
            update, weight = _norm(present, "u"), _norm(present, "w")
            table["gradient_norm"][-1].append(_norm(present, "g"))
            table["weight_norm"][-1].append(weight)
            table["update_ratio"][-1].append(_rounded(update / weight, 4) if update is not None and weight else None)
            table["zero_gradient_share"][-1].append(_weighted(present, "gz"))
    return {
        "rows": [
            {"name": layer, "kind": kinds.get(layer), "entries": sum(entries[layer].values()) or None} for layer in rows
        ],
        "statistics": _known(table),
    }


def _activation_table(samples: Sequence[Fact], stream: Stream) -> dict[str, Any]:
    rows = stream.activations()
    kinds: dict[str, Fact] = {act["name"]: act for sample in samples for act in sample.get("acts") or ()}
    rows = [row for row in rows if row in kinds]
    place = {row: i for i, row in enumerate(rows)}
    keys = {"mean": "mean", "std": "std", "dead": "dead_share", "saturated": "saturated_share", "zero": "zero_share"}
    table: dict[str, list[list[float | None]]] = {name: [[None] * len(samples) for _ in rows] for name in keys.values()}
    for column, sample in enumerate(samples):
        for act in sample.get("acts") or ():
            for key, name in keys.items():
                if act.get(key) is not None and act["name"] in place:
                    table[name][place[act["name"]]][column] = _rounded(float(act[key]), 4)
    return {
        "rows": [
            {"name": row, "kind": kinds[row].get("kind"), "entries": kinds[row].get("units") or None} for row in rows
        ],
        "statistics": _known(table),
    }


def _known(table: dict[str, list[list[float | None]]]) -> dict[str, list[list[float | None]]]:
    """Without the statistics that no cell has."""
    return {name: m for name, m in table.items() if any(cell is not None for row in m for cell in row)}


def _norm(present: Sequence[Fact], key: str) -> float | None:
    values = [p[key] for p in present if p.get(key) is not None]
    return _rounded(_root_sum(values), 4) if values else None


def _weighted(present: Sequence[Fact], key: str) -> float | None:
    """A share over several parameters, each counting by its entries."""
    known = [(float(p[key]), int(p.get("n") or 1)) for p in present if p.get(key) is not None]
    return _rounded(sum(share * n for share, n in known) / sum(n for _, n in known), 4) if known else None


def _rounded(value: float, digits: int) -> float:
    """Without the digits that no pixel shows."""
    return float(f"{value:.{digits}g}") if math.isfinite(value) else value

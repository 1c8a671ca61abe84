"""What the page draws: curves of one kind in one chart, statistics of layers over the sampled steps."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from unstuck.report import wording
from unstuck.report.document import number
from unstuck.report.wording import SPACE

CURVE_TITLES = {
    "loss": "Loss",
    "accuracy": "Accuracy of the batch",
    "r2": "R² of the batch",
    "learning rate": "Learning rate",
    "gradient norm": "Gradient norm",
    "clip norm": "Gradient norm before clipping",
}
STATISTICS = {
    "gradient_norm": ("Gradient norm", "log"),
    "weight_norm": ("Weight norm", "log"),
    "update_ratio": ("Update ÷ weight", "log"),
    "zero_gradient_share": ("Gradient exactly zero", "share"),
    "mean": ("Mean", "linear"),
    "std": ("Standard deviation", "log"),
    "dead_share": ("Dead units", "share"),
    "saturated_share": ("Saturated", "share"),
    "zero_share": ("Exactly zero", "share"),
}


def charts(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Curves of one kind in one chart, one series for each stream."""
    names = list(CURVE_TITLES)
    found: dict[str, list[Mapping[str, Any]]] = {}
    for curve in report.get("curves", ()):
        found.setdefault(curve["name"], []).append(curve)
    streams = {stream["number"]: stream for stream in report["run"].get("streams", ())}
    several = len({curve["stream"] for curve in report.get("curves", ())}) > 1
    result = []
    for name in sorted(found, key=lambda name: names.index(name) if name in names else len(names)):
        curves = found[name]
        numbers = [value for curve in curves for value in map(number, curve["values"]) if math.isfinite(value)]
        result.append(
            {
                "name": name,
                "title": CURVE_TITLES.get(name, name),
                "log": _wants_log(numbers),
                "can_log": any(value > 0 for value in numbers),
                "marks": _marks(report["findings"]) if name == "loss" else [],
                "series": [
                    {
                        "label": _stream_label(curve["stream"], streams) if several else name,
                        "steps": curve["steps"],
                        "values": curve["values"],
                        "smooth": curve.get("smooth"),
                    }
                    for curve in curves
                ],
                "summaries": [
                    _summary(curve, _stream_label(curve["stream"], streams) if several else "") for curve in curves
                ],
            }
        )
    return result


def _stream_label(stream: int, streams: Mapping[int, Mapping[str, Any]]) -> str:
    if stream < 0:
        return "no optimizer"
    return f"{streams.get(stream, {}).get('optimizer') or 'optimizer'} {stream}"


def _wants_log(numbers: Sequence[float]) -> bool:
    """A scale on which most of the curve is not squeezed into a line at the bottom."""
    if not numbers or min(numbers) <= 0:
        return False
    ordered = sorted(numbers)
    most, few, middle = ordered[int(0.98 * (len(ordered) - 1))], ordered[len(ordered) // 20], ordered[len(ordered) // 2]
    return most > 30 * few or ordered[-1] > 15 * middle


def _marks(findings: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"step": f["step"], "code": f["code"], "tone": wording.SEVERITY_TONES[f["severity"]]}
        for f in findings
        if f["step"] is not None
    ]


def _summary(curve: Mapping[str, Any], label: str) -> str:
    """A curve in one line, for those who cannot see it."""
    pairs = list(zip(curve["steps"], map(number, curve["values"]), strict=True))
    finite = [(step, value) for step, value in pairs if math.isfinite(value)]

    def shown(value: float) -> str:
        return wording.figure(value, space=SPACE)

    flat = len({value for _, value in finite}) == 1
    if flat:
        text = f"{shown(finite[0][1])} throughout"
    elif finite:
        low, high = min(finite, key=lambda p: p[1]), max(finite, key=lambda p: p[1])
        text = f"first {shown(finite[0][1])} · last {shown(finite[-1][1])}"
        text += f" · lowest {shown(low[1])} (step {shown(low[0])}) · highest {shown(high[1])} (step {shown(high[0])})"
    else:
        text = "no finite value"
    if curve.get("nonfinite"):
        text += f" · {wording.plural(curve['nonfinite'], 'value', space=SPACE)} not finite"
    if curve["of"] > len(pairs) and not flat:
        text += f" · {shown(len(pairs))} of {wording.plural(curve['of'], 'point', space=SPACE)} drawn, every peak kept"
    return f"{label}: {text}" if label else text


def layers(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    streams = {stream["number"]: stream for stream in report["run"].get("streams", ())}
    several = len(report.get("layers", ())) > 1
    found = []
    for table in report.get("layers", ()):
        parts = []
        for part, title in (("parameters", "Layers"), ("activations", "Activations")):
            rows = table.get(part, {}).get("rows", [])
            statistics = table.get(part, {}).get("statistics", {})
            for name, matrix in statistics.items():
                shown, scale = STATISTICS.get(name, (wording.label(name), "linear"))
                parts.append(
                    {"part": part, "group": title, "name": name, "title": shown, "scale": scale, "matrix": matrix,
                     "rows": [wording.visible(row["name"], kept="") for row in rows],
                     "kinds": [wording.visible(row.get("kind") or "", kept="") for row in rows]}
                )  # fmt: skip
        if parts:
            found.append(
                {
                    "label": _stream_label(table["stream"], streams) if several else "",
                    "steps": table["steps"],
                    "of": table["of"],
                    "statistics": parts,
                }
            )
    return found

"""A cure's part of a report: the table on the terminal and what the page's template needs."""

from __future__ import annotations

import contextlib
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from unstuck.report import wording
from unstuck.report.document import number

WIDTH, HEIGHT = 560, 200  # of the curves, in the picture's own units
EDGE = 34
WIDE = 100  # columns of a terminal that has room for the bars
BARS, BARS_SHOWN = "▁▂▃▄▅▆▇█", 10


def print_treatment(report: Mapping[str, Any], console: Console, *, paths: Mapping[str, Path] | None = None) -> None:
    """Print what was tried and what helped: a sentence, the ranked table, the controls, the change to make."""
    written = io.StringIO()
    paper = Console(
        file=written,
        width=max(console.width, 60),
        force_terminal=console.is_terminal,
        color_system=console.color_system,  # type: ignore[arg-type]  # the name that it was made with
        no_color=console.no_color,
        legacy_windows=False,
        highlight=False,
    )
    encoding = getattr(console.file, "encoding", None) or "utf-8"
    treatment = report["treatment"]
    helped = treatment["recommended"] is not None
    style = "green" if helped else "yellow"
    finding = next(iter(report.get("findings") or ()), None)
    if finding is not None:
        paper.print(Text(f"{finding['code']} {finding['name']}: ", "bold") + Text(wording.visible(finding["sentence"])))
    paper.print(Text("✔ " if helped else "● ", style) + Text(wording.visible(treatment["sentence"]), "bold"))
    paper.print(_table(treatment, course=_can_draw(encoding) and paper.width >= WIDE))
    best = next((r for r in treatment["remedies"] if r["recommended"]), None)
    if best is not None:
        paper.print(Text("What to do: ", "bold") + Text(wording.visible(best["text"])))
        for line in best["code"].splitlines():
            paper.print(Text("    " + wording.visible(line), "cyan"))
        paper.print(Text("Risk: " + wording.visible(best["risk"]), "dim"))
    applied = treatment.get("applied")
    if applied:
        paper.print(Text(_applied(applied), "green" if applied["confirmed"] else "yellow"))
    for warning in treatment["warnings"]:
        paper.print(Text(wording.visible(warning), "yellow"))
    counted = f"{treatment['trials']} trials of remedies, {treatment['replays']} replays in all"
    paper.print(Text(f"{counted}, {wording.duration(number(treatment['seconds']))}.", "dim"))
    for label, path in (paths or {}).items():
        paper.print(Text(f"{label}: {path}", "dim"), soft_wrap=True)
    text = written.getvalue()
    with contextlib.suppress(OSError, ValueError):
        console.file.write(text.encode(encoding, "replace").decode(encoding))
        console.file.flush()


def _applied(applied: Mapping[str, Any]) -> str:
    reached = applied["reached"]
    what = f"{reached:.3f}" if reached is not None else "nothing that could be counted"
    if applied["confirmed"]:
        return f"Written: {applied['file']}; run once it reached {what}, as the trial did."
    return f"Written: {applied['file']}; run once it reached {what}, the trial {applied['trial']:.3f}: not confirmed."


def _can_draw(encoding: str) -> bool:
    with contextlib.suppress(UnicodeEncodeError, LookupError):
        BARS.encode(encoding)
        return True
    return False


def spark(values: Sequence[Any]) -> str:
    """A curve as eight little bars, from 0 (or the least) to 1.

    >>> spark([0.0, 0.5, 1.0])
    '▁▅█'
    """
    known = [number(v) for v in values]
    if not known:
        return ""
    count = min(BARS_SHOWN, len(known))
    parts = [known[i * len(known) // count : (i + 1) * len(known) // count] for i in range(count)]
    means = [sum(part) / len(part) for part in parts]
    low = min(0.0, *means, 0.0)
    top = len(BARS) - 1
    return "".join(BARS[max(0, min(top, math.ceil((m - low) / (1.0 - low) * top)))] for m in means)


def _table(treatment: Mapping[str, Any], *, course: bool) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("remedy", min_width=20, ratio=3)
    if course:
        table.add_column("course", no_wrap=True)
    for name in ("reached", "effect", "95 % interval", "against random", "s"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows(treatment):
        style = "bold green" if row["recommended"] else "dim" if row["control"] else ""
        bars = (spark(row["course"]),) if course else ()
        cells = (row["label"], *bars, row["figure"], row["effect"], row["interval"], row["random"], row["seconds"])
        table.add_row(*[Text(wording.visible(cell), style) for cell in cells])
    return table


def rows(treatment: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The lines of the table, remedies first and then the controls, every number as a text."""
    found = [
        {
            "label": r["label"] + (" (more compute)" if r["more_compute"] else ""),
            "figure": _figures(r["values"]),
            "effect": _signed(r["effect"]["mean"]),
            "interval": _interval(r["effect"]),
            "random": _signed((r["against_random"] or {}).get("mean")),
            "seconds": f"{number(r['seconds']):.1f}",
            "course": r["curve"]["values"],
            "recommended": r["recommended"],
            "control": False,
            "reason": r["reason"],
        }
        for r in treatment["remedies"]
    ]
    controls = [("nothing changed", treatment["nothing"], None)]
    if treatment["halved"]:
        controls.append(("learning rate halved", treatment["halved"], treatment["halved"]["effect"]))
    if treatment["random"]:
        label = f"best of {len(treatment['random']['drawn'])} random edits: {treatment['random']['label']}"
        controls.append((label, treatment["random"], treatment["random"]["effect"]))
    for label, control, effect in controls:
        found.append(
            {
                "label": label,
                "figure": _figures(control["values"]),
                "effect": _signed(effect["mean"]) if effect else "",
                "interval": _interval(effect) if effect else "",
                "random": "",
                "seconds": "",
                "course": (control.get("curve") or {}).get("values") or [],
                "recommended": False,
                "control": True,
                "reason": "control",
            }
        )
    return found


def _figures(values: Sequence[Any]) -> str:
    known = [number(v) for v in values if v is not None]
    if not known:
        return ""
    mean = sum(known) / len(known)
    return f"{mean:.3f}"


def _signed(value: Any) -> str:
    return "" if value is None else f"{number(value):+.3f}".replace("-", "−")


def _interval(effect: Mapping[str, Any]) -> str:
    if effect["low"] is None or effect["high"] is None:
        return "one seed"
    return f"{_signed(effect['low'])} … {_signed(effect['high'])}"


def section(report: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the template of the page shows of a cure; None for a report without one."""
    treatment = report.get("treatment")
    if not treatment:
        return None
    best = next((r for r in treatment["remedies"] if r["recommended"]), None)
    return {
        "sentence": treatment["sentence"],
        "tone": "good" if best is not None else "calm",
        "kind": treatment["yardstick"]["kind"],
        "rows": rows(treatment),
        "best": best,
        "lines": _lines(treatment),
        "width": WIDTH,
        "height": HEIGHT,
        "applied": treatment.get("applied"),
        "applied_text": _applied(treatment["applied"]) if treatment.get("applied") else "",
        "warnings": treatment["warnings"],
        "counted": f"{treatment['trials']} trials of remedies, {treatment['replays']} replays in all, "
        f"{wording.duration(number(treatment['seconds']))}",
    }


def _lines(treatment: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The training figure over the steps, as paths: doing nothing and the best three remedies."""
    chosen = [("nothing changed", treatment["nothing"]["curve"])]
    chosen += [(r["label"], r["curve"]) for r in treatment["remedies"][:3]]
    chosen = [(label, curve) for label, curve in chosen if len(curve["steps"]) > 1]
    if not chosen:
        return []
    last = max(max(curve["steps"]) for _, curve in chosen)
    values = [number(v) for _, curve in chosen for v in curve["values"]]
    low, high = min(values), max(values)
    room = (high - low) or 1.0
    found = []
    for index, (label, curve) in enumerate(chosen):
        points = [
            f"{EDGE + (WIDTH - 2 * EDGE) * step / last:.1f} {HEIGHT - EDGE / 2 - (HEIGHT - EDGE) * (number(v) - low) / room:.1f}"
            for step, v in zip(curve["steps"], curve["values"], strict=True)
        ]
        found.append(
            {"label": label, "path": "M" + " L".join(points), "index": index, "last": number(curve["values"][-1])}
        )
    found[0] |= {"low": f"{low:.2f}", "high": f"{high:.2f}", "steps": last}
    return found

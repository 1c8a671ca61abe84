"""Findings as a drawing: an arrow from each cause to what it brought about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

WIDTH, HEIGHT, GAP_X, GAP_Y = 190, 44, 70, 18


def cause_graph(report: Mapping[str, Any]) -> Markup | None:
    """The drawing as SVG, causes on the left; None where no finding has a cause among the others."""
    links = [(str(link["cause"]), str(link["symptom"])) for link in report.get("links") or ()]
    if not links:
        return None
    names = {str(f["code"]): f for f in _every(report.get("findings") or ())}
    links = [(a, b) for a, b in links if a in names and b in names]
    used = sorted({code for link in links for code in link})
    if not used:
        return None
    column = _columns(used, links)
    places: dict[str, tuple[int, int]] = {}
    rows: dict[int, int] = {}
    for code in used:
        x = column[code]
        places[code] = (x * (WIDTH + GAP_X) + 4, rows.get(x, 0) * (HEIGHT + GAP_Y) + 4)
        rows[x] = rows.get(x, 0) + 1
    width = (max(column.values()) + 1) * (WIDTH + GAP_X) - GAP_X + 8
    height = max(rows.values()) * (HEIGHT + GAP_Y) - GAP_Y + 8
    told = "; ".join(f"{a} causes {b}" for a, b in links)
    parts = [
        f'<svg class="causes" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="{escape(told)}">',
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0 8 4 0 8z" class="causes-head"/></marker></defs>',
    ]
    parts += [_arrow(places[a], places[b]) for a, b in links]
    parts += [_box(places[code], names[code]) for code in used]
    return Markup("".join(parts) + "</svg>")


def _columns(codes: Sequence[str], links: Sequence[tuple[str, str]]) -> dict[str, int]:
    """How many arrows the longest way to each takes; the links have no circle."""
    column = dict.fromkeys(codes, 0)
    for _ in codes:
        for a, b in links:
            column[b] = max(column[b], min(column[a] + 1, len(codes)))
    return column


def _arrow(start: tuple[int, int], end: tuple[int, int]) -> str:
    x1, y1 = start[0] + WIDTH, start[1] + HEIGHT // 2
    x2, y2 = end[0] - 2, end[1] + HEIGHT // 2
    bend = GAP_X // 2
    return (
        f'<path class="causes-arrow" d="M{x1} {y1}C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}" '
        'marker-end="url(#head)"/>'
    )


def _box(place: tuple[int, int], finding: Mapping[str, Any]) -> str:
    x, y = place
    tone = {"error": "bad", "warning": "warn"}.get(str(finding.get("severity")), "calm")
    return (
        f'<g class="causes-box tone-{tone}"><rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="6"/>'
        f'<text x="{x + 10}" y="{y + 18}" class="causes-code">{escape(finding["code"])}</text>'
        f'<text x="{x + 10}" y="{y + 34}">{escape(finding.get("name", ""))}</text></g>'
    )


def _every(findings: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [f for finding in findings for f in (finding, *_every(finding.get("symptoms") or ()))]

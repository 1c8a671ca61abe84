"""Small figures as SVG text: a line, and a height map with a path. No library, no request."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP, _RIGHT = 480, 300, 66, 44, 30, 14
# Dark blue (low) to yellow (high), readable in gray.
_COLORS = ((38, 34, 98), (52, 94, 141), (33, 145, 140), (94, 201, 98), (253, 231, 37))


def line_svg(
    x: Sequence[float], y: Sequence[float], *, title: str, x_label: str, y_label: str, bars: bool = False
) -> str:
    """A line through the finite points (or bars from zero), with axes and units.

    >>> line_svg([0, 1], [1, 0], title="t", x_label="x", y_label="y").startswith("<svg")
    True
    """
    points = [(a, b) for a, b in zip(x, y, strict=True) if math.isfinite(a) and math.isfinite(b)]
    if not points:
        points = [(0.0, 0.0)]
    low_y = min(b for _, b in points)
    frame = _Frame(
        min(a for a, _ in points),
        max(a for a, _ in points),
        min(low_y, 0) if bars else low_y,
        max(b for _, b in points),
    )
    if bars:
        body = "".join(
            f'<line x1="{frame.x(a):.1f}" y1="{frame.y(0):.1f}" x2="{frame.x(a):.1f}" y2="{frame.y(b):.1f}"/>'
            for a, b in points
        )
        body = f'<g stroke="#345e8d" stroke-width="2">{body}</g>'
    else:
        path = " ".join(f"{frame.x(a):.1f},{frame.y(b):.1f}" for a, b in points)
        body = f'<polyline points="{path}" fill="none" stroke="#345e8d" stroke-width="2"/>'
    return _document(frame, body, title, x_label, y_label)


def contour_svg(
    across: Sequence[float],
    up: Sequence[float],
    losses: Sequence[Sequence[float]],
    *,
    title: str,
    path: Sequence[tuple[float, float]] = (),
) -> str:
    """A height map on a logarithmic scale of what lies above the lowest value, with the path on it."""
    flat = [z for row in losses for z in row if math.isfinite(z)]
    low, high = (min(flat), max(flat)) if flat else (0.0, 1.0)
    spread = (high - low) or 1.0
    frame = _Frame(min(across), max(across), min(up), max(up))
    wide = (_WIDTH - _LEFT - _RIGHT) / max(1, len(across) - 1)
    tall = (_HEIGHT - _TOP - _BOTTOM) / max(1, len(up) - 1)
    cells = []
    for b, row in zip(up, losses, strict=True):
        for a, z in zip(across, row, strict=True):
            share = math.log1p(99 * (z - low) / spread) / math.log(100) if math.isfinite(z) else 1.0
            left, right = max(frame.x(a) - wide / 2, _LEFT), min(frame.x(a) + wide / 2, _WIDTH - _RIGHT)
            top, bottom = max(frame.y(b) - tall / 2, _TOP), min(frame.y(b) + tall / 2, _HEIGHT - _BOTTOM)
            cells.append(
                f'<rect x="{left:.1f}" y="{top:.1f}" width="{right - left + 0.4:.1f}" '
                f'height="{bottom - top + 0.4:.1f}" fill="{_color(share)}"><title>{z:.5g}</title></rect>'
            )
    body = "".join(cells)
    if path:
        line = " ".join(f"{frame.x(a):.1f},{frame.y(b):.1f}" for a, b in path)
        end = path[-1]
        body += f'<polyline points="{line}" fill="none" stroke="white" stroke-width="2"/>'
        body += f'<circle cx="{frame.x(end[0]):.1f}" cy="{frame.y(end[1]):.1f}" r="4" fill="white"/>'
    note = f"loss {low:.3g} (dark) to {high:.3g} (bright), logarithmic above the lowest"
    return _document(frame, body, title, note, "")


class _Frame:
    def __init__(self, left: float, right: float, low: float, high: float) -> None:
        self.left, self.right = (left, right) if right > left else (left - 0.5, right + 0.5)
        self.low, self.high = (low, high) if high > low else (low - 0.5, high + 0.5)

    def x(self, a: float) -> float:
        return _LEFT + (a - self.left) / (self.right - self.left) * (_WIDTH - _LEFT - _RIGHT)

    def y(self, b: float) -> float:
        return _HEIGHT - _BOTTOM - (b - self.low) / (self.high - self.low) * (_HEIGHT - _TOP - _BOTTOM)


def _color(share: float) -> str:
    place = min(max(share, 0.0), 1.0) * (len(_COLORS) - 1)
    index = min(int(place), len(_COLORS) - 2)
    part = place - index
    mixed = (round(a + part * (b - a)) for a, b in zip(_COLORS[index], _COLORS[index + 1], strict=True))
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def _document(frame: _Frame, body: str, title: str, x_label: str, y_label: str) -> str:
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    ticks = []
    for share in (0.0, 0.5, 1.0):
        a, b = frame.left + share * (frame.right - frame.left), frame.low + share * (frame.high - frame.low)
        anchor = ("start", "middle", "end")[round(2 * share)]
        ticks.append(f'<text x="{frame.x(a):.1f}" y="{bottom + 15}" text-anchor="{anchor}">{a:.3g}</text>')
        ticks.append(f'<text x="{_LEFT - 6}" y="{frame.y(b) + 4:.1f}" text-anchor="end">{b:.3g}</text>')
    middle = (_LEFT + right) / 2
    upright = f'<text x="12" y="{_TOP - 10}">{escape(y_label)}</text>' if y_label else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" font-family="sans-serif" '
        f'font-size="11" fill="#222"><title>{escape(title)}</title>'
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>'
        f'{body}<path d="M{_LEFT},{_TOP}V{bottom}H{right}" fill="none" stroke="#888"/>{"".join(ticks)}{upright}'
        f'<text x="{middle}" y="{_HEIGHT - 8}" text-anchor="middle">{escape(x_label)}</text>'
        f'<text x="{middle}" y="17" text-anchor="middle" font-size="13">{escape(title)}</text></svg>'
    )

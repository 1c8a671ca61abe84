"""The range test as one SVG picture."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unstuck.optim.rate_finder import RateRange

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 360, 64, 16, 40, 48


def draw(found: RateRange) -> str:
    """Loss over rate: thin raw losses, thick smoothed ones, the range shaded, the rate as a line."""
    trials = [trial for trial in found.trials if trial.rates]
    rates = [rate for trial in trials for rate in trial.rates]
    smooth = [value for trial in trials for value in trial.smooth]
    lows, highs = (min(rates), max(rates)) if rates else (1e-3, 1.0)
    start = max((trial.smooth[0] for trial in trials), default=1.0)
    floor = min(smooth, default=0.0)
    room = max(start - floor, 1e-12)
    bottom, top = floor - 0.08 * room, min(max(smooth, default=1.0), start + 0.6 * room) + 0.05 * room

    def x(rate: float) -> float:
        span = math.log(highs / lows) or 1.0
        return LEFT + (WIDTH - LEFT - RIGHT) * math.log(rate / lows) / span

    def y(loss: float) -> float:
        held = min(max(loss, bottom), top)
        return TOP + (HEIGHT - TOP - BOTTOM) * (top - held) / (top - bottom)

    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12">',
        f'<title>{escape(found.reason)}</title><rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{LEFT}" y="22" font-size="14">Learning-rate range test: loss over rate</text>',
    ]
    if found.low is not None and found.high is not None:
        a, b = x(max(found.low, lows)), x(min(found.high, highs))
        lines.append(
            f'<rect x="{a:.1f}" y="{TOP}" width="{max(b - a, 1):.1f}" height="{HEIGHT - TOP - BOTTOM}" '
            'fill="#2a7ab0" opacity="0.14"/>'
        )
    for decade in range(math.ceil(math.log10(lows) - 1e-9), math.floor(math.log10(highs) + 1e-9) + 1):
        at = x(10.0**decade)
        lines.append(f'<line x1="{at:.1f}" y1="{TOP}" x2="{at:.1f}" y2="{HEIGHT - BOTTOM}" stroke="#ddd"/>')
        lines.append(f'<text x="{at:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">1e{decade}</text>')
    for share in (0.0, 0.5, 1.0):
        loss = bottom + share * (top - bottom)
        lines.append(f'<text x="{LEFT - 6}" y="{y(loss) + 4:.1f}" text-anchor="end">{loss:.3g}</text>')
    for trial in trials:
        raw = " ".join(f"{x(r):.1f},{y(v):.1f}" for r, v in zip(trial.rates, trial.losses, strict=True))
        even = " ".join(f"{x(r):.1f},{y(v):.1f}" for r, v in zip(trial.rates, trial.smooth, strict=True))
        lines.append(f'<polyline points="{raw}" fill="none" stroke="#999" stroke-width="0.6"/>')
        lines.append(f'<polyline points="{even}" fill="none" stroke="#b3432b" stroke-width="2"/>')
    if found.rate is not None:
        at = x(found.rate)
        lines.append(
            f'<line x1="{at:.1f}" y1="{TOP}" x2="{at:.1f}" y2="{HEIGHT - BOTTOM}" stroke="#2a7ab0" stroke-width="2"/>'
        )
        lines.append(f'<text x="{at + 5:.1f}" y="{TOP + 14}" fill="#2a7ab0">{found.rate:.2g}</text>')
    lines.append(
        f'<rect x="{LEFT}" y="{TOP}" width="{WIDTH - LEFT - RIGHT}" height="{HEIGHT - TOP - BOTTOM}" '
        'fill="none" stroke="#333"/>'
    )
    lines.append(
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 10}" text-anchor="middle">learning rate</text></svg>'
    )
    return "\n".join(lines)

"""Colors of figures: the report's own series, for light and dark pages."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Palette:
    """``series[0]`` is the muted gray of levels and limits; 1 to 6 are series."""

    panel: str
    text: str
    muted: str
    grid: str
    series: tuple[str, ...]


LIGHT = Palette(
    "#ffffff",
    "#1d1f22",
    "#5f636a",
    "#e3e2dd",
    ("#80858c", "#2a5f92", "#b4541a", "#3f7d3a", "#8a3f8f", "#12757d", "#8c6a00"),
)
DARK = Palette(
    "#191c20",
    "#e4e6e8",
    "#a0a6ae",
    "#2b3036",
    ("#8d939b", "#7db8f0", "#f2a46a", "#8fcf86", "#d99add", "#6fcfd6", "#e0c060"),
)
# Colors that no picture uses; in an SVG each is replaced by the page's own variable.
MARKED = Palette(
    "#010203",
    "#010204",
    "#010205",
    "#010206",
    ("#010210", "#010211", "#010212", "#010213", "#010214", "#010215", "#010216"),
)
VARIABLES = {
    MARKED.panel: "var(--panel)",
    MARKED.text: "var(--text)",
    MARKED.muted: "var(--muted)",
    MARKED.grid: "var(--line)",
    **{color: f"var(--series-{index})" for index, color in enumerate(MARKED.series)},
}
# From low to high; mid tones, so that lines show on both themes. Made by hand from the two ends of the palette.
HEAT = ("#20304f", "#28507f", "#2f739b", "#4796a5", "#74b5a3", "#a9cf9f", "#dde3a0", "#f3d68a", "#f0b070")

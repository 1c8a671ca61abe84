"""Draws charts: PNG for files, SVG in the page's own colors."""

from __future__ import annotations

import io
import math
import re
import warnings
from typing import Any, Literal

from unstuck.core.errors import BadInput
from unstuck.lab.charts import (
    Axis,
    Band,
    Bars,
    Chart,
    Field,
    Figure,
    Frame,
    Level,
    Line,
    Mark,
    Note,
    Playground,
    Scatter,
)
from unstuck.lab.page_words import WORDS
from unstuck.lab.palette import DARK, HEAT, LIGHT, MARKED, VARIABLES, Palette
from unstuck.lab.walks import walk
from unstuck.lab.words import Both, Language

CHINESE_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "PingFang SC",
    "Microsoft YaHei",
    "WenQuanYi Micro Hei",
    "SimHei",
)
GRID = 81  # points a side of a drawn surface


def draw_png(
    figure: Figure, *, theme: Literal["light", "dark"] = "light", language: Language = "en", dpi: int = 144
) -> bytes:
    """The figure as a PNG. Without a Chinese font on this machine the words are English.

    *Cost*: about 0.2 s.
    """
    spoken = language if language == "en" or _chinese_font() else "en"
    drawn = _drawn(as_chart(figure), LIGHT if theme == "light" else DARK, spoken, title=True)
    stream = io.BytesIO()
    _save(drawn, stream, format="png", dpi=dpi)
    return stream.getvalue()


def draw_svg(figure: Figure, *, language: Language = "en", frame: Frame | None = None) -> str:
    """The figure as an SVG element whose colors and fonts are the page's: it follows light and dark."""
    drawn = _drawn(as_chart(figure), MARKED, language, title=False, frame=frame)
    stream = io.StringIO()
    _save(drawn, stream, format="svg", metadata={"Date": None, "Creator": None, "Type": None, "Format": None})
    text = stream.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    for color, variable in VARIABLES.items():
        text = text.replace(color, variable)
    text = re.sub(r"'?DejaVu Sans'?(, [^;\"]*)?(?=[;\"])", "var(--sans)", text)
    # Several figures stand in one page: their inner names must differ.
    prefix = re.sub(r"\W", "", figure.name) + (str(abs(hash(frame.label)) % 10**6) if frame else "")
    text = re.sub(r'(id="|url\(#|href="#)', rf"\g<1>{prefix}-", text)
    look = "drawn square" if as_chart(figure).square else "drawn"
    text = re.sub(
        r'<svg [^>]*?viewBox="([^"]*)"[^>]*>', rf'<svg class="{look}" viewBox="\1" role="img">', text, count=1
    )
    return re.sub(r'href="#?[\w-]*data:', 'href="data:', text)


def as_chart(figure: Figure) -> Chart:
    """A playground as a still picture: its surface, and the measured paths or a walk with the first settings."""
    if isinstance(figure, Chart):
        return figure
    (left, right), (bottom, top) = figure.window
    across = [left + (right - left) * i / (GRID - 1) for i in range(GRID)]
    # Beside measured paths a walk of one's own would repeat one of them.
    first = [walk(figure, figure.rules[0])] if figure.rules and not figure.racers else []
    paths = [(racer.label, racer.points, racer.color) for racer in figure.racers]
    paths += [(WORDS[f"rule.{w.rule}"], w.points, 2) for w in first]
    marks: list[Mark] = []
    if figure.surface.dimensions == 1:
        marks.append(Line(across, [figure.surface.value(x) for x in across], Both("loss", "损失"), color=0))
        for label, points, color in paths:
            places = [point[0] for point in points]
            heights = [figure.surface.value(x) for x in places]
            marks.append(Line(places, heights, label, color=color, marked=len(places) < 80))
        marks += [Note(place[0], figure.surface.value(place[0]), words) for place, words in figure.marked]
    else:
        along = [bottom + (top - bottom) * i / (GRID - 1) for i in range(GRID)]
        values = [[figure.surface.value(x, y) for x in across] for y in along]
        marks.append(Field(across, along, values, Both("loss", "损失"), log=figure.log))
        for label, points, color in paths:
            xs, ys = [point[0] for point in points], [point[1] for point in points]
            marks.append(Line(xs, ys, label, color=color, marked=len(xs) < 80))
        marks += [Note(place[0], place[1], words) for place, words in figure.marked]
    return Chart(
        figure.name,
        figure.title,
        Axis(figure.labels[0], limits=(left, right)),
        Axis(figure.labels[1], limits=(bottom, top)),
        tuple(marks),
        figure.caption,
    )


def _drawn(chart: Chart, palette: Palette, language: Language, *, title: bool, frame: Frame | None = None) -> Any:
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure as Canvas
    except ImportError as problem:
        raise BadInput("matplotlib", got="not installed", want='pip install "unstuck[lab]"') from problem
    fonts = ["DejaVu Sans", *([_chinese_font()] if language == "zh" and _chinese_font() else [])]
    with rc_context(
        {
            "svg.fonttype": "none",
            "svg.hashsalt": chart.name,
            "font.family": fonts,
            "font.size": 10.5,
            "axes.edgecolor": palette.muted,
            "axes.labelcolor": palette.text,
            "axes.titlecolor": palette.text,
            "text.color": palette.text,
            "xtick.color": palette.muted,
            "ytick.color": palette.muted,
            "axes.linewidth": 0.8,
            "axes.unicode_minus": True,
        }
    ):
        size = (6.4, 5.6) if chart.square else (7.2, 4.2)
        canvas = Canvas(figsize=size, layout="constrained", facecolor=palette.panel)
        axes = canvas.add_subplot(facecolor=palette.panel)
        _frame_axes(axes, chart, palette, language)
        marks = chart.marks + (frame.marks if frame else chart.frames[-1].marks if chart.frames else ())
        bars = [mark for mark in marks if isinstance(mark, Bars)]
        for order, mark in enumerate(marks):
            place = (bars.index(mark), len(bars)) if isinstance(mark, Bars) else (0, 1)
            _put(canvas, axes, mark, palette, language, order + 2, place)
        _limit(axes, chart)
        handles, labels = axes.get_legend_handles_labels()
        if labels:
            canvas.legend(
                handles,
                labels,
                loc="outside lower left",
                ncols=min(len(labels), 3 if max(map(len, labels)) < 26 else 2),
                frameon=False,
                fontsize=9.5,
                labelcolor=palette.text,
                handlelength=1.6,
                columnspacing=1.2,
            )
        if title:
            canvas.suptitle(chart.title.said(language), fontsize=12, fontweight="bold", color=palette.text)
    return canvas


def _save(canvas: Any, stream: Any, **options: Any) -> None:
    from matplotlib import rc_context

    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "unstuck"}), warnings.catch_warnings():
        # Chinese words in an SVG are the browser's to draw.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        canvas.savefig(stream, facecolor=canvas.get_facecolor(), **options)


def _frame_axes(axes: Any, chart: Chart, palette: Palette, language: Language) -> None:
    every = [*chart.marks, *(mark for frame in chart.frames for mark in frame.marks)]
    flat = any(isinstance(mark, Field) for mark in every)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    if not flat:
        axes.grid(color=palette.grid, linewidth=0.7)
        axes.set_axisbelow(True)
    for axis, spec in ((axes.xaxis, chart.x), (axes.yaxis, chart.y)):
        words = spec.label.said(language)
        axis.set_label_text(f"{words} ({spec.unit})" if spec.unit else words)
    if chart.x.log:
        axes.set_xscale("log")
    if chart.y.log:
        axes.set_yscale("log")
    for axis, spec in ((axes.xaxis, chart.x), (axes.yaxis, chart.y)):
        if spec.ticks is not None:
            axis.set_ticks([place for place, _ in spec.ticks], [words.said(language) for _, words in spec.ticks])
            axis.set_tick_params(which="minor", length=0, labelsize=0)


def _limit(axes: Any, chart: Chart) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    for axis, spec in ((axes.xaxis, chart.x), (axes.yaxis, chart.y)):
        low, high = axis.get_view_interval()
        if spec.log and spec.ticks is None:
            axis.set_minor_formatter(NullFormatter())
            if low > 0 and high / low < 300:  # too few powers of ten to read the axis by
                axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
                axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    if chart.x.limits:
        axes.set_xlim(*chart.x.limits)
    if chart.y.limits:
        axes.set_ylim(*chart.y.limits)


def _finite(values: Any) -> list[float]:
    return [value if math.isfinite(value) and abs(value) < 1e300 else math.nan for value in map(float, values)]


def _put(
    canvas: Any, axes: Any, mark: Mark, palette: Palette, language: Language, order: int, place: tuple[int, int]
) -> None:
    words = getattr(mark, "label", None)
    label = words.said(language) if words is not None else None
    match mark:
        case Line():
            from matplotlib.patheffects import Normal, Stroke

            width = 1.0 if mark.thin else 1.8
            halo = [Stroke(linewidth=width + 1.6, foreground=palette.panel, alpha=0.55), Normal()]
            axes.plot(
                _finite(mark.x),
                _finite(mark.y),
                color=palette.series[mark.color],
                linestyle="--" if mark.dashed else "-",
                linewidth=width,
                marker="o" if mark.marked else "",
                markersize=3.4,
                label=label,
                zorder=order,
                path_effects=None if mark.thin else halo,
            )
        case Scatter():
            axes.scatter(
                _finite(mark.x),
                _finite(mark.y),
                s=mark.size,
                marker=mark.shape,
                color=palette.series[mark.color],
                label=label,
                zorder=order,
                linewidths=1.2 if mark.shape in "x+" else 0.6,
                **({} if mark.shape in "x+" else {"edgecolors": palette.panel}),
            )
        case Bars():
            index, count = place
            width = mark.width / count
            shifted = [x + (index - (count - 1) / 2) * width for x in mark.x]
            axes.bar(
                shifted,
                _finite(mark.heights),
                width=width * 0.92,
                color=palette.series[mark.color],
                label=label,
                zorder=order,
            )
        case Band():
            axes.fill_between(
                mark.x,
                _finite(mark.low),
                _finite(mark.high),
                color=palette.series[mark.color],
                alpha=0.22,
                linewidth=0,
                label=label,
                zorder=order,
            )
        case Field():
            _put_field(canvas, axes, mark, palette, language)
        case Note():
            axes.annotate(
                mark.text.said(language),
                (mark.x, mark.y),
                xytext=(6, 6),
                textcoords="offset points",
                fontsize=9.5,
                color=palette.text,
                zorder=order + 20,
                bbox={"facecolor": palette.panel, "edgecolor": "none", "alpha": 0.75, "pad": 1.5},
            )
        case Level():
            across = axes.axhline if mark.y is not None else axes.axvline
            across(
                mark.y if mark.y is not None else mark.x,
                color=palette.series[mark.color],
                linestyle=":",
                linewidth=1.4,
                label=label,
                zorder=order,
            )


def _put_field(canvas: Any, axes: Any, mark: Field, palette: Palette, language: Language) -> None:
    import numpy as np
    from matplotlib.colors import LinearSegmentedColormap

    values = np.array([_finite(row) for row in mark.values])
    shown = values
    lift = 0.0
    if mark.log:
        spread = float(np.nanmax(values) - np.nanmin(values))
        lift = float(np.nanmin(values)) - 1e-4 * spread
        shown = np.log10(values - lift)
    colors = LinearSegmentedColormap.from_list("heat", list(HEAT), N=256)
    image = axes.imshow(
        shown,
        origin="lower",
        aspect="auto",
        cmap=colors,
        interpolation="bilinear",
        extent=(mark.x[0], mark.x[-1], mark.y[0], mark.y[-1]),
        zorder=1,
    )
    if mark.levels:
        levels = sorted(mark.levels)
        axes.contour(
            np.asarray(mark.x), np.asarray(mark.y), values, levels=levels, colors=[palette.panel], linewidths=0.7,
            alpha=0.6, zorder=1.5,
        )  # fmt: skip
    bar = canvas.colorbar(image, ax=axes, pad=0.015, fraction=0.05)
    words = mark.label.said(language)
    bar.outline.set_visible(False)
    bar.ax.tick_params(colors=palette.muted, labelsize=9)
    bar.set_label(words, color=palette.text)
    if mark.log:
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
        decades = [10.0**power for power in range(-12, 13) if low + 9 * (low - lift) < 10.0**power < high]
        places = [low, *decades] if len(decades) < 2 else decades[-6:]
        bar.set_ticks([math.log10(place - lift) for place in places], labels=[f"{place:.3g}" for place in places])


def _chinese_font() -> str:
    from matplotlib.font_manager import fontManager

    known = {font.name for font in fontManager.ttflist}
    return next((name for name in CHINESE_FONTS if name in known), "")


__all__ = ["Playground", "as_chart", "draw_png", "draw_svg"]

"""Pictures as plain specifications: what is drawn, on which axes, in which units; drawn by others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from unstuck.lab.words import Both
from unstuck.problems.surface import Surface

Numbers = Sequence[float]


@dataclass(frozen=True)
class Axis:
    """``unit`` empty: a plain number. ``limits``: what is shown; without them all of the data. ``ticks``: by hand."""

    label: Both
    unit: str = ""
    log: bool = False
    limits: tuple[float, float] | None = None
    ticks: tuple[tuple[float, Both], ...] | None = None


@dataclass(frozen=True)
class Line:
    """``color`` 1 to 6 names a series of the page's palette, 0 the muted gray."""

    x: Numbers
    y: Numbers
    label: Both | None = None
    color: int = 1
    dashed: bool = False
    marked: bool = False
    thin: bool = False


@dataclass(frozen=True)
class Scatter:
    """Points; ``shape`` as in matplotlib ("o", "x", "^", "*", "s")."""

    x: Numbers
    y: Numbers
    label: Both | None = None
    color: int = 1
    shape: str = "o"
    size: float = 24.0


@dataclass(frozen=True)
class Bars:
    """One bar a place; ``x`` are positions (name them with the axis' ticks); several series stand side by side."""

    x: Numbers
    heights: Numbers
    label: Both | None = None
    color: int = 1
    width: float = 0.8


@dataclass(frozen=True)
class Band:
    """The area between two curves: an interval, a spread."""

    x: Numbers
    low: Numbers
    high: Numbers
    label: Both | None = None
    color: int = 1


@dataclass(frozen=True)
class Field:
    """A surface as colors with contour lines: ``values[row][column]`` at (x[column], y[row]).

    ``log``: colors by the logarithm above the lowest value. ``levels``: where contour lines run.
    """

    x: Numbers
    y: Numbers
    values: Sequence[Numbers]
    label: Both
    log: bool = False
    levels: tuple[float, ...] = ()


@dataclass(frozen=True)
class Note:
    """A few words at a place in the picture."""

    x: float
    y: float
    text: Both


@dataclass(frozen=True)
class Level:
    """A line across the whole picture: horizontal at ``y`` or vertical at ``x``."""

    x: float | None = None
    y: float | None = None
    label: Both | None = None
    color: int = 0


Mark = Line | Scatter | Bars | Band | Field | Note | Level


@dataclass(frozen=True)
class Frame:
    """One position of a figure's slider."""

    label: Both
    marks: tuple[Mark, ...]


@dataclass(frozen=True)
class Chart:
    """One picture. ``caption`` says what to see in it. ``frames`` make a slider (or play): its marks come above
    ``marks``."""

    name: str
    title: Both
    x: Axis
    y: Axis
    marks: tuple[Mark, ...]
    caption: Both
    frames: tuple[Frame, ...] = ()
    frames_label: Both | None = None
    square: bool = False


@dataclass(frozen=True)
class Racer:
    """A path over a surface, played step by step. ``points``: (x, y) pairs, or (x,) over a curve."""

    label: Both
    points: Sequence[tuple[float, ...]]
    color: int = 1


@dataclass(frozen=True)
class Slider:
    """A number that a person can move: from ``low`` to ``high``, at first ``value``; ``log``: in equal factors."""

    low: float
    high: float
    value: float
    log: bool = False


RULES = ("gradient", "momentum", "nesterov", "adagrad", "adagrad-mean", "rmsprop", "adam")


@dataclass(frozen=True)
class Playground:
    """A surface that a person walks on: drag the start, move step size and momentum, choose the rule.

    ``window``: ((x low, x high), (y low, y high)); over a curve the second pair is the shown range of the loss.
    ``racers`` are played beside it: paths that the experiment measured. ``rules`` empty: the race only.
    """

    name: str
    title: Both
    surface: Surface
    window: tuple[tuple[float, float], tuple[float, float]]
    start: tuple[float, ...]
    step_size: Slider
    momentum: Slider
    caption: Both
    rules: tuple[str, ...] = ("gradient", "momentum")
    steps: int = 200
    log: bool = False
    racers: tuple[Racer, ...] = ()
    marked: tuple[tuple[tuple[float, ...], Both], ...] = ()
    labels: tuple[Both, Both] = field(default=(Both("x", "x"), Both("y", "y")))


Figure = Chart | Playground

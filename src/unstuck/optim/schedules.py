"""Rates over time: a schedule is a pure function of the update's number, counted from 0, and gives a factor.

``first >> then`` goes on with the second when the first has reached its length; ``one * other`` multiplies.

>>> plan = warmup(2) >> cosine(4)
>>> [round(plan(t), 3) for t in range(7)]
[0.5, 1.0, 1.0, 0.854, 0.5, 0.146, 0.0]
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from unstuck.core.errors import BadInput
from unstuck.optim.bounds import not_negative, positive, whole


class Schedule:
    """A factor for each update."""

    @property
    def length(self) -> int | None:
        """How many updates it describes; None when it has no end."""
        return getattr(self, "over", None)

    def value(self, t: float) -> float:
        """The factor at update ``t``; asked only for 0 ≤ t."""
        raise NotImplementedError

    def __call__(self, step: int) -> float:
        """The factor at an update, counted from 0."""
        if step < 0:
            raise BadInput("step", got=step, want="an update's number, from 0")
        return self.value(step)

    def __rshift__(self, then: Schedule | Callable[[int], float]) -> Then:
        """This schedule to its end, then the other from its beginning."""
        return Then(self, then)

    def __mul__(self, other: Schedule | Callable[[int], float] | float) -> Times:
        """The product of two schedules."""
        return Times(self, constant(other) if isinstance(other, (int, float)) else other)

    __rmul__ = __mul__


@dataclass(frozen=True)
class Then(Schedule):
    """``first`` for as long as it lasts, then ``second`` counted from there."""

    first: Schedule
    second: Schedule | Callable[[int], float]

    def __post_init__(self) -> None:
        if getattr(self.first, "length", None) is None:
            raise BadInput(
                "schedule",
                got=self.first,
                want="a schedule with an end on the left of >>",
                hint="constant(1.0, length=100) ends after 100 updates",
            )

    @property
    def length(self) -> int | None:
        rest = getattr(self.second, "length", None)
        return None if rest is None or self.first.length is None else self.first.length + rest

    def value(self, t: float) -> float:
        assert self.first.length is not None
        return self.first.value(t) if t < self.first.length else self.second(t - self.first.length)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Times(Schedule):
    """The product."""

    one: Schedule
    other: Schedule | Callable[[int], float]

    @property
    def length(self) -> int | None:
        # an endless constant has no end to wait for; any other endless factor has none to give
        lasting = [f for f in (self.one, self.other) if not (isinstance(f, _Constant) and f.over is None)]
        ends = [getattr(f, "length", None) for f in lasting]
        return None if not ends or None in ends else max(n for n in ends if n is not None)

    def value(self, t: float) -> float:
        return self.one.value(t) * self.other(t)  # type: ignore[arg-type]


@dataclass(frozen=True)
class _Constant(Schedule):
    factor: float
    over: int | None = None

    def value(self, t: float) -> float:
        return self.factor


def constant(factor: float = 1.0, *, length: int | None = None) -> Schedule:
    """Always the same."""
    return _Constant(not_negative("factor", factor), None if length is None else whole("length", length))


@dataclass(frozen=True)
class _Linear(Schedule):
    start: float
    end: float
    over: int

    def value(self, t: float) -> float:
        return self.end if t >= self.over else self.start + (self.end - self.start) * t / self.over


def linear(start: float, end: float, length: int) -> Schedule:
    """A straight line from ``start`` at update 0 to ``end`` at update ``length``, and ``end`` from there on."""
    return _Linear(not_negative("start", start), not_negative("end", end), whole("length", length, least=1))


@dataclass(frozen=True)
class _Warmup(Schedule):
    over: int
    start: float | None

    def value(self, t: float) -> float:
        if t >= self.over - 1 and self.start is None:
            return 1.0
        if self.start is None:
            return (t + 1) / self.over
        return 1.0 if t >= self.over else self.start + (1.0 - self.start) * t / self.over


def warmup(length: int, *, start: float | None = None) -> Schedule:
    """Linear warm-up: 1/length at the first update and 1 at the last; with ``start``, from there to 1 just after."""
    if start is not None:
        not_negative("start", start)
    return _Warmup(whole("length", length, least=1), start)


def gradual_warmup(length: int, *, from_factor: float) -> Schedule:
    """Warm-up from ``from_factor``, small-batch rate over large-batch rate, to 1. Source: Goyal et al. 2017, 2.2."""
    return warmup(length, start=from_factor)


@dataclass(frozen=True)
class _Step(Schedule):
    milestones: tuple[int, ...]
    gamma: float
    every: int | None = None

    @property
    def length(self) -> int | None:
        return max(self.milestones) if self.milestones else None

    def value(self, t: float) -> float:
        passed = int(t) // self.every if self.every else sum(t >= one for one in self.milestones)
        return float(self.gamma**passed)


def step(milestones: Sequence[int], *, gamma: float = 0.1) -> Schedule:
    """Multiplied by ``gamma`` from each milestone on."""
    return _Step(tuple(sorted(whole("milestones", one) for one in milestones)), not_negative("gamma", gamma))


def step_every(every: int, *, gamma: float = 0.1) -> Schedule:
    """Multiplied by ``gamma`` after each ``every`` updates."""
    return _Step((), not_negative("gamma", gamma), whole("every", every, least=1))


@dataclass(frozen=True)
class _Polynomial(Schedule):
    over: int
    power: float
    end: float

    def value(self, t: float) -> float:
        return float(self.end + (1.0 - self.end) * (1.0 - min(t / self.over, 1.0)) ** self.power)


def polynomial(length: int, *, power: float = 1.0, end: float = 0.0) -> Schedule:
    """(1 − t/length)^power, from 1 down to ``end``, and ``end`` from there on."""
    return _Polynomial(whole("length", length, least=1), positive("power", power), not_negative("end", end))


@dataclass(frozen=True)
class _InverseSqrt(Schedule):
    timescale: float

    def value(self, t: float) -> float:
        return float((1.0 + t / self.timescale) ** -0.5)


def inverse_sqrt(timescale: float = 1.0) -> Schedule:
    """1/√(1 + t/timescale); with 1 the lecture's η/√(t+1)."""
    return _InverseSqrt(positive("timescale", timescale))


@dataclass(frozen=True)
class _Inverse(Schedule):
    fade: float

    def value(self, t: float) -> float:
        return 1.0 / (1.0 + self.fade * t)


def inverse_time(fade: float) -> Schedule:
    """1/(1 + fade·t)."""
    return _Inverse(not_negative("fade", fade))


@dataclass(frozen=True)
class _Exponential(Schedule):
    gamma: float

    def value(self, t: float) -> float:
        return float(self.gamma**t)


def exponential(gamma: float) -> Schedule:
    """γᵗ."""
    return _Exponential(positive("gamma", gamma))


@dataclass(frozen=True)
class _Cosine(Schedule):
    over: int
    end: float

    def value(self, t: float) -> float:
        return self.end + (1.0 - self.end) * 0.5 * (1.0 + math.cos(math.pi * min(t / self.over, 1.0)))


def cosine(length: int, *, end: float = 0.0) -> Schedule:
    """Half a cosine from 1 to ``end``; it stays down afterwards. Source: Loshchilov & Hutter 2017, without restarts."""
    return _Cosine(whole("length", length, least=1), not_negative("end", end))


@dataclass(frozen=True)
class _Transformer(Schedule):
    width: int
    warm: int

    def value(self, t: float) -> float:
        n = t + 1
        return float(self.width**-0.5 * min(n**-0.5, n * self.warm**-1.5))


def transformer(width: int, *, warm: int = 4000) -> Schedule:
    """d^−½ · min(n^−½, n·warm^−3/2), n = t + 1: to be used with ``lr=1``. Source: Vaswani et al. 2017, equation 3."""
    return _Transformer(whole("width", width, least=1), whole("warm", warm, least=1))


@dataclass(frozen=True)
class _OneCycle(Schedule):
    over: int
    rise: float
    start: float
    end: float
    linear: bool
    high: float = 1.0

    def value(self, t: float) -> float:
        top = self.rise * self.over - 1.0
        last = self.over - 1.0
        if t <= top:
            a, b, share = self.start, self.high, t / top if top > 0 else 1.0
        else:
            a, b, share = self.high, self.end, min((t - top) / (last - top), 1.0) if last > top else 1.0
        return a + (b - a) * share if self.linear else b + (a - b) * 0.5 * (1.0 + math.cos(math.pi * share))


def one_cycle(
    length: int, *, rise: float = 0.3, start: float = 0.04, top: float = 1.0, end: float = 4e-6, linear: bool = False
) -> Schedule:
    """From ``start`` to ``top`` for a share ``rise`` of the updates, then to ``end``; in cosines or straight lines.

    The defaults are torch's ``OneCycleLR`` (1/25 and 1/25/10⁴ of the largest rate). Source: Smith & Topin 2017.
    """
    if not 0.0 < rise <= 1.0:
        raise BadInput("rise", got=rise, want="a share in (0, 1]")
    whole("length", length, least=2)
    return _OneCycle(
        length, rise, not_negative("start", start), not_negative("end", end), linear, not_negative("top", top)
    )


@dataclass(frozen=True)
class Cut(Schedule):
    """A schedule that ends after so many updates."""

    inner: Schedule
    over: int

    def value(self, t: float) -> float:
        return self.inner.value(t)


@dataclass(frozen=True)
class _Chain(Schedule):
    """A table of values, the last of which stays."""

    values: tuple[float, ...] = field(repr=False)

    @property
    def length(self) -> int | None:
        return len(self.values)

    def value(self, t: float) -> float:
        return self.values[min(int(t), len(self.values) - 1)]


def table(values: Sequence[float]) -> Schedule:
    """The factors themselves, one an update; the last one stays."""
    if not values:
        raise BadInput("values", got=values, want="at least one factor")
    return _Chain(tuple(not_negative("values", one) for one in values))


@dataclass
class Trigger(Schedule):
    """A lower rate until something is reached, told by the user: ResNet's rule for 110 layers.

    ``factor`` until ``reached(measure)`` was called with a measure below ``below``, 1 from the next update on.
    What was seen is part of ``state()``, which a checkpoint must keep: this is the one schedule that is not a function
    of the step alone. Source: He et al. 2016, section 4.2: 0.01 until the training error is below 80 % (about 400
    updates), then 0.1.
    """

    factor: float = 0.1
    below: float = 0.8
    since: int | None = None

    def reached(self, measure: float, *, step: int) -> bool:
        """Tell the schedule what was measured at an update; True from the moment it let go."""
        if self.since is None and measure < self.below:
            self.since = step + 1
        return self.since is not None

    def value(self, t: float) -> float:
        return 1.0 if self.since is not None and t >= self.since else self.factor

    def state(self) -> dict[str, int | None]:
        """To be saved beside the optimizer's state."""
        return {"since": self.since}

    def load(self, state: dict[str, int | None]) -> None:
        """Restore what ``state`` gave."""
        self.since = state["since"]


@dataclass(frozen=True)
class Stretched(Schedule):
    """A schedule that was written in epochs, read in updates."""

    inner: Schedule
    every: int

    @property
    def length(self) -> int | None:
        return None if self.inner.length is None else self.inner.length * self.every

    def value(self, t: float) -> float:
        return self.inner(int(t) // self.every)

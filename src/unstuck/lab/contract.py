"""What an experiment is: one file that asks one question of the lectures and answers it with numbers.

A file of ``lab/experiments`` has these names at its top level (``worst_network.py`` is the model):

- ``ORDER``: its place in the book; ``COVERS``: the ids of the lectures' claims it carries, ``("A4", "A5")``;
  ``COST``: seconds; ``SOURCES``: what it rests on.
- ``SUBJECT``: what is on trial, as a dotted name; ``PLANTED``: errors that can be planted in it.
- ``Config``: a frozen dataclass, with ``QUICK`` (one second) and ``FULL``.
- ``run(config, seed, progress) -> Result``.
- ``TEXT``: a :class:`Page` in English and one in Simplified Chinese.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from unstuck.core.errors import BadInput
from unstuck.lab.charts import Figure
from unstuck.lab.criteria import Criterion
from unstuck.lab.words import Both, Language


class Progress(Protocol):
    """Told how far a run is: a share from 0 to 1, and what is being done."""

    def __call__(self, share: float, what: str = "") -> None: ...


def silent(share: float, what: str = "") -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True)
class Number:
    """A measured number with what it is."""

    value: float | int
    label: Both
    unit: str = ""


@dataclass(frozen=True)
class Result:
    """What came out. ``tables``: more than single numbers, rows of plain values under their heads."""

    numbers: Mapping[str, Number]
    criteria: tuple[Criterion, ...]
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()

    @property
    def passed(self) -> bool:
        return all(criterion.passed for criterion in self.criteria)


@dataclass(frozen=True)
class Table:
    """Rows of numbers and words; ``caption`` says what they are."""

    caption: Both
    head: tuple[Both, ...]
    rows: tuple[tuple[float | int | str | Both | None, ...], ...]


@dataclass(frozen=True)
class Page:
    """The lesson in one language. Every text may name a result's number: ``{loss:.3g}`` stands for the measured one.

    ``question`` one sentence with a question mark; ``lecture`` what the notes say, in own words; ``formula`` plain lines;
    ``expectation`` what should come out; ``change_mind`` what result would have changed our mind; ``lesson`` what is
    seen and why, in paragraphs; ``holds`` what of the lecture's claim holds; ``fails`` what does not hold, or holds
    only half (empty when all holds).
    """

    title: str
    question: str
    lecture: str
    formula: str
    expectation: str
    change_mind: str
    lesson: str
    holds: str
    fails: str = ""


@dataclass(frozen=True)
class Cost:
    """Seconds of one core, measured on the machine that wrote it."""

    quick_seconds: float
    full_seconds: float


@dataclass(frozen=True)
class Planted:
    """An error to plant in the subject: ``what`` is wrong, and a context in which it is. ``notices``: the criteria that
    must fail; empty when any may."""

    what: str
    into: Callable[[], AbstractContextManager[object]]
    notices: tuple[str, ...] = ()


@contextmanager
def replaced(module: str, name: str, value: Any) -> Iterator[None]:
    """In this context ``module.name`` is ``value``: how an error is planted.

    ``module`` is a module's ``__name__``, or that and a class: ``"unstuck.signal.standardize:Standardize"``.
    """
    path, _, inner = module.partition(":")
    owner: Any = sys.modules[path]
    for part in filter(None, inner.split(".")):
        owner = getattr(owner, part)
    # What a class holds, not what asking it would bind: static methods stay static.
    before = vars(owner)[name]
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


def plant(what: str, module: str, name: str, value: Any, *notices: str) -> Planted:
    """A planted error that replaces one name.

    >>> plant("the square is forgotten", __name__, "silent", print).what
    'the square is forgotten'
    """
    return Planted(what, lambda: replaced(module, name, value), notices)


Run = Callable[[Any, int, Progress], Result]

REQUIRED = ("ORDER", "COVERS", "COST", "SOURCES", "SUBJECT", "PLANTED", "Config", "QUICK", "FULL", "run", "TEXT")


@dataclass(frozen=True)
class Experiment:
    """An experiment as the catalog found it."""

    name: str
    order: int
    covers: tuple[str, ...]
    cost: Cost
    sources: tuple[str, ...]
    subject: str
    planted: tuple[Planted, ...]
    quick: Any
    full: Any
    text: Mapping[Language, Page] = field(repr=False)
    module: str = field(repr=False)

    def run(self, *, full: bool = False, seed: int = 0, progress: Progress = silent) -> Result:
        """Run it. *Cost*: ``cost.quick_seconds`` or ``cost.full_seconds``."""
        module = sys.modules[self.module]
        result = module.run(self.full if full else self.quick, seed, progress)
        if not isinstance(result, Result) or not result.criteria:
            raise BadInput(self.name, got=type(result).__name__, want="a Result with at least one criterion")
        return result

"""What must come out: a measured number held against what is expected. Whether it passed is computed, never stated."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from unstuck.lab.words import Both

Relation = Literal["near", "same", "below", "above", "between"]
Value = float | int | str | bool | tuple[float | int | str, ...]


@dataclass(frozen=True)
class Criterion:
    """One named demand. ``ruling``: the lecture's claim does not hold as it stands; the number of the ruling.

    ``tolerance`` is absolute. Made by :func:`near`, :func:`same`, :func:`below`, :func:`above`, :func:`between`.
    """

    name: str
    relation: Relation
    measured: Value
    expected: Value
    says: Both
    tolerance: float = 0.0
    ruling: int | None = None

    @property
    def passed(self) -> bool:
        if self.relation == "same":
            return self.measured == self.expected
        measured = _number(self.measured)
        if math.isnan(measured):
            return False
        if self.relation == "between":
            assert isinstance(self.expected, tuple)
            low, high = self.expected
            return _number(low) <= measured <= _number(high)
        expected = _number(self.expected)
        if self.relation == "near":
            return abs(measured - expected) <= self.tolerance
        return measured < expected if self.relation == "below" else measured > expected


def near(
    name: str, measured: float, expected: float, tolerance: float, en: str, zh: str, *, ruling: int | None = None
) -> Criterion:
    """|measured − expected| ≤ tolerance (absolute).

    >>> near("loss", 0.25, 0.25, 1e-12, "a step of one unit ends at 0.25", "走一个单位后损失为 0.25").passed
    True
    """
    return Criterion(name, "near", float(measured), float(expected), Both(en, zh), float(tolerance), ruling)


def same(name: str, measured: Value, expected: Value, en: str, zh: str, *, ruling: int | None = None) -> Criterion:
    """Exactly equal: counts, words, tuples of them.

    >>> same("verdict", "saddle", "minimum", "a saddle", "鞍点").passed
    False
    """
    return Criterion(name, "same", measured, expected, Both(en, zh), 0.0, ruling)


def below(name: str, measured: float, limit: float, en: str, zh: str, *, ruling: int | None = None) -> Criterion:
    """measured < limit.

    >>> below("error", 1e-14, 1e-12, "equal to rounding", "只差舍入误差").passed
    True
    """
    return Criterion(name, "below", float(measured), float(limit), Both(en, zh), 0.0, ruling)


def above(name: str, measured: float, limit: float, en: str, zh: str, *, ruling: int | None = None) -> Criterion:
    """measured > limit.

    >>> above("accuracy", math.nan, 0.9, "it learns", "能学会").passed
    False
    """
    return Criterion(name, "above", float(measured), float(limit), Both(en, zh), 0.0, ruling)


def between(
    name: str, measured: float, low: float, high: float, en: str, zh: str, *, ruling: int | None = None
) -> Criterion:
    """low ≤ measured ≤ high.

    >>> between("slope", -1.02, -1.1, -0.9, "the variance falls as 1/B", "方差按 1/B 下降").passed
    True
    """
    return Criterion(name, "between", float(measured), (float(low), float(high)), Both(en, zh), 0.0, ruling)


def _number(value: object) -> float:
    assert isinstance(value, (int, float)), f"{value!r} is not a number"
    return float(value)

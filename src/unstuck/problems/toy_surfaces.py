"""Surfaces of two variables, standing at the origin: the plain cases, and those that second derivatives leave open."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from unstuck.objective.formula import FormulaObjective
from unstuck.problems.known_point import KnownPoint

_SURFACES: tuple[tuple[str, Callable[[Tensor], Tensor], str, int, int], ...] = (
    ("x² + y²", lambda w: w[0] ** 2 + w[1] ** 2, "minimum", 0, 0),
    ("−x² − y²", lambda w: -(w[0] ** 2) - w[1] ** 2, "maximum", 2, 0),
    ("x² − y²", lambda w: w[0] ** 2 - w[1] ** 2, "saddle", 1, 0),
    ("x² + y⁴", lambda w: w[0] ** 2 + w[1] ** 4, "minimum", 0, 1),
    ("x² − y⁴", lambda w: w[0] ** 2 - w[1] ** 4, "saddle", 0, 1),
    ("x² + y³", lambda w: w[0] ** 2 + w[1] ** 3, "saddle", 0, 1),
    ("monkey saddle x³ − 3xy²", lambda w: w[0] ** 3 - 3 * w[0] * w[1] ** 2, "saddle", 0, 2),
    ("(y − x²)(y − 3x²)", lambda w: (w[1] - w[0] ** 2) * (w[1] - 3 * w[0] ** 2), "saddle", 0, 1),
    ("x² + 0·y", lambda w: w[0] ** 2 + 0 * w[1], "flat", 0, 1),
)


def toy_surfaces() -> list[KnownPoint]:
    """Nine surfaces at the origin with what they are.

    >>> [p.truth for p in toy_surfaces()][:3]
    ['minimum', 'maximum', 'saddle']
    """
    origin = torch.zeros(2, dtype=torch.float64)
    return [
        KnownPoint(name, FormulaObjective(formula, origin, name=name), truth, "by hand", negative, zero, 0.0)
        for name, formula, truth, negative, zero in _SURFACES
    ]

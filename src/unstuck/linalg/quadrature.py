"""From a tridiagonal matrix to the spectral measure of the start vector, with bounds where it can be asked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unstuck.core.errors import BadInput
from unstuck.linalg.lanczos import FirstCycle


@dataclass(frozen=True)
class Rule:
    """Nodes and weights: the sum of ``weights * f(nodes)`` stands for the integral of f over the start vector's
    spectral measure."""

    nodes: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True)
class Mass:
    """How much of the measure lies below a point: certainly ``least``, certainly no more than ``most``, probably
    ``middle``."""

    least: float
    most: float

    @property
    def middle(self) -> float:
        return 0.5 * (self.least + self.most)


def tridiagonal(cycle: FirstCycle) -> np.ndarray:
    """The matrix itself, dense; m × m."""
    return np.diag(cycle.diagonal) + np.diag(cycle.off_diagonal, 1) + np.diag(cycle.off_diagonal, -1)


def gauss(cycle: FirstCycle) -> Rule:
    """Gauss rule of m nodes, exact for polynomials of degree 2m − 1.

    *Source*: Golub and Welsch 1969.

    >>> gauss(FirstCycle(np.array([0.0, 0.0]), np.array([1.0]), 0.0)).nodes.round(6).tolist()
    [-1.0, 1.0]
    """
    nodes, vectors = np.linalg.eigh(tridiagonal(cycle))
    return Rule(nodes, vectors[0] ** 2)


def radau(cycle: FirstCycle, point: float) -> Rule:
    """Gauss–Radau rule: m + 1 nodes of which one is ``point``, exact to degree 2m.

    *Source*: Golub and Meurant, Matrices, Moments and Quadrature, sec. 6.2.
    """
    count = cycle.steps
    if cycle.last <= 0:
        return gauss(cycle)
    shifted = tridiagonal(cycle) - point * np.eye(count)
    unit = np.zeros(count)
    unit[-1] = cycle.last**2
    try:
        correction = np.linalg.solve(shifted, unit)[-1]
    except np.linalg.LinAlgError:  # the point is a Gauss node already
        return gauss(cycle)
    extended = np.zeros((count + 1, count + 1))
    extended[:count, :count] = tridiagonal(cycle)
    extended[count, count - 1] = extended[count - 1, count] = cycle.last
    extended[count, count] = point + correction
    nodes, vectors = np.linalg.eigh(extended)
    return Rule(nodes, vectors[0] ** 2)


def mass_below(cycle: FirstCycle, point: float) -> Mass:
    """Bounds on the share of the start vector's spectral measure below ``point``, from m products and no further
    assumption.

    The rule that has the point among its nodes puts between the sum of the weights left of it, and that sum plus the
    point's
    own weight (Chebyshev, Markov, Stieltjes).

    >>> mass_below(FirstCycle(np.array([0.0, 0.0]), np.array([1.0]), 0.0), 0.5)
    Mass(least=0.5, most=0.5)
    """
    if not np.isfinite(point):
        raise BadInput("point", got=point, want="a finite number")
    rule = radau(cycle, point)
    spread = max(float(np.abs(rule.nodes).max()), abs(point), 1e-300)
    if cycle.last <= 1e-13 * spread:  # the measure is known completely
        least = float(rule.weights[rule.nodes < point].sum())
        return Mass(round(least, 15), round(least, 15))
    at = int(np.argmin(np.abs(rule.nodes - point)))
    least = float(rule.weights[:at].sum())
    return Mass(least, min(1.0, least + float(rule.weights[at])))

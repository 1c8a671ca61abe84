"""Probes of the spectral measure beside known eigenvalues: density, shares with intervals, trace, Frobenius norm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import torch
from torch import Tensor

from unstuck.curvature.operators import Operator
from unstuck.curvature.results import Density, Shares
from unstuck.linalg.accurate_dots import dot, orthogonalize
from unstuck.linalg.lanczos import FirstCycle, Ritz
from unstuck.linalg.probability_bound import Interval, share_interval
from unstuck.linalg.quadrature import gauss, mass_below
from unstuck.linalg.random_start import random_unit

CONFIDENCE = 0.99


@dataclass(frozen=True)
class Probe:
    """One random start's tridiagonal matrix, and the atoms in it that belong to known eigenvalues.

    ``atoms``: indices of its Gauss nodes that are known eigenvalues; none for a start drawn beside them.
    """

    cycle: FirstCycle
    atoms: tuple[int, ...] = ()

    def remainder(self) -> tuple[np.ndarray, np.ndarray]:
        """Nodes and weights (adding to 1) beside the known eigenvalues."""
        rule = gauss(self.cycle)
        keep = np.ones(len(rule.nodes), dtype=bool)
        keep[list(self.atoms)] = False
        total = rule.weights[keep].sum()
        if total <= 0:
            return np.zeros(1), np.ones(1)
        return rule.nodes[keep], rule.weights[keep] / total

    def below(self, point: float) -> tuple[float, float]:
        """Bounds on the share of the measure beside the known eigenvalues that lies below the point."""
        mass = mass_below(self.cycle, point)
        rule = gauss(self.cycle)
        atoms = list(self.atoms)
        known = float(rule.weights[atoms].sum())
        under = float(sum(rule.weights[i] for i in atoms if rule.nodes[i] < point))
        rest = max(1.0 - known, 1e-12)
        return _unit((mass.least - under) / rest), _unit((mass.most - under) / rest)


def _unit(x: float) -> float:
    return min(1.0, max(0.0, x))


def own_probe(cycle: FirstCycle, known: np.ndarray, tolerance: float) -> Probe:
    """The probe that the first run itself is: nodes within the tolerance of known eigenvalues are set apart."""
    nodes = gauss(cycle).nodes
    atoms: set[int] = set()
    for value in known:
        order = [int(i) for i in np.argsort(np.abs(nodes - value)) if int(i) not in atoms]
        if order and abs(nodes[order[0]] - value) <= tolerance:
            atoms.add(order[0])
    return Probe(cycle, tuple(sorted(atoms)))


def isolated(ritz: Ritz) -> np.ndarray:
    """Indices of Ritz values that stand for one eigenvalue each: converged, and far from their neighbors beside it."""
    values, residuals = ritz.values, ritz.residuals
    scale = float(np.abs(values).max())
    steps = np.diff(values)
    nearest = np.minimum(np.append(steps, np.inf), np.insert(steps, 0, np.inf))
    size = np.abs(values)
    return np.flatnonzero((residuals <= 2e-3 * size) & (residuals <= 0.05 * nearest) & (size >= 1e-2 * scale))


def single(cycle: FirstCycle, known: np.ndarray, size: int) -> np.ndarray:
    """Those of the known eigenvalues that the start vector gives no more weight than one eigenvector can have.

    A heavier node is a crowd (zero, most often): one known vector does not stand for it. The weight of one eigenvector
    is a chi-square over the dimension; 30 is passed with probability 4e-8.
    """
    rule = gauss(cycle)
    if not len(known):
        return known
    nearest = np.abs(known[:, None] - rule.nodes[None, :]).argmin(axis=1)
    return np.asarray(known[rule.weights[nearest] * size <= 30.0])


def density_of(known: np.ndarray, probes: Sequence[Probe], size: int) -> Density:
    """Known eigenvalues as atoms of weight 1/n each, the rest by the mean of the probes."""
    rest = max(size - len(known), 0)
    nodes, weights = [known], [np.full(len(known), 1.0 / size)]
    for probe in probes:
        at, mass = probe.remainder()
        nodes.append(at)
        weights.append(mass * rest / size / len(probes))
    return Density(np.concatenate(nodes), np.concatenate(weights), len(known), len(probes))


def shares_of(known: np.ndarray, probes: Sequence[Probe], size: int, band: float) -> Shares:
    """Shares below −band, within, and above; the interval holds quadrature's and the random start's uncertainty."""

    def below(point: float) -> tuple[float, float, float]:
        fixed = int((known < point).sum())
        rest = size - len(known)
        if rest <= 0 or not probes:
            return fixed / size, fixed / size, fixed / size
        bounds = [probe.below(point) for probe in probes]
        least, most = (float(np.mean([b[i] for b in bounds])) for i in (0, 1))
        low, high = share_interval(least, most, dimensions=rest, probes=len(probes), confidence=CONFIDENCE)
        middle = 0.5 * (least + most)
        return tuple((fixed + rest * x) / size for x in (middle, low, high))  # type: ignore[return-value]

    negative, up_to = below(-band), below(np.nextafter(band, np.inf))
    zero = Interval(
        max(0.0, up_to[0] - negative[0]), max(0.0, up_to[1] - negative[2]), min(1.0, up_to[2] - negative[1]), CONFIDENCE
    )
    return Shares(
        Interval(*negative, CONFIDENCE),
        zero,
        Interval(1 - up_to[0], 1 - up_to[2], 1 - up_to[1], CONFIDENCE),
        band,
    )


@dataclass(frozen=True)
class Moments:
    """Trace and Frobenius norm, each with an interval."""

    trace: Interval
    frobenius: Interval
    probes: int


def moments(
    operator: Operator,
    basis: Tensor,
    projected: np.ndarray,
    coupling: float,
    *,
    source: torch.Generator,
    relative: float,
    max_probes: int,
    min_probes: int = 4,
) -> Moments:
    """Trace and Frobenius norm: exact on the Krylov space at hand, the rest by random vectors orthogonal to it.

    ``basis``: k orthonormal rows Q; ``projected`` = Q A Qᵀ; ``coupling`` = ‖A Qᵀ − Qᵀ Q A Qᵀ‖. Stops when the
    interval is
    within ``relative`` of the trace. *Cost*: one product a probe.

    *Source*: Meyer, Musco, Musco and Woodruff 2021 (deflate, then sample); the Krylov space stands in for their sketch.
    """
    known = float(np.trace(projected))
    known_square = float((projected**2).sum()) + 2 * coupling**2
    rest = operator.size - basis.shape[0]
    if rest <= 0:
        return Moments(_sure(known), _sure(known_square**0.5), 0)
    quantile = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)
    firsts: list[float] = []
    squares: list[float] = []
    while True:
        vector = random_unit(operator.size, like=operator.like, source=source, outside=basis)
        image = operator(vector).clone()
        firsts.append(dot(vector, image))
        orthogonalize(image, basis, passes=1)
        squares.append(dot(image, image))
        count = len(firsts)
        mean, square = float(np.mean(firsts)), rest * float(np.mean(squares))
        # Variance of n zᵀCz for z uniform on the sphere of n dimensions; tr² is removed because |z| is fixed.
        variance = 2 * rest / (rest + 2) * max(square - rest * mean**2, 0.0)
        half = quantile * (variance / count) ** 0.5
        total = known + rest * mean
        half *= 1 + 1.5 / count  # the variance itself is an estimate, and so is the moment of stopping
        if count >= max_probes or (count >= min_probes and half <= relative * abs(total)):
            break
    if count > 2:
        # A second opinion from the scatter itself, which few probes leave uncertain.
        half = max(half, quantile * rest * float(np.std(firsts, ddof=1)) / count**0.5 * 0.5)
    scatter = float(np.std(squares, ddof=1)) if count > 1 else squares[0]
    wide = quantile * rest * max(scatter, (2.0 / rest) ** 0.5 * float(np.mean(squares))) / count**0.5
    whole = known_square + square
    return Moments(
        Interval(total, total - half, total + half, CONFIDENCE),
        Interval(whole**0.5, max(0.0, whole - wide) ** 0.5, (whole + wide) ** 0.5, CONFIDENCE),
        count,
    )


def _sure(number: float) -> Interval:
    return Interval(number, number, number, 1.0)

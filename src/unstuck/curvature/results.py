"""What is said of a spectrum: numbers with their bounds, ready for JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import Tensor

from unstuck.linalg.probability_bound import EndBound, Interval


@dataclass(frozen=True)
class Eigenpair:
    """An eigenvalue with its unit vector (n). A true eigenvalue lies within ``residual`` of ``value``.

    ``checked``: the residual was measured by a product of its own; otherwise it is the recurrence's and what a product
    with a random combination of all pairs showed beyond that. ``converged``: it meets the tolerance asked for.
    """

    value: float
    residual: float
    converged: bool
    checked: bool
    vector: Tensor = field(repr=False)


@dataclass(frozen=True)
class Shares:
    """Shares of the eigenvalues below −band, within it, and above; each with an interval at the confidence."""

    negative: Interval
    zero: Interval
    positive: Interval
    band: float


@dataclass(frozen=True)
class Density:
    """The spectral measure as atoms: positions and weights adding to 1. ``exact`` atoms are eigenvalues themselves."""

    nodes: np.ndarray
    weights: np.ndarray
    exact: int
    probes: int

    def cumulative(self, points: Sequence[float]) -> np.ndarray:
        """Share of the spectrum at or below each point."""
        order = np.argsort(self.nodes)
        sums = np.concatenate([[0.0], np.cumsum(self.weights[order])])
        return np.asarray(sums[np.searchsorted(self.nodes[order], np.asarray(points), side="right")])

    def curve(self, *, points: int = 200, width: float | None = None) -> tuple[np.ndarray, np.ndarray]:
        """A drawable density: every atom as a bell of the given width (default 1 % of the range)."""
        low, high = float(self.nodes.min()), float(self.nodes.max())
        spread = (high - low) or abs(high) or 1.0
        width = width or 0.01 * spread
        at = np.linspace(low - 3 * width, high + 3 * width, points)
        bells = np.exp(-0.5 * ((at[:, None] - self.nodes[None, :]) / width) ** 2) / (width * math.sqrt(2 * math.pi))
        return at, bells @ self.weights


@dataclass(frozen=True)
class SpectrumReport:
    """One exam of a symmetric operator. ``largest`` descends from the largest eigenvalue, ``smallest`` ascends from
    the smallest.

    ``lower_bound``: no eigenvalue lies below, wrong with at most the stated probability. ``condition``: largest over
    smallest magnitude where the operator is certainly definite, else infinite; ``effective_condition`` leaves out the
    zero band. ``products`` is everything spent; ``notes`` says what was not reached.
    """

    name: str
    size: int
    method: str
    largest: tuple[Eigenpair, ...]
    smallest: tuple[Eigenpair, ...]
    lower_bound: EndBound
    upper_bound: EndBound
    trace: Interval
    frobenius: Interval
    shares: Shares
    density: Density
    condition: float
    effective_condition: float
    products: int
    stored_vectors: int
    restarts: int
    notes: tuple[str, ...]

    @property
    def top(self) -> float:
        """The largest eigenvalue."""
        return self.largest[0].value

    @property
    def bottom(self) -> float:
        """The smallest eigenvalue."""
        return self.smallest[0].value

    def as_json(self) -> dict[str, Any]:
        """Plain numbers; vectors are left out, infinities are strings."""

        def pair(p: Eigenpair) -> dict[str, Any]:
            return {"value": p.value, "residual": p.residual, "converged": p.converged, "checked": p.checked}

        def interval(i: Interval) -> dict[str, float]:
            return {"value": i.value, "low": i.low, "high": i.high, "confidence": i.confidence}

        def bound(b: EndBound) -> dict[str, Any]:
            return {"value": finite(b.value), "failure_probability": b.failure, "steps": b.steps}

        return {
            "name": self.name,
            "size": self.size,
            "method": self.method,
            "largest": [pair(p) for p in self.largest],
            "smallest": [pair(p) for p in self.smallest],
            "lower_bound": bound(self.lower_bound),
            "upper_bound": bound(self.upper_bound),
            "trace": interval(self.trace),
            "frobenius": interval(self.frobenius),
            "shares": {
                "negative": interval(self.shares.negative),
                "zero": interval(self.shares.zero),
                "positive": interval(self.shares.positive),
                "band": self.shares.band,
            },
            "density": {
                "nodes": self.density.nodes.tolist(),
                "weights": self.density.weights.tolist(),
                "exact": self.density.exact,
                "probes": self.density.probes,
            },
            "condition": finite(self.condition),
            "effective_condition": finite(self.effective_condition),
            "products": self.products,
            "stored_vectors": self.stored_vectors,
            "restarts": self.restarts,
            "notes": list(self.notes),
        }


def finite(number: float) -> float | str:
    """The number, or its name where JSON has no such number."""
    if math.isfinite(number):
        return number
    return "nan" if math.isnan(number) else ("inf" if number > 0 else "-inf")

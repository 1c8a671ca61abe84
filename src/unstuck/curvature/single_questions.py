"""One question alone, at the least cost it can be answered for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unstuck.curvature.krylov_ends import Wish, certify, keep_for, run_until, scale_of
from unstuck.curvature.measures import Moments, Probe, density_of, isolated, moments, own_probe, shares_of, single
from unstuck.curvature.operators import Operator
from unstuck.curvature.results import Density, Eigenpair, Shares
from unstuck.linalg.lanczos import Lanczos
from unstuck.linalg.random_start import generator, random_unit


@dataclass(frozen=True)
class Extremes:
    """``largest`` descending, ``smallest`` ascending, and the products they cost."""

    largest: tuple[Eigenpair, ...]
    smallest: tuple[Eigenpair, ...]
    products: int


def extremes(
    operator: Operator,
    *,
    largest: int = 1,
    smallest: int = 0,
    tolerance: float = 1e-3,
    max_products: int = 300,
    max_vectors: int | None = None,
    seed: int = 0,
) -> Extremes:
    """Eigenvalues at either end, with vectors and checked residuals. Where there is only one, it is both ends.

    An eigenvalue that occurs twice shows once here; :func:`spectrum_exam` looks again from a second start.

    >>> import torch
    >>> from unstuck.curvature.operators import matrix_operator
    >>> matrix = torch.diag(torch.arange(10.0, dtype=torch.float64))
    >>> found = extremes(matrix_operator(matrix), largest=2, tolerance=1e-9)
    >>> [round(pair.value, 6) for pair in found.largest]
    [9.0, 8.0]
    """
    before = operator.products
    wish = Wish(largest, smallest, tolerance)
    capacity = min(max_vectors or max_products, operator.size)
    start = random_unit(operator.size, like=operator.like, source=generator(seed))
    run = Lanczos(operator, start, capacity=capacity, keep=keep_for(wish, capacity))  # type: ignore[arg-type]
    ritz = run_until(run, wish, max_products=max_products, stride=1)
    places = wish.places(ritz)
    coordinates = ritz.coordinates[:, places]
    leftover = run.leftover(coordinates)
    vectors = run.condense(coordinates) if max_vectors else run.vectors(coordinates)
    pairs = certify(operator, ritz.values[places], vectors, leftover, wish, seed=seed, scale=scale_of(ritz))
    upper = wish.upper(len(pairs))
    tops = sorted(pairs[:upper], key=lambda p: -p.value)
    lows = sorted(pairs[upper:], key=lambda p: p.value)
    if smallest and not lows:
        lows = tops[-1:]
    return Extremes(tuple(tops), tuple(lows), operator.products - before)


@dataclass(frozen=True)
class DensityAnswer:
    """The density, the shares of its signs, and the products they cost."""

    density: Density
    shares: Shares
    products: int


def density(
    operator: Operator, *, steps: int = 40, probes: int = 1, band: float = 1e-3, seed: int = 0
) -> DensityAnswer:
    """The spectral density: one run sets the outer eigenvalues apart and is itself a probe; more probes run beside
    them.

    *Cost*: steps × probes products.
    """
    before = operator.products
    source = generator(seed)
    start = random_unit(operator.size, like=operator.like, source=source)
    run = Lanczos(operator, start, capacity=steps)
    run.extend(steps)
    ritz = run.ritz()
    scale = scale_of(ritz)
    good = isolated(ritz)
    good = good[np.isin(ritz.values[good], single(run.first_cycle, ritz.values[good], operator.size))]
    known = ritz.values[good]
    found = [own_probe(run.first_cycle, known, 1e-2 * scale)]
    if probes > 1:
        vectors = run.vectors(ritz.coordinates[:, good])
        del run
        for _ in range(probes - 1):
            fresh = random_unit(operator.size, like=operator.like, source=source, outside=vectors)
            beside = Lanczos(operator, fresh, capacity=steps, outside=vectors)
            beside.extend(steps)
            found.append(Probe(beside.first_cycle))
    size = operator.size
    return DensityAnswer(
        density_of(known, found, size), shares_of(known, found, size, band * scale), operator.products - before
    )


@dataclass(frozen=True)
class TraceAnswer:
    """Trace and Frobenius norm with intervals, and the products they cost."""

    moments: Moments
    products: int


def trace(operator: Operator, *, products: int = 60, seed: int = 0, relative: float = 0.0) -> TraceAnswer:
    """The trace: half of the products build a Krylov space, on which it is exact; the others sample the rest."""
    before = operator.products
    source = generator(seed)
    start = random_unit(operator.size, like=operator.like, source=source)
    steps = min(products // 2, operator.size)
    run = Lanczos(operator, start, capacity=steps)
    run.extend(steps)
    sums = moments(
        operator,
        run.basis,
        run.projected,
        run.coupling,
        source=source,
        relative=relative,
        max_probes=max(2, products - steps),
    )
    return TraceAnswer(sums, operator.products - before)

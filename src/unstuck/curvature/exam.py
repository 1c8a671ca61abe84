"""The whole exam: one Krylov space from one fresh random start, asked every question together."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from unstuck.core.errors import BadInput
from unstuck.curvature.dense import dense_spectrum
from unstuck.curvature.krylov_ends import Wish, certify, keep_for, run_until, scale_of
from unstuck.curvature.measures import Moments, Probe, density_of, isolated, moments, own_probe, shares_of, single
from unstuck.curvature.operators import Operator
from unstuck.curvature.results import Density, Eigenpair, Shares, SpectrumReport
from unstuck.linalg.lanczos import FirstCycle, Lanczos, plain_lanczos
from unstuck.linalg.probability_bound import EndBound, Interval, bound_below
from unstuck.linalg.random_start import generator, random_unit

PROBE_STEPS = 20  # of the fresh probe beside the known eigenvectors


def spectrum_exam(
    operator: Operator,
    *,
    largest: int = 5,
    smallest: int = 1,
    tolerance: float = 1e-3,
    band: float = 1e-3,
    failure: float = 1e-3,
    trace_tolerance: float = 0.02,
    trace_probes: int = 24,
    max_products: int = 300,
    max_vectors: int | None = None,
    dense_below: int = 400,
    seed: int = 0,
) -> SpectrumReport:
    """Largest and smallest eigenvalues with vectors, density, trace, Frobenius norm, shares and bounds.

    ``tolerance``: ‖A v − λ v‖ ≤ tolerance · |λ| (for |λ| below 1 % of the largest: against that 1 %). ``band``:
    eigenvalues
    within band · max|λ| count as zero. ``failure``: probability that the lower bound is wrong. ``max_vectors``: vectors
    stored at most (the run restarts); default as many as needed. Up to ``dense_below`` parameters the matrix itself is
    built and everything is exact.

    *Cost*: typically 60 to 100 products; memory ``stored_vectors`` vectors beside the point's own.
    *Source*: Lanczos with full reorthogonalization; deflated stochastic quadrature; Kuczyński and Woźniakowski 1992.

    >>> from unstuck.curvature.operators import matrix_operator
    >>> report = spectrum_exam(matrix_operator(torch.diag(torch.tensor([4.0, 1.0, -2.0]))))
    >>> report.top, report.bottom, round(report.trace.value, 6), report.shares.negative.value
    (4.0, -2.0, 3.0, 0.3333333333333333)
    """
    if largest < 1 or smallest < 1:
        raise BadInput("largest, smallest", got=(largest, smallest), want="at least 1 each")
    if max_vectors is not None and max_vectors < largest + smallest + 5:
        raise BadInput("max_vectors", got=max_vectors, want=f"at least {largest + smallest + 5}")
    if operator.size <= max(dense_below, largest + smallest + 2):
        return _dense(operator, largest, smallest, band)
    before = operator.products
    wish = Wish(largest, smallest, tolerance)
    source = generator(seed)
    capacity = max_vectors or max_products
    keep = keep_for(wish, capacity)
    start = random_unit(operator.size, like=operator.like, source=source)
    run = Lanczos(operator, start, capacity=capacity, keep=keep)  # type: ignore[arg-type]
    del start
    ritz = run_until(run, wish, max_products=max_products)
    first = run.first_cycle
    stored = min(run.capacity, run.products)
    sums = moments(
        operator,
        run.basis,
        run.projected,
        run.coupling,
        source=source,
        relative=trace_tolerance,
        max_probes=trace_probes,
    )
    scale = scale_of(ritz)
    wanted = wish.places(ritz)
    good = isolated(ritz)
    extra = [int(i) for i in good if i not in set(wanted.tolist())] if max_vectors is None else []
    places = np.concatenate([wanted, np.array(extra, dtype=int)])
    coordinates, values = ritz.coordinates[:, places], ritz.values[places]
    residuals, restarts = ritz.residuals[places], run.restarts
    leftover = run.leftover(ritz.coordinates[:, wanted])
    vectors = run.condense(coordinates) if max_vectors is not None else run.vectors(coordinates)
    del run
    count = len(wanted)
    pairs = certify(operator, values[:count], vectors[:count], leftover, wish, seed=seed, scale=scale)
    del leftover
    notes: list[str] = []
    upper_count = wish.upper(count)
    ends = _Ends(pairs[:upper_count], pairs[upper_count:])
    known, ends, second, notes = _beside(
        operator, values, vectors, ends, wish, source, notes, bounded=max_vectors is not None, scale=scale
    )
    outer = float(np.sqrt(np.sum(residuals**2)))
    lower, upper = _bounds(first, second, known, operator.size, failure, outer, plain=max_vectors is not None)
    probes = [Probe(second)] if second is not None else []
    settled = ritz.values[good]
    known = np.array([x for x in known if x in settled or x not in ritz.values])
    known = single(first, known, operator.size)
    if restarts == 0:
        probes.insert(0, own_probe(first, known, 1e-2 * scale))
    tops = sorted(ends.tops, key=lambda p: -p.value)
    lows = sorted(ends.lows, key=lambda p: p.value) or [tops[-1]]
    notes += [f"eigenvalue {p.value:.4g} has residual {p.residual:.1e}" for p in [*tops, *lows] if not p.converged]
    return _report(
        operator.name,
        operator.size,
        "Krylov space",
        tops,
        lows,
        (lower, upper),
        sums,
        shares_of(known, probes, operator.size, band * scale),
        density_of(known, probes, operator.size),
        operator.products - before,
        stored,
        restarts,
        notes,
        converged=all(p.converged for p in [*tops, *lows]),
    )


@dataclass(frozen=True)
class _Ends:
    tops: list[Eigenpair]
    lows: list[Eigenpair]


def _beside(
    operator: Operator,
    values: np.ndarray,
    vectors: Tensor,
    ends: _Ends,
    wish: Wish,
    source: torch.Generator,
    notes: list[str],
    *,
    bounded: bool,
    scale: float,
) -> tuple[np.ndarray, _Ends, FirstCycle | None, list[str]]:
    """A fresh start beside the known eigenvectors: a second probe, and it shows what one start cannot see twice."""
    second: FirstCycle | None = None
    margin = 1e-4 * scale
    attempts = wish.largest + wish.smallest
    for attempt in range(attempts + 1):
        room = operator.size - len(values)
        if room < 4:
            break
        start = random_unit(operator.size, like=operator.like, source=source, outside=vectors)
        steps = min(PROBE_STEPS, room)
        if bounded:
            return values, ends, plain_lanczos(operator, start, steps, outside=vectors), notes
        run = Lanczos(operator, start, capacity=max(steps, 60), outside=vectors, scale=scale)
        run.extend(steps)
        ritz = run.ritz()
        second = run.first_cycle
        listed = [p.value for p in [*ends.tops, *ends.lows]]
        floor = min((p.value for p in ends.tops), default=min(listed)) if len(ends.tops) >= wish.largest else -np.inf
        ceiling = max((p.value for p in ends.lows), default=max(listed)) if len(ends.lows) >= wish.smallest else np.inf
        above = ritz.values[-1] > floor + margin
        under = ritz.values[0] < ceiling - margin
        if not (above or under) or attempt == attempts:
            break
        # An eigenvalue beyond the listed ones: a repeated one, or one the first start hardly touched.
        narrow = Wish(1, 1, wish.tolerance)
        ritz = run_until(run, narrow, max_products=run.products + 60)
        places = [len(ritz.values) - 1] if above else []
        places += [0] if under and len(ritz.values) > 1 else []
        if not places:
            break
        coordinates = ritz.coordinates[:, places]
        fresh = run.vectors(coordinates)
        more = certify(
            operator, ritz.values[places], fresh, run.leftover(coordinates), narrow, seed=attempt, scale=scale
        )
        notes.append(f"{len(places)} eigenvalue(s) were found only from a second start")
        values = np.concatenate([values, ritz.values[places]])
        vectors = torch.cat([vectors, fresh])
        tops = sorted([*ends.tops, *(more[:1] if above else [])], key=lambda p: -p.value)[: wish.largest]
        lows = sorted([*ends.lows, *(more[-1:] if under else [])], key=lambda p: p.value)[: wish.smallest]
        ends = _Ends(tops, lows)
    return values, ends, second, notes


def _bounds(
    first: FirstCycle,
    second: FirstCycle | None,
    known: np.ndarray,
    size: int,
    failure: float,
    coupling: float,
    *,
    plain: bool,
) -> tuple[EndBound, EndBound]:
    """The better of two certificates: from the first start, and from the fresh one beside the known eigenvectors."""
    if first.steps >= size:
        values = _tridiagonal_ends(first)
        return EndBound(values[0], 0.0, first.steps), EndBound(values[1], 0.0, first.steps)
    low, high = _tridiagonal_ends(first)
    share = failure if (second is None or plain) else failure / 2
    one = bound_below(low, high, size=size, steps=first.steps, failure=share).value
    other = bound_below(-high, -low, size=size, steps=first.steps, failure=share).value
    lower, upper = one, -other
    if second is not None and not plain:
        low, high = _tridiagonal_ends(second)
        rest = size - len(known)
        beside = bound_below(low, high, size=rest, steps=second.steps, failure=share).value
        lower = max(lower, min(beside, float(known.min())) - coupling)
        above = -bound_below(-high, -low, size=rest, steps=second.steps, failure=share).value
        upper = min(upper, max(above, float(known.max())) + coupling)
    return EndBound(lower, failure, first.steps), EndBound(upper, failure, first.steps)


def _tridiagonal_ends(cycle: FirstCycle) -> tuple[float, float]:
    matrix = np.diag(cycle.diagonal) + np.diag(cycle.off_diagonal, 1) + np.diag(cycle.off_diagonal, -1)
    values = np.linalg.eigvalsh(matrix)
    return float(values[0]), float(values[-1])


def _dense(operator: Operator, largest: int, smallest: int, band: float) -> SpectrumReport:
    before = operator.products
    spectrum = dense_spectrum(operator)
    values = spectrum.values.cpu().numpy()
    size = len(values)
    scale = float(np.abs(values).max())
    error = float(torch.finfo(operator.like.dtype).eps) * scale * size**0.5 + spectrum.asymmetry * scale

    def pair(index: int) -> Eigenpair:
        return Eigenpair(float(values[index]), error, True, True, spectrum.vectors[index].to(operator.like))

    tops = [pair(size - 1 - i) for i in range(min(largest, size))]
    lows = [pair(i) for i in range(min(smallest, size))]
    total, square = float(values.sum()), float((values**2).sum()) ** 0.5
    exact = (EndBound(float(values[0]) - error, 0.0, size), EndBound(float(values[-1]) + error, 0.0, size))
    notes = []
    if spectrum.asymmetry > 1e3 * torch.finfo(operator.like.dtype).eps:
        notes.append(f"the products are not symmetric: {spectrum.asymmetry:.1e} of the largest entry")
    sums = Moments(Interval(total, total, total, 1.0), Interval(square, square, square, 1.0), 0)
    density = Density(values, np.full(size, 1.0 / size), size, 0)
    shares = shares_of(values, [], size, band * scale)
    return _report(
        operator.name, size, "all eigenvalues", tops, lows, exact, sums, shares, density,
        operator.products - before, size, 0, notes, converged=True,
    )  # fmt: skip


def _report(
    name: str,
    size: int,
    method: str,
    tops: list[Eigenpair],
    lows: list[Eigenpair],
    bounds: tuple[EndBound, EndBound],
    sums: Moments,
    shares: Shares,
    density: Density,
    products: int,
    stored: int,
    restarts: int,
    notes: list[str],
    *,
    converged: bool,
) -> SpectrumReport:
    low, high = lows[0].value, tops[0].value
    scale = max(abs(low), abs(high))
    condition = math.inf
    if converged and (low > 1e-12 * scale or high < -1e-12 * scale):
        condition = max(abs(low), abs(high)) / min(abs(low), abs(high))
    outside = np.abs(density.nodes)[(np.abs(density.nodes) > shares.band) & (density.weights > 0)]
    effective = scale / float(outside.min()) if len(outside) else math.nan
    return SpectrumReport(
        name=name,
        size=size,
        method=method,
        largest=tuple(tops),
        smallest=tuple(lows),
        lower_bound=bounds[0],
        upper_bound=bounds[1],
        trace=sums.trace,
        frobenius=sums.frobenius,
        shares=shares,
        density=density,
        condition=condition,
        effective_condition=effective,
        products=products,
        stored_vectors=stored,
        restarts=restarts,
        notes=tuple(notes),
    )

"""One Lanczos run that is asked many things: both ends of the spectrum, quadrature, moments.

The run receives the product ``v -> A v`` and knows nothing of where it comes from. Every new vector is orthogonalized
twice against all kept ones, inner products are added in float64, and the projected matrix keeps every coefficient that
was really measured, so that the same code serves a plain run, a thick restart and a run beside known eigenvectors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from unstuck.core.errors import BadInput
from unstuck.linalg.accurate_dots import combine, dot, norm, orthogonalize

_COLUMNS = 1 << 20  # columns turned at a time, so that turning a basis needs no second basis

Product = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Ritz:
    """What the Krylov space says of the spectrum: ascending ``values``, their coordinates, and the residual each
    would have.

    ``residuals[i]`` is ‖A y − θ y‖ for the Ritz vector y, from the recurrence (no product spent). A true eigenvalue
    lies
    within that distance of θ, up to rounding.
    """

    values: np.ndarray
    coordinates: np.ndarray  # column i belongs to values[i]
    residuals: np.ndarray


@dataclass(frozen=True)
class Leftover:
    """What A y − θ y is for some Ritz vectors: ``parts[i]`` times one ``direction`` (n), which has length ``length``."""

    direction: Tensor
    length: float
    parts: np.ndarray

    @property
    def residuals(self) -> np.ndarray:
        """‖A y − θ y‖ for each of them."""
        return np.asarray(self.length * np.abs(self.parts))


@dataclass(frozen=True)
class FirstCycle:
    """The tridiagonal matrix of the run from its fresh random start, before any restart: quadrature and certificates
    use it."""

    diagonal: np.ndarray
    off_diagonal: np.ndarray  # one shorter
    last: float  # the coupling to the vector that was not taken in

    @property
    def steps(self) -> int:
        return len(self.diagonal)


class Lanczos:
    """Krylov space of a symmetric operator, grown one product at a time.

    ``outside``: orthonormal rows (known eigenvectors) the whole run stays orthogonal to. ``capacity``: stored
    vectors at
    most; reaching it, the run restarts from its best Ritz vectors (*thick restart*), which the caller chooses through
    ``keep``. ``scale``: size of the operator where known; what is smaller by the precision is rounding, and ends the
    run.
    Memory: capacity × size numbers.

    *Source*: Parlett, The Symmetric Eigenvalue Problem, ch. 13; Wu and Simon 2000 (thick restart).

    >>> a = torch.diag(torch.arange(1.0, 7.0, dtype=torch.float64))
    >>> run = Lanczos(lambda v: a @ v, torch.ones(6, dtype=torch.float64), capacity=6)
    >>> run.extend(6)
    6
    >>> run.ritz().values.round(6).tolist()
    [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    """

    def __init__(
        self,
        product: Product,
        start: Tensor,
        *,
        capacity: int,
        outside: Tensor | None = None,
        keep: Callable[[Ritz], np.ndarray] | None = None,
        scale: float = 0.0,
    ) -> None:
        if start.dim() != 1:
            raise BadInput("start", got=tuple(start.shape), want="a vector")
        if capacity < min(2, start.numel()):
            raise BadInput("capacity", got=capacity, want="at least 2 vectors")
        self.size = start.numel()
        self.capacity = min(capacity, self.size)
        self._product = product
        self._outside = outside if outside is not None else start.new_zeros((0, self.size))
        self._rows = min(self.capacity, 24)
        self._basis = start.new_empty((self._rows, self.size))
        self._basis[0] = start / norm(start)
        self._held = 1  # vectors in the basis; the last one has not been multiplied yet
        self._matrix = np.zeros((self.capacity, self.capacity))
        self._done = 0  # columns of the matrix that are complete
        self._keep = keep
        self._residual: Tensor | None = None  # next direction, not normalized
        self._beta = 0.0
        self._scale = scale
        self.products = 0
        self.restarts = 0
        self.exhausted = False  # the space is invariant: everything reachable has been reached
        self._alphas: list[float] = []
        self._betas: list[float] = []

    def extend(self, steps: int) -> int:
        """Spend up to ``steps`` products; fewer when the space turns out invariant. Returns how many were spent."""
        spent = 0
        while spent < steps and not self.exhausted:
            if self._done == self.capacity:
                if self.capacity >= self.size - self._outside.shape[0]:
                    self.exhausted = True
                    break
                self._restart()
            if self._held == self._done:
                self._take_next()
            if self.exhausted:
                break
            self._step()
            spent += 1
        return spent

    def _step(self) -> None:
        column = self._done
        vector = self._basis[column]
        image = self._product(vector)
        self.products += 1
        residual = image.clone() if image is vector else image
        _, taken = orthogonalize(residual, self._outside, self._basis[: column + 1])
        coefficients = taken.numpy()
        self._matrix[: column + 1, column] = coefficients
        self._matrix[column, : column + 1] = coefficients
        self._scale = max(self._scale, float(np.abs(coefficients).max()))
        self._beta = norm(residual)
        if not np.isfinite(self._beta):
            raise BadInput(
                "the product", got="a result that is not finite", want="finite numbers", hint="the loss overflows here"
            )
        self._residual = residual
        self._done += 1
        if self.restarts == 0:
            self._alphas.append(float(coefficients[-1]))
            self._betas.append(self._beta)
        noise = 64 * torch.finfo(residual.dtype).eps * max(self._scale, self._beta)
        if self._beta <= noise or self._done + self._outside.shape[0] >= self.size:
            self.exhausted = True

    def _take_next(self) -> None:
        assert self._residual is not None
        if self._held == self._rows:
            self._rows = min(self.capacity, 2 * self._rows)
            grown = self._basis.new_empty((self._rows, self.size))
            grown[: self._held] = self._basis[: self._held]
            self._basis = grown
        row = self._basis[self._held]
        row.copy_(self._residual)
        row.div_(self._beta)
        if self._beta < 1e-3 * self._scale:  # dividing a short residual blows up what rounding left along the others
            orthogonalize(row, self._outside, self._basis[: self._held], passes=1)
            row.div_(norm(row))
        self._residual = None
        self._held += 1

    def _restart(self) -> None:
        ritz = self.ritz()
        order = self._keep(ritz) if self._keep is not None else _both_ends(len(ritz.values), self.capacity // 2)
        order = np.asarray(order)[: max(1, self.capacity - 2)]
        count = len(order)
        self._rotate(ritz.coordinates[:, order])
        self._matrix[:] = 0.0
        self._matrix[np.arange(count), np.arange(count)] = ritz.values[order]
        self._held = self._done = count
        self.restarts += 1

    def ritz(self) -> Ritz:
        """Eigenvalues of the projected matrix with their residuals. *Cost*: an m × m eigenproblem, no product."""
        count = self._done
        values, coordinates = np.linalg.eigh(self._matrix[:count, :count])
        return Ritz(values, coordinates, np.abs(self._beta * coordinates[-1]))

    def leftover(self, coordinates: np.ndarray) -> Leftover:
        """The residuals of the Ritz vectors with these coordinates (one per column), with their direction.

        No copy is made: ask before the run goes on.
        """
        assert self._residual is not None  # so after every product
        return Leftover(self._residual, self._beta, coordinates[-1])

    def vectors(self, coordinates: np.ndarray) -> Tensor:
        """Rows: the vectors that have these coordinates (one per column) in the basis."""
        return combine(self._basis[: self._done], torch.from_numpy(np.ascontiguousarray(coordinates.T)))

    def condense(self, coordinates: np.ndarray) -> Tensor:
        """The same vectors, written over the basis: no memory beyond it. The run cannot go on afterwards."""
        count = coordinates.shape[1]
        self._rotate(coordinates)
        self.exhausted = True
        self._done = self._held = count
        return self._basis[:count]

    def _rotate(self, coordinates: np.ndarray) -> None:
        turn = torch.from_numpy(np.ascontiguousarray(coordinates.T)).to(self._basis)
        for start in range(0, self.size, _COLUMNS):
            columns = slice(start, start + _COLUMNS)
            self._basis[: turn.shape[0], columns] = turn @ self._basis[: turn.shape[1], columns]

    @property
    def basis(self) -> Tensor:
        """The orthonormal rows that have been multiplied."""
        return self._basis[: self._done]

    @property
    def projected(self) -> np.ndarray:
        """Q A Qᵀ for the rows Q of the basis."""
        return self._matrix[: self._done, : self._done].copy()

    @property
    def coupling(self) -> float:
        """‖A Qᵀ − Qᵀ (Q A Qᵀ)‖: only the last column is not zero."""
        return self._beta

    @property
    def first_cycle(self) -> FirstCycle:
        """The tridiagonal matrix up to the first restart."""
        return FirstCycle(np.array(self._alphas), np.array(self._betas[:-1]), self._betas[-1] if self._betas else 0.0)


def _both_ends(count: int, kept: int) -> np.ndarray:
    upper = kept // 2 + kept % 2
    return np.concatenate([np.arange(kept - upper), np.arange(count - upper, count)])


def plain_lanczos(product: Product, start: Tensor, steps: int, *, outside: Tensor | None = None) -> FirstCycle:
    """Lanczos that keeps three vectors and does not orthogonalize again: for quadrature when memory is short.

    Repeated Ritz values (ghosts) appear, but their weights still add up to the right measure.

    *Source*: Greenbaum 1989; Knizhnerman 1996.

    >>> a = torch.diag(torch.tensor([1.0, 2.0], dtype=torch.float64))
    >>> plain_lanczos(lambda v: a @ v, torch.tensor([1.0, 1.0], dtype=torch.float64), 1).diagonal.round(6).tolist()
    [1.5]
    """
    alphas: list[float] = []
    betas: list[float] = []
    current = start / norm(start)
    previous = torch.zeros_like(current)
    beta = 0.0
    for _ in range(min(steps, start.numel())):
        image = product(current)
        image = image.sub(previous, alpha=beta)
        alpha = dot(image, current)
        image -= alpha * current
        if outside is not None:
            orthogonalize(image, outside, passes=1)
        beta = norm(image)
        alphas.append(alpha)
        betas.append(beta)
        if beta <= 8 * torch.finfo(image.dtype).eps * max(abs(alpha), beta, max(map(abs, alphas))):
            break
        previous, current = current, image / beta
    return FirstCycle(np.array(alphas), np.array(betas[:-1]), betas[-1])

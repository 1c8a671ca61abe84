"""Both ends of a spectrum from one Krylov space: until the residuals say so, then checked by a product."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from unstuck.curvature.operators import Operator
from unstuck.curvature.results import Eigenpair
from unstuck.linalg.accurate_dots import norm
from unstuck.linalg.lanczos import Lanczos, Leftover, Ritz

FLOOR = 1e-2  # eigenvalues smaller than this share of the largest magnitude are resolved against that share


@dataclass(frozen=True)
class Wish:
    """How many eigenvalues at either end, and how small ‖A v − λ v‖ / |λ| shall be."""

    largest: int
    smallest: int
    tolerance: float

    def places(self, ritz: Ritz) -> np.ndarray:
        """Indices of the wanted Ritz values, the largest first, then the smallest."""
        count = len(ritz.values)
        low = np.arange(min(self.smallest, max(count - min(1, self.largest), 0)))
        # In a space too small for all, the smallest goes to the lower end, not to the tail of the largest.
        top = np.arange(count - 1, max(count - 1 - self.largest, len(low) - 1), -1)
        return np.concatenate([top, low])

    def upper(self, count: int) -> int:
        """How many of ``count`` pairs, in the order of ``places``, belong to the upper end."""
        return (
            max(count - self.smallest, min(1, count, self.largest))
            if count <= self.largest + self.smallest
            else self.largest
        )

    def targets(self, values: np.ndarray, scale: float, eps: float) -> np.ndarray:
        """The residual each value must reach; never below what the arithmetic can give."""
        return np.asarray(np.maximum(self.tolerance * np.maximum(np.abs(values), FLOOR * scale), 4 * eps * scale))


def scale_of(ritz: Ritz) -> float:
    """The largest magnitude seen."""
    return float(np.abs(ritz.values).max())


def satisfied(ritz: Ritz, wish: Wish, eps: float) -> bool:
    """All wanted values reach their targets."""
    if len(ritz.values) < wish.largest + wish.smallest:
        return False
    places = wish.places(ritz)
    return bool(np.all(ritz.residuals[places] <= wish.targets(ritz.values[places], scale_of(ritz), eps)))


def run_until(run: Lanczos, wish: Wish, *, max_products: int, stride: int = 2) -> Ritz:
    """Grow the space until the wish is met, the products are spent, or there is nothing more to reach.

    It is asked after every ``stride`` products, each time by an eigenproblem of the size of the space.
    """
    eps = float(torch.finfo(run.basis.dtype).eps)
    run.extend(min(max_products, wish.largest + wish.smallest + 2))
    ritz = run.ritz()
    while not run.exhausted and run.products < max_products and not satisfied(ritz, wish, eps):
        run.extend(min(stride, max_products - run.products))
        ritz = run.ritz()
    return ritz


def keep_for(wish: Wish, capacity: int) -> object:
    """Which Ritz vectors a thick restart keeps: the wanted ones, and neighbors of both ends up to half of the room.

    Measured on three kinds of spectrum with 15 vectors: half to 60 % is best, keeping nearly all costs a fifth more products.
    """

    def keep(ritz: Ritz) -> np.ndarray:
        count = len(ritz.values)
        asked = wish.largest + wish.smallest
        room = max(asked + 1, min(capacity - 3, round(0.55 * capacity)))
        top = min(count, wish.largest + (room - asked) // 2)
        low = min(count - top, room - top)
        return np.concatenate([np.arange(low), np.arange(count - top, count)])

    return keep


def certify(
    operator: Operator,
    values: np.ndarray,
    vectors: Tensor,
    leftover: Leftover,
    wish: Wish,
    *,
    seed: int,
    scale: float,
) -> list[Eigenpair]:
    """Residuals of all pairs, checked by one product with a random combination of them.

    The recurrence says that A y − θ y is a known multiple of one direction. Whatever the product shows beyond that is
    laid to each pair alone: with random signs it is, at least every other time, no less than each pair's part. The pairs
    are weighted by what each may miss, so that the smallest is not drowned by the largest. Where a pair would miss its
    target for it, each gets its own product. *Cost*: 1 product, seldom one more for each pair.
    """
    count = len(values)
    eps = float(torch.finfo(vectors.dtype).eps)
    targets = wish.targets(values, scale, eps)
    limits = targets * (1 + 1e-6) + 8 * eps * scale
    shares = targets.min() / targets if targets.min() > 0 else np.ones(count)
    weights = shares * np.random.default_rng(seed).choice([-1.0, 1.0], size=count)
    rows = vectors[:count]
    gap = operator(rows.new_tensor(weights) @ rows)
    gap -= rows.new_tensor(weights * values) @ rows
    gap.sub_(leftover.direction, alpha=float(weights @ leftover.parts))
    beyond = norm(gap)
    said = leftover.residuals
    measured = said + beyond / shares
    checked = bool(np.any((measured > limits) & (said <= limits)))
    if checked:
        for index in range(count):
            measured[index] = norm(operator(rows[index]).sub(rows[index], alpha=float(values[index])))
    return [
        Eigenpair(float(values[i]), float(measured[i]), bool(measured[i] <= limits[i]), checked, vectors[i])
        for i in range(count)
    ]

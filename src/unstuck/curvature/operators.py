"""A symmetric matrix known by its products: the Hessian, the generalized Gauss–Newton matrix, the Fisher matrix."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from unstuck.core.errors import BadInput
from unstuck.objective.contract import Point


@dataclass
class Operator:
    """``product`` maps a vector (n) to a vector (n); ``like`` shows device and precision. ``products`` counts them."""

    product: Callable[[Tensor], Tensor]
    size: int
    like: Tensor
    name: str = "matrix"
    block: Callable[[Tensor], Tensor] | None = None
    products: int = 0

    def __call__(self, vector: Tensor) -> Tensor:
        self.products += 1
        return self.product(vector)

    def rows(self, vectors: Tensor) -> Tensor:
        """The products of every row (k × n)."""
        self.products += len(vectors)
        if self.block is not None:
            return self.block(vectors)
        return torch.stack([self.product(vector) for vector in vectors])


def hessian(point: Point) -> Operator:
    """Second derivatives of the loss at the point.

    >>> from unstuck.objective import FormulaObjective
    >>> point = FormulaObjective(lambda w: w[0] ** 2 - w[1] ** 2, torch.zeros(2, dtype=torch.float64)).at()
    >>> hessian(point)(torch.ones(2, dtype=torch.float64)).tolist()
    [2.0, -2.0]
    """
    return Operator(point.hvp, point.size, point.gradient, "hessian", point.hvp_block)


def gauss_newton(point: Point) -> Operator:
    """Jᵀ H_loss J: the Hessian without the curvature of the model itself; never negative for convex losses of the
    output."""
    return Operator(point.ggn, point.size, point.gradient, "generalized Gauss-Newton")


def empirical_fisher(point: Point) -> Operator:
    """Mean of g gᵀ over the examples' gradients."""
    return Operator(point.empirical_fisher, point.size, point.gradient, "empirical Fisher")


def fisher(point: Point) -> Operator:
    """The Fisher matrix of the model's own distribution, for cross-entropy and squared error on plain outputs.

    There it equals the generalized Gauss–Newton matrix (Martens 2020, sec. 9.2).
    """
    operator = gauss_newton(point)
    operator.name = "Fisher"
    return operator


def matrix_operator(matrix: Tensor) -> Operator:
    """A stored symmetric matrix.

    >>> matrix_operator(torch.eye(3)).size
    3
    """
    if matrix.dim() != 2 or matrix.shape[0] != matrix.shape[1]:
        raise BadInput("matrix", got=tuple(matrix.shape), want="a square matrix")
    return Operator(lambda v: matrix @ v, matrix.shape[0], matrix[0], "matrix", lambda rows: rows @ matrix)

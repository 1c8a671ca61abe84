"""The whole matrix and its eigenvalues, for small problems: exact, and the second road of every test."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from unstuck.core.errors import BadInput
from unstuck.curvature.operators import Operator

LIMIT = 20_000  # parameters; 3.2 GB in float64


@dataclass(frozen=True)
class DenseSpectrum:
    """All eigenvalues, ascending (n), their vectors as rows (n × n), and how asymmetric the products were
    (relative)."""

    values: Tensor
    vectors: Tensor
    asymmetry: float


def dense_matrix(operator: Operator, *, block: int = 64) -> Tensor:
    """The matrix, n × n, row by row through products. *Cost*: n products, n² numbers."""
    if operator.size > LIMIT:
        raise BadInput(
            "operator", got=f"{operator.size} parameters", want=f"at most {LIMIT}", hint="use the Krylov exam"
        )
    home = operator.like
    rows = []
    for start in range(0, operator.size, block):
        count = min(block, operator.size - start)
        units = torch.zeros(count, operator.size, dtype=home.dtype, device=home.device)
        units[torch.arange(count), start + torch.arange(count)] = 1.0
        rows.append(operator.rows(units))
    return torch.cat(rows)


def dense_spectrum(operator: Operator) -> DenseSpectrum:
    """All eigenvalues and vectors. *Cost*: n products and an n × n eigenproblem, in float64.

    >>> from unstuck.curvature.operators import matrix_operator
    >>> dense_spectrum(matrix_operator(torch.diag(torch.tensor([3.0, -1.0])))).values.tolist()
    [-1.0, 3.0]
    """
    matrix = dense_matrix(operator).double()
    size = float(matrix.abs().max()) or 1.0
    asymmetry = float((matrix - matrix.T).abs().max()) / size
    values, vectors = torch.linalg.eigh(0.5 * (matrix + matrix.T))
    return DenseSpectrum(values, vectors.T.contiguous(), asymmetry)

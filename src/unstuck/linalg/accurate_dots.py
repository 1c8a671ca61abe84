"""Inner products whose rounding does not hide the answer.

A float32 dot product over a million entries is off in the fourth digit of a small residual. Here float32 is used only
inside blocks of a few thousand entries; the blocks are added in float64.
"""

from __future__ import annotations

import torch
from torch import Tensor

_BLOCK = 8192  # entries summed in the vectors' own precision; float32 keeps 1e-7 over such a block


def dot(a: Tensor, b: Tensor) -> float:
    """Inner product of two vectors of the same length, added up in float64.

    *Cost*: one pass over both, no copy longer than a block.

    >>> dot(torch.ones(3), torch.tensor([1.0, 2.0, 3.0]))
    6.0
    """
    return float(project(a.unsqueeze(0), b)[0].item())


def norm(a: Tensor) -> float:
    """Euclidean length, added up in float64.

    >>> norm(torch.tensor([3.0, 4.0]))
    5.0
    """
    return float(dot(a, a) ** 0.5)


def project(basis: Tensor, vector: Tensor) -> Tensor:
    """The inner products of every row of ``basis`` (m × n) with ``vector`` (n), in float64 on the CPU.

    *Cost*: one pass over the basis. For float64 input this is a plain matrix-vector product.

    >>> project(torch.eye(2), torch.tensor([5.0, 7.0]))
    tensor([5., 7.], dtype=torch.float64)
    """
    rows, length = basis.shape
    if rows == 0:
        return torch.zeros(0, dtype=torch.float64)
    if basis.dtype == torch.float64:
        return torch.mv(basis, vector).cpu()
    total = torch.zeros(rows, dtype=torch.float64, device=basis.device)
    if rows * length <= 8 * _BLOCK:  # small enough that converting costs less than the loop
        return torch.mv(basis.double(), vector.double()).cpu()
    for start in range(0, length, _BLOCK):
        stop = min(start + _BLOCK, length)
        total += torch.mv(basis[:, start:stop], vector[start:stop]).double()
    return total.cpu()


def subtract_projection(basis: Tensor, vector: Tensor, coefficients: Tensor) -> None:
    """``vector -= coefficients @ basis``, in place; coefficients are float64, the sum is taken in the basis'
    precision."""
    if basis.shape[0]:
        vector.addmv_(basis.t(), coefficients.to(vector), alpha=-1.0)


def orthogonalize(vector: Tensor, *bases: Tensor, passes: int = 2) -> list[Tensor]:
    """Take out of ``vector``, in place, its components along the orthonormal rows of each basis.

    Returns, per basis, the coefficients taken out (float64). Two passes are needed: on a spectrum of halving
    eigenvalues
    one pass leaves a Lanczos basis with orthogonality error 0.99995, two leave 1e-15.

    *Source*: Giraud, Langou, Rozložník, van den Eshof 2005, twice is enough.

    >>> v = torch.tensor([1.0, 2.0], dtype=torch.float64)
    >>> orthogonalize(v, torch.tensor([[1.0, 0.0]], dtype=torch.float64))[0]
    tensor([1.], dtype=torch.float64)
    >>> v
    tensor([0., 2.], dtype=torch.float64)
    """
    taken = [torch.zeros(basis.shape[0], dtype=torch.float64) for basis in bases]
    for _ in range(passes):
        for index, basis in enumerate(bases):
            coefficients = project(basis, vector)
            subtract_projection(basis, vector, coefficients)
            taken[index] += coefficients
    return taken


def combine(basis: Tensor, coefficients: Tensor) -> Tensor:
    """Rows of ``coefficients`` (k × m, float64) times ``basis`` (m × n): k new vectors in the basis' precision."""
    return torch.mm(coefficients.to(basis), basis)

"""One linear hidden layer that copies its input: all critical points are known, with their numbers of ways down."""

from __future__ import annotations

from itertools import combinations

import torch
from torch import Tensor

from unstuck.objective.formula import FormulaObjective
from unstuck.problems.known_point import KnownPoint


def baldi_hornik(size: int = 5, hidden: int = 2, *, seed: int = 0) -> list[KnownPoint]:
    """Every critical point of full rank of tr((1 − AB) Σ (1 − AB)ᵀ), one for each choice of ``hidden`` eigenvectors
    of Σ.

    The loss there is tr Σ − Σ of the chosen eigenvalues λ_i; each pair of a chosen and a larger, unchosen eigenvalue
    is one
    negative curvature; hidden² curvatures are zero. Only the choice of the largest is a minimum.

    *Source*: Baldi and Hornik 1989.

    >>> [p.negative for p in baldi_hornik(3, 1)]
    [2, 1, 0]
    """
    values = torch.arange(1, size + 1, dtype=torch.float64)
    draws = torch.randn(size, size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    vectors, _ = torch.linalg.qr(draws)
    covariance = vectors @ torch.diag(values) @ vectors.T
    identity = torch.eye(size, dtype=torch.float64)

    def loss(w: Tensor) -> Tensor:
        out, into = w[: size * hidden].reshape(size, hidden), w[size * hidden :].reshape(hidden, size)
        gap = identity - out @ into
        return torch.trace(gap @ covariance @ gap.T)

    points = []
    for chosen in combinations(range(size), hidden):
        frame = vectors[:, list(chosen)]
        start = torch.cat([frame.reshape(-1), frame.T.reshape(-1)])
        negative = sum(1 for i in chosen for j in range(size) if j not in chosen and values[j] > values[i])
        points.append(
            KnownPoint(
                f"linear autoencoder, eigenvectors {chosen}",
                FormulaObjective(loss, start, name=f"linear autoencoder {size}-{hidden}-{size}"),
                "minimum" if negative == 0 else "saddle",
                "Baldi and Hornik 1989",
                negative,
                hidden**2,
                float(values.sum() - values[list(chosen)].sum()),
            )
        )
    return points

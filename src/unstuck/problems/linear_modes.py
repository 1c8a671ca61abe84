"""A linear network of two layers that learns singular values one after the other, each along a known curve."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from unstuck.objective.formula import FormulaObjective


@dataclass(frozen=True)
class LinearModes:
    """½‖M − W₂W₁‖² for a matrix M (out × in) of known singular values: what squared error is on whitened inputs.

    Parameters are flat: W₁ (hidden × in), then W₂ (out × hidden).
    """

    target: Tensor
    left: Tensor
    right: Tensor
    strengths: tuple[float, ...]
    hidden: int

    @property
    def size(self) -> int:
        return self.hidden * sum(self.target.shape)

    def parts(self, weights: Tensor) -> tuple[Tensor, Tensor]:
        """W₁ and W₂ as matrices."""
        rows, columns = self.target.shape
        cut = self.hidden * columns
        return weights[:cut].reshape(self.hidden, columns), weights[cut:].reshape(rows, self.hidden)

    def loss(self, weights: Tensor) -> Tensor:
        """½‖M − W₂W₁‖² at flat parameters (n)."""
        first, second = self.parts(weights)
        return 0.5 * (self.target - second @ first).square().sum()

    def slope(self, weights: Tensor) -> Tensor:
        """Its gradient (n), written out."""
        first, second = self.parts(weights)
        off = second @ first - self.target
        return torch.cat([(second.T @ off).reshape(-1), (off @ first.T).reshape(-1)])

    def modes(self, weights: Tensor) -> Tensor:
        """How much of each singular value is learned: uᵀ W₂W₁ v, (modes)."""
        first, second = self.parts(weights)
        return torch.diagonal(self.left.T @ second @ first @ self.right).clone()

    def objective(self, weights: Tensor) -> FormulaObjective:
        """The same loss as an objective standing at these parameters."""
        return FormulaObjective(self.loss, weights, name=f"linear modes {self.strengths}")

    def balanced(self, learned: float) -> Tensor:
        """Parameters at which every mode is learned to the same small amount and both layers share it evenly."""
        count = len(self.strengths)
        inner = torch.eye(self.hidden, dtype=torch.float64)[:, :count] * learned**0.5
        return torch.cat([(inner @ self.right.T).reshape(-1), (self.left @ inner.T).reshape(-1)])


def linear_modes(
    strengths: tuple[float, ...] = (3.0, 1.2, 0.5), *, size: tuple[int, int] = (3, 5), hidden: int = 4, seed: int = 0
) -> LinearModes:
    """A target with these singular values between random orthonormal directions; ``size`` is (out, in).

    *Source*: Saxe, McClelland and Ganguli 2014.

    >>> problem = linear_modes()
    >>> [round(x, 6) for x in problem.modes(problem.balanced(0.25)).tolist()]
    [0.25, 0.25, 0.25]
    """
    source = torch.Generator().manual_seed(seed)
    rows, columns = size
    count = len(strengths)
    left = torch.linalg.qr(torch.randn(rows, rows, generator=source, dtype=torch.float64))[0][:, :count]
    right = torch.linalg.qr(torch.randn(columns, columns, generator=source, dtype=torch.float64))[0][:, :count]
    target = left @ torch.diag(torch.tensor(strengths, dtype=torch.float64)) @ right.T
    return LinearModes(target, left, right, strengths, hidden)


def learned_by(strength: float, start: float, time: Tensor) -> Tensor:
    """s/(1 + (s/u₀ − 1) e^(−2st)): how much of a singular value s is learned at a time, from u₀ at time 0.

    Time is rate times updates, for small rates.

    >>> float(learned_by(2.0, 1.0, torch.tensor(0.0)))
    1.0
    """
    return strength / (1 + (strength / start - 1) * torch.exp(-2 * strength * time))

"""Batch normalization written out, equal to torch's in training and in evaluation."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from unstuck.core.errors import BadInput


class BatchNorm(nn.Module):
    """ẑ = γ·(z − μ)/√(σ² + ε) + β for each feature (dimension 1), over all other dimensions.

    Training: μ and σ² of this batch (σ² divides by n), as part of the graph: the gradient flows through them.
    Evaluation: the moving averages. They move by ``momentum`` of the new batch's numbers, the variance with n/(n − 1):

        running ← (1 − momentum)·running + momentum·batch

    The lecture writes μ̄ ← p·μ̄ + (1 − p)·μ: its p is 1 − momentum (:func:`lecture_p`). The lecture averages σ and has no
    ε; torch, and this, average σ² and have one. ``momentum=None``: the plain mean over all batches so far.

    Errors: ``BadInput`` in training when a feature has a single value: its variance is then nothing.
    *Source*: Ioffe and Szegedy 2015, algorithms 1 and 2.

    >>> layer = BatchNorm(1)
    >>> [round(z, 4) for z in layer(torch.tensor([[1.0], [3.0]])).flatten().tolist()], round(float(layer.running_mean), 4)
    ([-1.0, 1.0], 0.2)
    """

    running_mean: Tensor
    running_var: Tensor
    batches: Tensor

    def __init__(self, features: int, *, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True) -> None:
        super().__init__()
        if momentum is not None and not 0 <= momentum <= 1:
            raise BadInput("momentum", got=momentum, want="a number in [0, 1], or None")
        self.features, self.eps, self.momentum = features, eps, momentum
        self.weight = nn.Parameter(torch.ones(features)) if affine else None
        self.bias = nn.Parameter(torch.zeros(features)) if affine else None
        self.register_buffer("running_mean", torch.zeros(features))
        self.register_buffer("running_var", torch.ones(features))
        self.register_buffer("batches", torch.tensor(0))

    def forward(self, z: Tensor) -> Tensor:
        """(n, features, …) in, the same shape out."""
        if z.dim() < 2 or z.shape[1] != self.features:
            raise BadInput("z", got=tuple(z.shape), want=f"(n, {self.features}, …)")
        others = [dim for dim in range(z.dim()) if dim != 1]
        if self.training:
            count = z.numel() // self.features
            if count < 2:
                raise BadInput("z", got="one value a feature", want="at least 2", hint="a batch of 1 has no variance")
            mean = z.mean(dim=others)
            variance = (z - self._wide(mean, z)).pow(2).mean(dim=others)
            self._move(mean.detach(), variance.detach() * count / (count - 1))
        else:
            mean, variance = self.running_mean, self.running_var
        normal = (z - self._wide(mean, z)) / (self._wide(variance, z) + self.eps).sqrt()
        if self.weight is not None and self.bias is not None:
            normal = normal * self._wide(self.weight, z) + self._wide(self.bias, z)
        return normal

    def extra_repr(self) -> str:
        return f"{self.features}, eps={self.eps}, momentum={self.momentum}"

    def _move(self, mean: Tensor, variance: Tensor) -> None:
        self.batches += 1
        share = 1.0 / float(self.batches) if self.momentum is None else self.momentum
        self.running_mean = (1 - share) * self.running_mean + share * mean
        self.running_var = (1 - share) * self.running_var + share * variance

    @staticmethod
    def _wide(part: Tensor, like: Tensor) -> Tensor:
        return part.reshape(1, -1, *([1] * (like.dim() - 2)))


def lecture_p(momentum: float) -> float:
    """The lecture's p for torch's ``momentum``: the weight of the past.

    torch's 0.1 is p = 0.9; the lecture's remark that torch uses p = 0.1 takes one for the other.

    >>> lecture_p(0.1)
    0.9
    """
    return 1.0 - momentum

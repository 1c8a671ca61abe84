"""Every feature to mean 0 and variance 1, with the training data's numbers, inside the model."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from unstuck.core.errors import BadInput


class Standardize(nn.Module):
    """Fitted once on training data; afterwards x → (x − mean)/std for training, validation and use alike.

    Put it first in the model: then it is saved, moved and loaded with it, and no test set can be scaled by its own
    numbers. Features stand along ``feature_dim`` (1: columns of a table, channels of images). std divides by n. A
    constant feature becomes 0, whatever value it has later: it carried nothing. Mean and std are measured in double
    precision and kept in the precision of the module: :meth:`fitted` takes the data's, so that a large mean is
    subtracted without loss. What comes out has the precision of what came in.

    Errors: ``BadInput`` for data that are not finite or empty, or too large for the module's precision, for another
    number of features, and before a fit.
    *Cost*: one pass over the data, two numbers a feature.
    *Source*: Andrew Ng, Normalizing inputs.

    >>> table = torch.tensor([[1.0, 100.0, 7.0], [3.0, 300.0, 7.0]])
    >>> scale = Standardize.fitted(table)
    >>> scale(table).tolist(), scale(torch.tensor([[2.0, 200.0, 8.0]])).tolist()
    ([[-1.0, -1.0, 0.0], [1.0, 1.0, 0.0]], [[0.0, 0.0, 0.0]])
    """

    mean: Tensor
    std: Tensor
    constant: Tensor

    def __init__(self, features: int, *, feature_dim: int = 1) -> None:
        super().__init__()
        if features < 1:
            raise BadInput("features", got=features, want="at least 1")
        self.features, self.feature_dim = features, feature_dim
        # NaN until fitted: a model that was never fitted cannot pass for one that was.
        self.register_buffer("mean", torch.full((features,), torch.nan))
        self.register_buffer("std", torch.full((features,), torch.nan))
        self.register_buffer("constant", torch.zeros(features, dtype=torch.bool))

    @classmethod
    def fitted(cls, data: Tensor | Iterable[Tensor], *, feature_dim: int = 1) -> Standardize:
        """Made and fitted on one tensor (examples first) or on batches of it; in float64 for float64 data.

        >>> Standardize.fitted(torch.tensor([[1e4], [1e4 + 2]], dtype=torch.float64)).mean
        tensor([10001.], dtype=torch.float64)
        """
        batches = iter([data] if isinstance(data, Tensor) else data)
        first = next(batches, None)
        if first is None:
            raise BadInput("data", got="no batch", want="at least one")
        if first.dim() <= feature_dim:
            raise BadInput("data", got=tuple(first.shape), want=f"features along dimension {feature_dim}")
        made = cls(first.shape[feature_dim], feature_dim=feature_dim)
        # Half precision and integers are promoted: their own last place is too coarse for a mean.
        made.to(torch.promote_types(first.dtype, torch.get_default_dtype()))

        def all_batches() -> Iterable[Tensor]:
            yield first
            yield from batches

        return made.fit(all_batches())

    def fit(self, data: Tensor | Iterable[Tensor]) -> Standardize:
        """Take mean and std from these data (training data alone); batches are joined exactly."""
        count, mean, scatter = 0, torch.zeros(self.features).double(), torch.zeros(self.features).double()
        largest = torch.zeros(self.features).double()
        for batch in [data] if isinstance(data, Tensor) else data:
            rows = self._rows(batch)
            if not bool(torch.isfinite(rows).all()):
                raise BadInput("data", got="NaN or infinity", want="finite numbers", hint="drop or fill those rows")
            # Chan, Golub and LeVeque 1983: two samples' scatters join without loss of precision.
            own = rows.mean(dim=0)
            own = own + (rows - own).mean(dim=0)  # what the sum of large numbers had rounded away
            gap, joined = own - mean, count + len(rows)
            scatter += (rows - own).pow(2).sum(dim=0) + gap.pow(2) * count * len(rows) / joined
            mean += gap * len(rows) / joined
            largest = torch.maximum(largest, rows.abs().max(dim=0).values)
            count = joined
        if count == 0:
            raise BadInput("data", got="no example", want="at least one")
        std = (scatter / count).sqrt()
        # What rounding leaves of a constant column: the mean of n equal numbers is off by some units of the last place.
        home = self.mean
        # Nor is there a spread that the module's precision rounds to zero: its inputs would all read alike.
        constant = (std <= 1e-12 * largest) | (std.to(home.dtype) == 0)
        if not bool(torch.isfinite(torch.stack([mean, std]).to(home.dtype)).all()):
            hint = "Standardize.fitted takes the data's precision; or .double() before the fit"
            raise BadInput("data", got="mean or std too large", want=f"numbers within {home.dtype}", hint=hint)
        self.mean = mean.to(home)
        self.std = torch.where(constant, torch.ones_like(std), std).to(home)
        self.constant = constant.to(home.device)
        return self

    def forward(self, x: Tensor) -> Tensor:
        """Same shape as ``x``, and its precision where it has one."""
        mean, std, constant = (self._shaped(part, x) for part in (self.mean, self.std, self.constant))
        out: Tensor = ((x - mean) / std).masked_fill(constant, 0.0)
        return out.to(x.dtype) if x.is_floating_point() else out

    def inverse(self, z: Tensor) -> Tensor:
        """Back to the old scale; constant features come back as their constant."""
        mean, std, _ = (self._shaped(part, z) for part in (self.mean, self.std, self.constant))
        x: Tensor = z * std + mean
        return x.to(z.dtype) if z.is_floating_point() else x

    def extra_repr(self) -> str:
        return f"{self.features}, feature_dim={self.feature_dim}, constant={int(self.constant.sum())}"

    def _rows(self, batch: Tensor) -> Tensor:
        if batch.dim() <= self.feature_dim or batch.shape[self.feature_dim] != self.features:
            want = f"{self.features} features along dimension {self.feature_dim}"
            raise BadInput("data", got=tuple(batch.shape), want=want)
        rows = batch.detach().movedim(self.feature_dim, -1).reshape(-1, self.features)
        return rows.to("cpu", torch.float64)

    def _shaped(self, part: Tensor, like: Tensor) -> Tensor:
        if bool(torch.isnan(self.mean).any()):
            raise BadInput("Standardize", got="no fit yet", want="fit(training data) first")
        if like.dim() <= self.feature_dim or like.shape[self.feature_dim] != self.features:
            want = f"{self.features} features along dimension {self.feature_dim}"
            raise BadInput("x", got=tuple(like.shape), want=want)
        shape = [1] * like.dim()
        shape[self.feature_dim] = self.features
        return part.reshape(shape)

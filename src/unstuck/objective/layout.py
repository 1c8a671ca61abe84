"""Which entries of the flat parameter vector belong to which named parameter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import torch
from torch import Tensor

from unstuck.core.errors import BadInput


@dataclass(frozen=True)
class Layout:
    """Names and shapes of parameters in the order of the flat vector.

    >>> layout = Layout(("w", "b"), ((2, 3), (2,)))
    >>> layout.size, layout.name_at(6)
    (8, 'b')
    """

    names: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]

    @property
    def counts(self) -> list[int]:
        return [int(torch.Size(shape).numel()) for shape in self.shapes]

    @property
    def size(self) -> int:
        return sum(self.counts)

    def split(self, vector: Tensor) -> list[Tensor]:
        """Views of the flat vector in the parameters' shapes."""
        if vector.shape[-1] != self.size:
            raise BadInput("vector", got=tuple(vector.shape), want=f"{self.size} entries in the last dimension")
        parts = torch.split_with_sizes(vector, self.counts, dim=-1)
        return [part.reshape((*vector.shape[:-1], *shape)) for part, shape in zip(parts, self.shapes, strict=True)]

    def flatten(self, tensors: Sequence[Tensor]) -> Tensor:
        """One vector from tensors in the parameters' order."""
        return torch.cat([tensor.reshape(-1) for tensor in tensors]) if tensors else torch.zeros(0)

    def slices(self) -> Mapping[str, slice]:
        """Where each name lies in the flat vector."""
        ends = list(accumulate(self.counts))
        return {name: slice(end - count, end) for name, count, end in zip(self.names, self.counts, ends, strict=True)}

    def name_at(self, index: int) -> str:
        """The parameter that holds this entry of the flat vector."""
        for name, where in self.slices().items():
            if where.start <= index < where.stop:
                return name
        raise BadInput("index", got=index, want=f"an entry below {self.size}")

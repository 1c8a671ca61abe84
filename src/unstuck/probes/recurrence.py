"""What a recurrence is: a weight that is applied at every time step, and the steps whose gradients are looked at."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from unstuck.probes.graph import Node
from unstuck.probes.plain import piece, plain, wide

POSITIONS = 16
_ENTRIES = 16_384  # of a gradient that its norm is estimated from

# From the gradients of a fused layer's results to that of its input.
Again = Callable[[tuple[Tensor | None, ...]], Tensor | None]


@dataclass
class Recurrence:
    """A weight that is applied at every time step: the operations at some of the steps, in the order of time."""

    weight: str
    steps: int
    at: list[int]
    nodes: list[Node]
    whole: bool = False  # one operation for the whole sequence: then ``nodes`` is that one
    again: Again | None = None  # of such an operation whose input gets no gradient: how it is computed apart


def positions(steps: int, most: int = POSITIONS) -> list[int]:
    """At most ``most`` time steps, evenly spread, the first and the last among them.

    >>> positions(3), positions(100, 5), positions(5, 1)
    ([0, 1, 2], [0, 25, 50, 74, 99], [0])
    """
    if steps <= most:
        return list(range(steps))
    if most < 2:
        return [0][:most]
    return [round(i * (steps - 1) / (most - 1)) for i in range(most)]


def norm_of(gradient: Tensor) -> Tensor:
    """The norm, in double precision (squares of tiny numbers vanish in single), estimated from some of the entries."""
    whole = plain(gradient)
    part = piece(whole, _ENTRIES)
    scale = math.sqrt(whole.numel() / part.numel()) if part.numel() else 1.0
    norm: Tensor = torch.linalg.vector_norm(wide(part)) * scale
    return norm

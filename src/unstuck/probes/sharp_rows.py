"""Rows of softmax weights that have all their weight on one entry, told from rows that have no choice."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from unstuck.probes.graph import VIEWS, Graph, Node

SHARP = 0.999  # softmax's slope is p·(1 − p): less than a thousandth of the gradient passes such a row
FEWEST_ENTRIES = 3  # the first two rows under a causal mask have no choice, or a single one
_SCALED = frozenset({"Mul", "Div", "NativeDropout", "FusedDropout"}) | VIEWS


@dataclass(frozen=True)
class RowCounts:
    """Scalars on the weights' device: rows with a choice, and those among them with all their weight on one entry."""

    rows: Tensor
    sharp: Tensor


def row_counts(weights: Tensor, allowed: Tensor | None = None) -> RowCounts:
    """Count the rows of softmax weights, a row along the last dimension, the examples along the first.

    A row counts when it may spread over three entries or more. ``allowed`` says which entries a mask leaves, in the same
    shape; without it an entry that is exactly zero in every example is taken to be masked: one that is zero by
    rounding alone is not so in all of them. A row of NaN (masked altogether) does not count. Cost: four passes.

    >>> counts = row_counts(torch.tensor([[1.0, 0.0, 0.0], [0.2, 0.3, 0.5]]))
    >>> counts.rows.item(), counts.sharp.item()
    (2, 1)
    """
    if allowed is None:
        entries = (weights > 0).any(0, keepdim=True).sum(-1)
    else:
        entries = allowed.sum(-1)
    top = weights.amax(-1)
    counted = (entries >= FEWEST_ENTRIES) & (top >= 0)
    return RowCounts(torch.count_nonzero(counted), torch.count_nonzero(counted & (top > SHARP)))


def allowed_entries(graph: Graph, node: Node, *, limit: int = 8) -> Tensor | None:
    """Which entries the mask before a softmax leaves, in the softmax's shape; None when no mask is known.

    Read from ``masked_fill`` and from ``where``; a mask that is added to the scores is not kept by the graph.
    """
    shape = node.shape()
    at = node
    for _ in range(limit):
        following = [child for child, _ in at.edges if child is not None and child.data]
        if shape is None or len(following) != 1 or following[0].shape() != shape:
            return None
        at = following[0]
        if at.kind == "MaskedFill":
            mask = graph.saved(at, "mask")
            return (~mask).expand(shape) if mask is not None and mask.dtype == torch.bool else None
        if at.kind == "Where":
            condition = graph.saved(at, "condition")
            if condition is None or condition.dtype != torch.bool:
                return None
            first = at.edges[0][0]
            return (condition if first is not None and first.data else ~condition).expand(shape)
        if at.kind not in _SCALED:
            return None
    return None

"""What enters a log-softmax, wherever its values can still be had."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from unstuck.probes.graph import Graph, Node
from unstuck.probes.loss_kinds.match import PART
from unstuck.probes.plain import strides_for, thinned
from unstuck.probes.values import value_of


@dataclass(frozen=True)
class Scores:
    """What enters a log-softmax, every ``steps[d]``-th entry; ``centered``: known up to a constant in each row."""

    values: Tensor | None
    centered: bool
    steps: tuple[int, ...]


def scores_before(graph: Graph, log_softmax: Node, dim: int) -> Scores:
    """What enters a log-softmax: exactly when known, else from its result (less a constant in each row)."""
    child, nr = log_softmax.edges[0]
    shape = log_softmax.shape() or ()
    steps = strides_for(shape, PART, keep=(dim,) if dim < len(shape) else ())
    found = value_of(graph, child, nr)
    if found is not None and len(steps) == found.dim():
        return Scores(thinned(found, steps), False, steps)
    result = graph.saved(log_softmax, "result") if log_softmax.kind == "LogSoftmax" else None
    if result is None or len(steps) != result.dim():
        return Scores(None, False, steps)
    part = thinned(result, steps)
    if part.dtype in (torch.float16, torch.bfloat16):
        part = part.float()
    return Scores(part - part.mean(dim, keepdim=True), True, steps)

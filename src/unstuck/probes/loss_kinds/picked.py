"""Log-probabilities picked by the class of each example."""

from __future__ import annotations

import torch
from torch import Tensor

from unstuck.probes.graph import Graph, Node, normalized_dim
from unstuck.probes.loss_kinds.logarithms import below_log, dim_of_log, exponentials_over_their_sum, log_source
from unstuck.probes.loss_kinds.match import Match, numel, through_views
from unstuck.probes.loss_kinds.scores import scores_before
from unstuck.probes.plain import thinned
from unstuck.probes.values import value_of


def gather(graph: Graph, node: Node, offset: bool) -> Match | None:
    """Log-probabilities picked by class index: ``gather``, ``logp[arange, y]`` or ``logp[y]``."""
    if not node.edges or node.edges[0][0] is None:
        return None
    source = log_source(graph, node.edges[0][0])
    if source is None or source[1] == "log_sigmoid":
        return None
    at, how = source
    shape = node.edges[0][0].shape(node.edges[0][1])
    if shape is None:
        return None
    dim, target = picked(graph, node, shape)
    if node.kind == "Select" and dim != dim_of_log(graph, at):
        return None
    if dim is None:
        return None
    found = Match("gather", node, inner=node.edges[0], target=target, class_dim=dim, natural=-1, consumed=[node])
    if how == "log_softmax" and dim_of_log(graph, at) in (
        dim,
        len(at.shape() or ()) - 1 if dim == len(shape) - 1 else dim,
    ):
        found.own = at
        found.consumed.append(at)
        found.inner = at.edges[0]
        log_dim = dim_of_log(graph, at)
        scores = scores_before(graph, at, log_dim if log_dim is not None else dim)
        found.whole_output = shape
        if scores.values is not None and at.shape() == shape:
            found.output, found.centered = scores.values, scores.centered
            if target is not None and target.dim() == len(shape) - 1:
                found.compared = thinned(target, scores.steps[:dim] + scores.steps[dim + 1 :])
        elif scores.values is not None and scores.values.numel() == numel(shape):
            found.output, found.centered = scores.values.reshape(shape), scores.centered
    else:
        found.output = (
            graph.saved(node, "self") if node.kind == "Gather" else value_of(graph, node.edges[0][0], node.edges[0][1])
        )
        if found.output is None and how == "log":
            inside = graph.saved(at, "self")
            found.output = inside.log() if inside is not None and tuple(inside.shape) == shape else None
    return found


def picked(graph: Graph, node: Node, shape: tuple[int, ...]) -> tuple[int | None, Tensor | None]:
    """The dimension on which entries are picked by class, and the classes."""
    if node.kind == "Gather":
        dim = normalized_dim(graph.attribute(node, "dim") or 0, len(shape))
        index = graph.saved(node, "index")
        whole = index is not None and index.dim() == len(shape) and index.shape[dim] == 1
        return dim, index.squeeze(dim) if whole and index is not None else None
    if node.kind == "Index":
        return _indexed_classes(graph, node, shape)
    if node.kind == "Select" and len(shape) == 1:
        return 0, torch.tensor(normalized_dim(graph.attribute(node, "index") or 0, shape[0]), device="cpu")
    return None, None


def logarithm(graph: Graph, node: Node, offset: bool) -> Match | None:
    """``log(p[arange, y])``: the logarithm of picked probabilities."""
    pick = below_log(node)
    if pick is None or pick.kind not in ("Gather", "Index") or not pick.edges:
        return None
    source = through_views(pick.edges[0][0])
    for _ in range(4):  # clamped, or a small number added
        if source is not None and source.kind in ("Clamp", "ClampMin", "Add") and len(source.live()) == 1:
            source = through_views(source.live()[0][0])
    if source is None or (source.kind not in ("Softmax", "Sigmoid") and exponentials_over_their_sum(source) is None):
        return None
    child, nr = pick.edges[0]
    shape = child.shape(nr) if child is not None else None
    dim, target = picked(graph, pick, shape) if shape is not None else (None, None)
    if dim is None:
        return None
    output = value_of(graph, child, nr)
    output = value_of(graph, source) if output is None and source.shape() == shape else output
    return Match(
        "gather",
        node,
        inner=(node, 0),
        output=output,
        target=target,
        class_dim=dim,
        natural=-1,
        consumed=[node, pick],
    )


def _indexed_classes(graph: Graph, node: Node, shape: tuple[int, ...]) -> tuple[int | None, Tensor | None]:
    if graph.is_hooked(node):
        return len(shape) - 1, None
    try:
        indices = list(node.raw._saved_indices)
    except (AttributeError, RuntimeError):
        return None, None
    present = [(d, i.detach()) for d, i in enumerate(indices) if isinstance(i, Tensor)]
    if any(i.dtype == torch.bool for _, i in present) or len(present) < 1:
        return None, None
    dim, last = present[-1]
    if len(present) == 1 and len(shape) > 1:
        return None, None
    if len(present) == 2 and _counts_up(last) and not _counts_up(present[0][1]):
        dim, last = present[0]  # logp[y, arange]: the classes come first
    return (dim, last) if last.dtype in (torch.int64, torch.int32) else (None, None)


def _counts_up(index: Tensor) -> bool:
    """0, 1, 2, …: the number of the example, no class."""
    if index.dim() != 1 or index.numel() < 2 or index.dtype not in (torch.int64, torch.int32):
        return False
    return bool((index == torch.arange(index.numel(), device=index.device)).all())

"""The loss functions of torch itself: each is one node that saves its input and its target."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from unstuck.probes.graph import Graph, Node, normalized_dim
from unstuck.probes.loss_kinds.match import Edge, Match, before_expand, numel, reduction_of, through_views
from unstuck.probes.loss_kinds.scores import scores_before
from unstuck.probes.plain import thinned


def nll(graph: Graph, node: Node, offset: bool) -> Match | None:
    target = graph.saved(node, "target")
    scores = graph.saved(node, "self")
    child, nr = node.edges[0]
    shape = child.shape(nr) if child is not None else None
    if scores is not None:
        shape = tuple(scores.shape)
    if shape is None:
        return None
    class_dim = 0 if len(shape) == 1 else 1
    ignore = graph.attribute(node, "ignore_index")
    if isinstance(ignore, int) and ignore >= 1 << 63:
        ignore -= 1 << 64
    found = Match(
        "nll",
        node,
        inner=node.edges[0],
        output=scores,
        target=target,
        class_dim=class_dim,
        reduction=reduction_of(graph, node),
        ignore_index=ignore,
        consumed=[node],
        extra={"class_weights": True} if prefers_a_class(graph.saved(node, "weight")) else {},
    )
    own = through_views(node.edges[0][0])
    if own is not None and own.kind == "LogSoftmax":
        own_shape = own.shape()
        dim = normalized_dim(graph.attribute(own, "dim") or 0, len(own_shape)) if own_shape is not None else None
        if (
            own_shape is not None
            and dim is not None
            and own_shape[dim] == shape[class_dim]
            and _same_classes(dim, own_shape, class_dim, shape)
        ):
            found.own = own
            found.consumed.append(own)
            found.inner = own.edges[0]
            found.class_dim = class_dim
            before = scores_before(graph, own, dim)
            found.output, found.centered = before.values, before.centered
            found.whole_output = own_shape
            rest = own_shape[:dim] + own_shape[dim + 1 :]
            if dim != class_dim:
                found.extra["logits_dim"] = dim
            if target is not None and numel(rest) == target.numel():
                found.target = target.reshape(rest)
                found.compared = thinned(found.target, before.steps[:dim] + before.steps[dim + 1 :])
    return found


def _same_classes(dim: int, shape: tuple[int, ...], class_dim: int, loss_shape: tuple[int, ...]) -> bool:
    """Whether the log-softmax runs over the dimension that the loss takes as classes, views in between or not."""
    if len(shape) == len(loss_shape) and shape == loss_shape:
        return dim == class_dim
    if len(shape) > len(loss_shape) or dim == len(shape) - 1:
        return dim == len(shape) - 1 or dim == class_dim  # (B, T, V) flattened to (B·T, V), (N, C, d) to (N, C, 1, d)
    return dim == class_dim


def pair(kind: str, *, symmetric: bool) -> Callable[[Graph, Node, bool], Match]:
    """A loss of torch's that saves its input as ``self`` and its target as ``target``."""

    def find(graph: Graph, node: Node, offset: bool) -> Match:
        output, target = graph.saved(node, "self"), graph.saved(node, "target")
        inner: Edge = node.edges[0]
        other: Edge = node.edges[1] if len(node.edges) > 1 else (None, 0)
        extra: dict[str, Any] = {}
        if kind in ("bce", "bce_logits") and prefers_a_class(
            graph.saved(node, "weight"), graph.saved(node, "pos_weight")
        ):
            extra["class_weights"] = True
        if symmetric and other[0] is not None and (inner[0] is None or (other[0].data and not inner[0].data)):
            output, target, inner, other = target, output, other, inner
            extra["swapped"] = True
        if other[0] is not None and other[0].data:
            extra["target_live"] = True
        joint = (
            tuple(output.shape) if output is not None else (inner[0].shape(inner[1]) if inner[0] is not None else None)
        )
        found = Match(
            kind,
            node,
            inner=inner,
            output=output,
            target=target,
            reduction=reduction_of(graph, node),
            consumed=[node],
            joint=joint,
            extra=extra,
        )
        found.output_shape = before_expand(inner, joint)
        found.target_shape = _unexpanded(target)
        return found

    return find


def prefers_a_class(weight: Tensor | None, positive: Tensor | None = None) -> bool:
    """Weights that differ, or a weight of the positive answers other than 1: some answers count more than others.

    >>> prefers_a_class(torch.tensor([1.0, 5.0])), prefers_a_class(None, torch.tensor([3.0])), prefers_a_class(None)
    (True, True, False)
    """
    if positive is not None and bool((positive != 1).any()):
        return True
    if weight is None or weight.numel() < 2:
        return False
    low, high = torch.aminmax(weight)
    return bool(low < high)


def _unexpanded(tensor: Tensor | None) -> tuple[int, ...] | None:
    """The shape a tensor had before it was expanded, told by its strides of zero."""
    if tensor is None:
        return None
    own = [
        1 if stride == 0 and extent > 1 else extent
        for extent, stride in zip(tensor.shape, tensor.stride(), strict=True)
    ]
    expanded = [stride == 0 and extent > 1 for extent, stride in zip(tensor.shape, tensor.stride(), strict=True)]
    first = 0
    while first < len(own) and expanded[first]:
        first += 1
    return tuple(own[first:])


def multi_margin(graph: Graph, node: Node, offset: bool) -> Match:
    output = graph.saved(node, "self")
    return Match(
        "hinge",
        node,
        inner=node.edges[0],
        output=output,
        target=graph.saved(node, "target"),
        class_dim=None if output is None else output.dim() - 1,
        reduction=reduction_of(graph, node),
        consumed=[node],
    )


def kl(graph: Graph, node: Node, offset: bool) -> Match:
    found = pair("kl", symmetric=False)(graph, node, offset)
    found.rowwise = True
    return found

"""Logarithms of probabilities, in the ways they are written."""

from __future__ import annotations

from unstuck.probes.graph import VIEWS, Graph, Node, normalized_dim
from unstuck.probes.loss_kinds.match import through_views


def log_source(graph: Graph, node: Node | None) -> tuple[Node, str] | None:
    """The logarithm that a node is, views aside: its node and ``log``, ``log_softmax`` or ``log_sigmoid``."""
    at = through_views(node)
    if at is None:
        return None
    if at.kind == "LogSoftmax":
        return at, "log_softmax"
    if at.kind in ("Log", "Log1P", "Log2", "Log10"):
        return at, "log"
    if at.kind == "LogSigmoid":
        return at, "log_sigmoid"
    if at.kind in ("Clamp", "ClampMin", "ClampMax"):
        return log_source(graph, at.edges[0][0])
    if at.kind == "Sub" and len(at.edges) == 2 and at.edges[1][0] is not None:
        inner = through_views(at.edges[1][0])
        if inner is not None and inner.kind == "Logsumexp" and inner.edges[0][0] is at.edges[0][0]:
            return at, "log_softmax"
    return None


def dim_of_log(graph: Graph, node: Node) -> int | None:
    shape = node.shape()
    if shape is None:
        return None
    if node.kind == "LogSoftmax":
        return normalized_dim(graph.attribute(node, "dim") or 0, len(shape))
    if node.kind == "Sub":
        inner = through_views(node.edges[1][0])
        dims = graph.attribute(inner, "dim") if inner is not None else None
        return normalized_dim(dims[0], len(shape)) if dims else None
    if node.kind == "Log":
        below = below_log(node)
        if below is not None and below.kind == "Softmax":
            return normalized_dim(graph.attribute(below, "dim") or 0, len(shape))
    return len(shape) - 1 if len(shape) >= 2 else None


def below_log(node: Node) -> Node | None:
    """What a logarithm is taken of: views, clamps and added constants aside."""
    at = node.edges[0][0] if node.edges else None
    for _ in range(16):
        if at is None:
            return None
        live = at.live()
        if (
            at.kind in VIEWS
            or at.kind in ("Clamp", "ClampMin", "ClampMax")
            or (at.kind in ("Add", "Sub", "Mul", "Div") and len(live) == 1)
        ):
            at = live[0][0] if live else None
            continue
        return at
    return at


def exponentials_over_their_sum(node: Node) -> Node | None:
    """The sum in ``e / e.sum(dim)`` with ``e = x.exp()``, a softmax written out; None for any other division."""
    if node.kind != "Div" or len(node.edges) != 2:
        return None
    first, inner = node.edges[0][0], through_views(node.edges[1][0])
    if first is None or inner is None or first.kind != "Exp" or inner.kind != "Sum" or not inner.edges:
        return None
    summed = inner.edges[0][0]
    if summed is not first and (summed is None or summed.kind != "Exp" or summed.edges != first.edges):
        return None
    return inner

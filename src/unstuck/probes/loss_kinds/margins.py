"""Margins written by hand: what is cut off at zero, and its smooth form."""

from __future__ import annotations

from unstuck.probes.graph import Graph, Node
from unstuck.probes.loss_kinds.match import Match, through_views
from unstuck.probes.loss_kinds.summed import additive_parts
from unstuck.probes.values import value_of


def ramp(graph: Graph, node: Node, offset: bool) -> Match | None:
    """``max(0, margin − y·output)`` and other differences cut off at zero."""
    if node.kind in ("Clamp", "ClampMin") and graph.attribute(node, "min") not in (0, 0.0):
        return None
    below = through_views(node.edges[0][0] if node.edges else None)
    if below is None or below.kind not in ("Add", "Sub", "Rsub"):
        return None
    found = additive_parts(graph, below)
    if found is None:
        return None
    parts, constant = found
    if not constant and sum(1 for _, at, _ in parts if at.data) < 2:
        return None
    if any(not at.data for _, at, _ in parts):  # a bias: this is a layer's own activation
        return None
    match = Match("hinge", node, inner=(below, 0), consumed=[node, below])
    if len(parts) == 1 and parts[0][1].kind == "Mul" and len(parts[0][1].live()) == 1:
        product = parts[0][1]
        match.inner = product.live()[0]
        match.target = graph.saved(product, "other" if product.edges[0][0] is not None else "self")
        child, nr = match.inner
        match.output = value_of(graph, child, nr) if child is not None else None
        match.consumed.append(product)
    return match


def softplus(graph: Graph, node: Node, offset: bool) -> Match | None:
    """``log(1 + exp(−y·output))``."""
    at = through_views(node.edges[0][0] if node.edges else None)
    if at is not None and at.kind == "Neg":
        at = at.edges[0][0]
    if at is None or at.kind != "Mul" or len(at.live()) != 1:
        return None
    constant = graph.saved(at, "other" if at.edges[0][0] is not None else "self")
    if constant is not None and not bool((constant.abs() == 1).all()):
        return None
    inner = at.live()[0]
    target = constant
    return Match(
        "soft_margin", node, inner=inner, output=value_of(graph, inner[0], inner[1]), target=target, consumed=[node, at]
    )

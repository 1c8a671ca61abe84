"""Products with a constant: a square written as a product, and targets times log-probabilities."""

from __future__ import annotations

import torch
from torch import Tensor

from unstuck.probes.graph import Graph, Node
from unstuck.probes.loss_kinds.differences import _product_of_two
from unstuck.probes.loss_kinds.logarithms import below_log, dim_of_log, log_source
from unstuck.probes.loss_kinds.match import PART, Edge, Match, through_views
from unstuck.probes.loss_kinds.scores import scores_before
from unstuck.probes.plain import piece, plain, thinned
from unstuck.probes.values import value_of

_SUM_ONE = 1e-3  # rounding of a sum of probabilities


def product(graph: Graph, node: Node, offset: bool) -> Match | None:
    if len(node.edges) != 2:
        return None
    (first, first_nr), (second, second_nr) = node.edges
    if first is not None and second is not None:
        return _product_of_two(graph, node, first, second)
    live, nr = (first, first_nr) if first is not None else (second, second_nr)
    if live is None:
        return None
    constant = graph.saved(node, "other" if first is not None else "self")
    return _weighted_log(graph, node, (live, nr), constant, offset)


def _weighted_log(graph: Graph, node: Node, edge: Edge, constant: Tensor | None, offset: bool) -> Match | None:
    """``y · log p`` with a constant ``y``: cross entropy with class probabilities, or a Kullback–Leibler divergence."""
    difference = through_views(edge[0])
    if (
        difference is not None
        and difference.kind == "Sub"
        and len(difference.live()) == 1
        and difference.edges[0][0] is None
    ):
        # p · (log p − log q)
        source = log_source(graph, difference.edges[-1][0])
        if source is not None:
            found = _soft(graph, node, source, constant, difference.edges[-1], "kl")
            if found is not None:
                found.natural = 1
                found.consumed.append(difference)
            return found
        return _of_scores(graph, node, difference.edges[-1], constant, [node, difference])
    source = log_source(graph, edge[0])
    if source is None or (constant is not None and constant.numel() == 1 and node.numel() != 1):
        return None
    return _soft(graph, node, source, constant, edge, "kl" if offset else "cross_entropy_soft")


def divergence(graph: Graph, node: Node) -> Match | None:
    """``p · log p − p · x`` with constant probabilities ``p``, as ``kl_div`` writes it, of an ``x`` that is no logarithm."""
    if node.kind != "Sub" or len(node.edges) != 2 or node.edges[0][0] is not None:
        return None
    product = node.edges[1][0]
    if product is None or product.kind != "Mul" or len(product.edges) != 2 or len(product.live()) != 1:
        return None
    if graph.attribute(node, "alpha") not in (1, 1.0) or product.shape() != node.shape():
        return None
    first = product.edges[0][0] is not None
    edge = product.edges[0] if first else product.edges[1]
    return _of_scores(graph, node, edge, graph.saved(product, "other" if first else "self"), [node, product])


def _of_scores(graph: Graph, node: Node, edge: Edge, constant: Tensor | None, consumed: list[Node]) -> Match | None:
    """A divergence from constant probabilities, of something that the graph does not show to be a logarithm."""
    shape = node.shape()
    if edge[0] is None or constant is None or shape is None or tuple(constant.shape) != shape:
        return None
    if edge[0].shape(edge[1]) != shape or log_source(graph, edge[0]) is not None:
        return None
    dim = _distribution_dim(constant)
    if dim is None:
        return None
    return Match(
        "kl",
        node,
        inner=edge,
        output=_scaled_value(graph, edge),
        target=constant,
        class_dim=dim,
        natural=1,
        rowwise=True,
        consumed=consumed,
    )


def _distribution_dim(constant: Tensor) -> int | None:
    """The dimension over which a constant holds probabilities: nowhere negative, and most of its rows sum to 1."""
    if not constant.is_floating_point() or constant.dim() < 2 or constant.numel() == 0 or constant.numel() > PART:
        return None
    part = plain(constant).float()
    if float(part.min()) < 0:
        return None
    for dim in dict.fromkeys((constant.dim() - 1, 1)):
        if part.shape[dim] >= 2 and float(((part.sum(dim) - 1).abs() <= _SUM_ONE).float().mean()) > 0.5:
            return dim
    return None


def _scaled_value(graph: Graph, edge: Edge, *, depth: int = 4) -> Tensor | None:
    """What an operation put out; also where it only divides or multiplies by a number (a temperature)."""
    node, nr = edge
    found = value_of(graph, node, nr)
    if found is not None or node is None or node.kind not in ("Mul", "Div") or depth <= 0:
        return found
    live = node.live()
    if len(live) != 1 or node.edges[0][0] is None:
        return None
    factor = graph.saved(node, "other")
    if factor is None or factor.numel() != 1:
        return None
    inner = _scaled_value(graph, live[0], depth=depth - 1)
    if inner is None:
        return None
    return inner / float(factor) if node.kind == "Div" else inner * float(factor)


def _soft(
    graph: Graph, node: Node, source: tuple[Node, str], constant: Tensor | None, edge: Edge, kind: str
) -> Match | None:
    at, how = source
    if how == "log_sigmoid":
        return None
    dim = dim_of_log(graph, at)
    shape = node.shape()
    if constant is not None and (shape is None or constant.dim() == 0):
        return None
    natural = -1
    if constant is not None:
        constant, flipped = nonnegative(constant)
        if constant is None:
            return None  # weights with signs are no probabilities: policy gradients and the like
        natural = 1 if flipped else -1
    if dim is None or shape is None or len(shape) != len(at.shape() or ()) or shape[dim] < 2:
        if how == "log_softmax":
            return None
        dim = None
    found = Match(
        kind,
        node,
        inner=edge,
        target=constant,
        class_dim=dim,
        natural=natural,
        rowwise=dim is not None,
        consumed=[node],
    )
    if how == "log_softmax":
        assert dim is not None
        found.own = at
        found.consumed.append(at)
        found.inner = at.edges[0]
        scores = scores_before(graph, at, dim)
        found.output, found.centered = scores.values, scores.centered
        found.whole_output = at.shape()
        if constant is not None and shape is not None:
            try:
                found.target = constant.expand(shape)
                found.compared = thinned(found.target, scores.steps)
            except RuntimeError:
                found.target = None
        return found
    else:
        found.output = graph.saved(at, "self")
        below = below_log(at)
        if below is None or below.kind != "Softmax":
            found.extra["log_of"] = below.kind.lower() if below is not None else None
    if constant is not None and found.output is not None and constant.shape != found.output.shape:
        try:
            found.target = constant.expand(found.output.shape)
        except RuntimeError:
            found.target = None
    return found


def nonnegative(constant: Tensor) -> tuple[Tensor | None, bool]:
    """Targets that enter negated are turned round; None for those of both signs."""
    if constant.is_complex() or constant.numel() == 0:
        return None, False
    low, high = (float(x) for x in torch.aminmax(piece(plain(constant), PART)))
    if low >= 0:
        return constant, False
    return (-constant, True) if high <= 0 else (None, False)

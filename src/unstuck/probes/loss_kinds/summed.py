"""Losses written as a sum: binary cross-entropies, log-sum-exp less a score, the divergence of a Gaussian."""

from __future__ import annotations

from unstuck.probes.graph import Graph, Node
from unstuck.probes.loss_kinds.logarithms import below_log, log_source
from unstuck.probes.loss_kinds.match import Match, through_views
from unstuck.probes.loss_kinds.picked import picked
from unstuck.probes.loss_kinds.weighted import divergence, nonnegative
from unstuck.probes.values import value_of


def additive_parts(graph: Graph, node: Node, *, limit: int = 8) -> tuple[list[tuple[float, Node, int]], bool] | None:
    """The live summands of a sum of equally large tensors, with signs; and whether a constant is added."""
    size = node.numel()
    parts: list[tuple[float, Node, int]] = []
    constant = False
    stack: list[tuple[float, Node, int]] = [(1.0, node, 0)]
    while stack:
        sign, at, nr = stack.pop()
        if len(parts) + len(stack) > limit:
            return None
        if at.kind in ("Add", "Sub", "Rsub") and at.numel() == size and at.leaf is None:
            alpha = graph.attribute(at, "alpha")
            scale = float(alpha) if isinstance(alpha, int | float) else 1.0
            signs = {"Add": (1.0, scale), "Sub": (1.0, -scale), "Rsub": (-scale, 1.0)}[at.kind]
            if len(at.edges) == 1:
                constant = True
            for (child, child_nr), factor in zip(at.edges, signs, strict=False):
                if child is None:
                    constant = True
                else:
                    stack.append((sign * factor, child, child_nr))
        elif at.kind == "Neg":
            child, child_nr = at.edges[0]
            if child is not None:
                stack.append((-sign, child, child_nr))
        else:
            parts.append((sign, at, nr))
    return parts, constant


def summands(graph: Graph, node: Node, offset: bool) -> Match | None:
    found = additive_parts(graph, node)
    if found is None:
        return None
    parts, _constant = found
    return (
        _binary(graph, node, parts)
        or _binary_logits(graph, node, parts)
        or _picked_scores(graph, parts)
        or _gaussian_kl(node, parts)
        or divergence(graph, node)
    )


def _binary(graph: Graph, node: Node, parts: list[tuple[float, Node, int]]) -> Match | None:
    """``y·log p + (1 − y)·log(1 − p)``, the logarithms written out or as log-sigmoids."""
    if len(parts) != 2:
        return None
    sides = []
    signs = []
    for sign, at, _ in parts:
        if at.kind != "Mul" or len(at.edges) != 2 or len(at.live()) != 1:
            return None
        constant = graph.saved(at, "other" if at.edges[0][0] is not None else "self")
        source = log_source(graph, at.live()[0][0])
        if source is None:
            return None
        flipped = False
        if constant is not None:
            constant, flipped = nonnegative(constant)
            if constant is None:
                return None
        sides.append((at, constant, source))
        signs.append(-sign if flipped else sign)
    if signs[0] * signs[1] <= 0:
        return None
    natural = -1 if signs[0] > 0 else 1
    kinds = {source[1] for _, _, source in sides}
    if kinds == {"log_sigmoid"}:
        direct = [
            i
            for i, (_, _, source) in enumerate(sides)
            if source[0].edges[0][0] is not None and source[0].edges[0][0].kind != "Neg"
        ]
        if len(direct) != 1:
            return None
        at, constant, source = sides[direct[0]]
        log = source[0]
        return Match(
            "bce_logits",
            node,
            inner=log.edges[0],
            output=graph.saved(log, "self"),
            target=constant,
            natural=natural,
            consumed=[node, *(s[0] for s in sides), *(s[2][0] for s in sides)],
        )
    if kinds != {"log"}:
        return None
    below = [below_log(source[0]) for _, _, source in sides]
    complement = [i for i, b in enumerate(below) if b is not None and b.kind == "Rsub"]
    if len(complement) != 1:
        # (1 − y)·log(1 − p) may also be written with a subtraction from a tensor of ones
        complement = [
            i
            for i, b in enumerate(below)
            if b is not None and b.kind == "Sub" and len(b.edges) == 2 and b.edges[0][0] is None
        ]
        if len(complement) != 1:
            return None
    direct_at = 1 - complement[0]
    at, constant, source = sides[direct_at]
    log = source[0]
    value = graph.saved(log, "self")
    if constant is None:
        other = sides[complement[0]][1]
        constant = 1 - other if other is not None and other.is_floating_point() else None
    elif value is not None and constant.shape != value.shape:
        constant = None
    return Match(
        "bce",
        node,
        inner=log.edges[0],
        output=value,
        target=constant,
        natural=natural,
        consumed=[
            node,
            *(s[0] for s in sides),
            *(s[2][0] for s in sides),
            *(b for b in below if b is not None and b.kind in ("Rsub", "Sub")),
        ],
    )


def _binary_logits(graph: Graph, node: Node, parts: list[tuple[float, Node, int]]) -> Match | None:
    """``max(x, 0) − x·y + log(1 + exp(−|x|))`` and ``softplus(x) − x·y``."""
    if not 2 <= len(parts) <= 3:
        return None
    products = [(s, at) for s, at, _ in parts if at.kind == "Mul" and len(at.live()) == 1]
    ramps = [(s, at) for s, at, _ in parts if at.kind in ("Relu", "Clamp", "ClampMin", "Softplus", "Maximum")]
    if len(products) != 1 or len(ramps) != 1 or products[0][0] * ramps[0][0] >= 0:
        return None
    product, ramp = products[0][1], ramps[0][1]
    live, nr = product.live()[0]
    if live is not ramp.edges[0][0]:
        return None
    constant = graph.saved(product, "other" if product.edges[0][0] is not None else "self")
    output = graph.saved(ramp, "self") if ramp.kind != "Relu" else value_of(graph, live, nr)
    natural = 1 if ramps[0][0] > 0 else -1
    return Match(
        "bce_logits",
        node,
        inner=(live, nr),
        output=output,
        target=constant,
        natural=natural,
        consumed=[node, product, ramp],
    )


def _picked_scores(graph: Graph, parts: list[tuple[float, Node, int]]) -> Match | None:
    """``logsumexp(x) − x[y]``: cross entropy without its name."""
    if len(parts) != 2:
        return None
    whole = [(sign, through_views(at)) for sign, at, _ in parts]
    sums = [(s, at) for s, at in whole if at is not None and at.kind == "Logsumexp"]
    picks = [(s, at) for s, at in whole if at is not None and at.kind in ("Gather", "Index")]
    if len(sums) != 1 or len(picks) != 1 or sums[0][0] * picks[0][0] >= 0:
        return None
    (sign, total), (_, pick) = sums[0], picks[0]
    source, nr = total.edges[0]
    if source is None or source is not pick.edges[0][0]:
        return None
    shape = source.shape(nr)
    dim, target = picked(graph, pick, shape) if shape is not None else (None, None)
    if shape is None or dim is None:
        return None
    output = graph.saved(total, "self")
    return Match(
        "gather",
        pick,
        inner=(source, nr),
        output=output,
        target=target,
        class_dim=dim,
        own=total,
        natural=1 if sign > 0 else -1,
        whole_output=shape,
        consumed=[total, pick],
    )


def _gaussian_kl(node: Node, parts: list[tuple[float, Node, int]]) -> Match | None:
    """``1 + log σ² − μ² − σ²``: the divergence of a Gaussian from the standard one."""
    nodes = [at for _, at, _ in parts]
    exps = [(s, at) for s, at, _ in parts if at.kind == "Exp"]
    if len(parts) != 3 or len(exps) != 1 or not any(at.kind in ("Pow", "Mul") for at in nodes):
        return None
    sign, exp = exps[0]
    if not any(at is exp.edges[0][0] for at in nodes):
        return None
    return Match("kl", node, natural=1 if sign > 0 else -1, rowwise=False, consumed=[node, exp], extra={"latent": True})

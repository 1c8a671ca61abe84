"""Recognizing loss functions in the autograd graph: torch's own, and those written by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from unstuck.probes.graph import VIEWS, Graph, Node, normalized_dim
from unstuck.probes.plain import piece, plain, strides_for, thinned
from unstuck.probes.values import value_of

_PART = 1 << 18  # entries of an output that are looked at
Edge = tuple["Node | None", int]


@dataclass
class Match:
    """A loss function found at a node: what enters it and how it reduces."""

    kind: str
    node: Node | None
    inner: Edge | None = None  # what enters it, seen from the model: the head starts here
    output: Tensor | None = None
    target: Tensor | None = None
    class_dim: int | None = None
    own: Node | None = None  # the log-softmax that belongs to the loss
    reduction: int | None = None  # torch's number: 0 none, 1 mean, 2 sum
    natural: int = 1  # the sign with which it stands in a loss that is minimized
    ignore_index: int | None = None
    centered: bool = False
    reconstructed: bool = False
    output_shape: tuple[int, ...] | None = None
    target_shape: tuple[int, ...] | None = None
    joint: tuple[int, ...] | None = None
    compared: Tensor | None = None  # the targets that belong to ``output``, where that is only a part of the whole
    whole_output: tuple[int, ...] | None = None  # shapes of the whole, where only parts are at hand
    whole_target: tuple[int, ...] | None = None
    rowwise: bool = False  # a sum over classes belongs to the loss and not to the batch
    consumed: list[Node] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)


def recognize(graph: Graph, node: Node, *, offset: bool = False) -> Match | None:
    """The loss function at this node, if it is one. ``offset``: a constant was added to it on the way here."""
    finder = _FINDERS.get(node.kind)
    return finder(graph, node, offset) if finder is not None else None


# --- torch's own -----------------------------------------------------------------------------------------------------


def _nll(graph: Graph, node: Node, offset: bool) -> Match | None:
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
        reduction=_reduction(graph, node),
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
            if target is not None and _numel(rest) == target.numel():
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
    steps = strides_for(shape, _PART, keep=(dim,) if dim < len(shape) else ())
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


def _pair(kind: str, *, symmetric: bool) -> Callable[[Graph, Node, bool], Match]:
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
            reduction=_reduction(graph, node),
            consumed=[node],
            joint=joint,
            extra=extra,
        )
        found.output_shape = _before_expand(inner, joint)
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


def _before_expand(edge: Edge, joint: tuple[int, ...] | None) -> tuple[int, ...] | None:
    node, nr = edge
    if node is None:
        return joint
    if node.kind == "Expand" and node.edges:
        child, child_nr = node.edges[0]
        return child.shape(child_nr) if child is not None else None
    return node.shape(nr)


def _reduction(graph: Graph, node: Node) -> int | None:
    found = graph.attribute(node, "reduction")
    return int(found) if isinstance(found, int) else None


def _multi_margin(graph: Graph, node: Node, offset: bool) -> Match:
    output = graph.saved(node, "self")
    return Match(
        "hinge",
        node,
        inner=node.edges[0],
        output=output,
        target=graph.saved(node, "target"),
        class_dim=None if output is None else output.dim() - 1,
        reduction=_reduction(graph, node),
        consumed=[node],
    )


def _kl(graph: Graph, node: Node, offset: bool) -> Match:
    found = _pair("kl", symmetric=False)(graph, node, offset)
    found.rowwise = True
    return found


# --- differences written by hand -------------------------------------------------------------------------------------


def _power(graph: Graph, node: Node, offset: bool) -> Match | None:
    exponent = graph.attribute(node, "exponent")
    if not isinstance(exponent, int | float) or exponent != 2:
        return None
    return _difference(graph, node, node.edges[0], "mse", graph.saved(node, "self"))


def _absolute(graph: Graph, node: Node, offset: bool) -> Match | None:
    return _difference(graph, node, node.edges[0], "l1", graph.saved(node, "self"))


def _norm(graph: Graph, node: Node, offset: bool) -> Match | None:
    """``norm(output − target)``: the root of a sum of squares."""
    order = graph.attribute(node, "ord")
    order = graph.attribute(node, "p") if order is None else order
    if order not in (None, 2, 2.0):
        return None
    found = _difference(graph, node, node.edges[0], "mse", graph.saved(node, "self"))
    if found is None or found.extra.get("target_live"):
        return None  # a distance between two outputs
    found.extra["root"] = True
    return found


def _difference(graph: Graph, node: Node, edge: Edge, kind: str, values: Tensor | None) -> Match | None:
    """A function of ``output − target``: find both sides, and the target from the values of the difference."""
    sub = through_views(edge[0])
    scaled = None
    if sub is not None and sub.kind in ("Mul", "Div") and len(sub.live()) == 1 and sub.edges[0][0] is not None:
        # relative errors: (output - target) / scale
        scaled = sub
        constant = graph.saved(sub, "other")
        if values is not None and constant is not None:
            values = values * constant if sub.kind == "Div" else values / constant
        else:
            values = None
        sub = through_views(sub.edges[0][0])
    if sub is None or sub.kind not in ("Sub", "Rsub", "Add") or (sub.kind == "Add" and len(sub.edges) != 2):
        return None
    if sub.kind == "Add" and not any(child is not None and child.kind == "Neg" for child, _ in sub.edges):
        return None
    if graph.attribute(sub, "alpha") not in (None, 1, 1.0):
        return None
    sides = list(sub.edges)
    if sub.kind == "Rsub":  # rsub(self, other) is other − self
        sides = [sides[1] if len(sides) > 1 else (None, 0), sides[0]]
    elif len(sides) == 1:
        sides.append((None, 0))
    carrying = [i for i, (child, _) in enumerate(sides) if child is not None and child.data]
    if not carrying:
        carrying = [i for i, (child, _) in enumerate(sides) if child is not None]
    if not carrying:
        return None
    first = carrying[0]
    inner = sides[first]
    other = sides[1 - first]
    assert inner[0] is not None
    joint = sub.shape()
    found = Match(kind, node, inner=inner, consumed=[node, sub], joint=joint)
    if scaled is not None:
        found.consumed.append(scaled)
        found.extra["weighted"] = True
    found.output_shape = _before_expand(inner, joint)
    if len(carrying) > 1:
        found.extra["target_live"] = True
    output = value_of(graph, inner[0], inner[1])
    found.output = output
    if values is not None and joint is not None and values.numel() == _numel(joint):
        values = values.reshape(joint)
    else:
        values = None
    if other[0] is not None:
        found.target = value_of(graph, other[0], other[1])
        found.target_shape = _before_expand(other, joint)
        return found
    if values is None or joint is None:
        return found
    if output is not None:
        steps = strides_for(joint, _PART)
        wide_output = output.expand(joint) if output.dim() <= len(joint) else output
        mine, theirs = thinned(wide_output, steps), thinned(values, steps)
        found.target = _whole_when_close(mine - theirs if first == 0 else mine + theirs, theirs, mine)
        found.reconstructed = True
        found.target_shape = found.whole_target = joint
        if any(step > 1 for step in steps):
            found.output, found.whole_output = mine, tuple(output.shape)
    bigger = joint is not None and found.output_shape is not None and _numel(joint) > _numel(found.output_shape)
    if bigger and not _explicitly_unsqueezed(inner, joint):
        narrow = _outer_shape(values, found.output_shape or ())
        if narrow is not None:
            found.target_shape = found.whole_target = narrow
            if found.target is not None:
                found.target = _narrowed(found.target, narrow)
    return found


def _explicitly_unsqueezed(edge: Edge, joint: tuple[int, ...] | None) -> bool:
    """Somebody who writes ``x[:, :, None] - y[:, None, :]`` means all pairs."""
    return edge[0] is not None and edge[0].kind == "Unsqueeze" and joint is not None and len(joint) > 2


def _outer_shape(values: Tensor, output_shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """The target's shape, if the difference of an output of this shape is all pairs of it with a smaller target.

    With ``d[i, j] = o[i] − t[j]`` the differences ``d[i, j] − d[0, j]`` do not depend on ``j``.
    """
    joint = tuple(values.shape)
    padded = (1,) * (len(joint) - len(output_shape)) + tuple(output_shape)
    own = [d for d in range(len(joint)) if padded[d] == joint[d] and joint[d] > 1]
    spread = [d for d in range(len(joint)) if padded[d] != joint[d]]
    if not own or not spread:
        return None
    part = values[tuple(slice(0, 64) for _ in joint)]
    if not part.is_floating_point():
        return None
    rounding = torch.finfo(part.dtype).eps
    part = part.double() if part.device.type != "mps" else part.float()
    if not bool(torch.isfinite(part).all()):
        return None
    base = part
    for d in own:
        base = base.narrow(d, 0, 1)
    steps = part - base
    flat = steps
    for d in spread:
        flat = flat.narrow(d, 0, 1)
    tolerance = 16 * rounding * float(part.abs().max())
    if float((steps - flat).abs().max()) > tolerance:
        return None
    narrow = [1 if d in own else joint[d] for d in range(len(joint))]
    while len(narrow) > 1 and narrow[0] == 1:
        narrow.pop(0)
    return tuple(narrow)


def _narrowed(target: Tensor, shape: tuple[int, ...]) -> Tensor:
    padded = (1,) * (target.dim() - len(shape)) + shape
    for d, extent in enumerate(padded):
        if extent == 1 and target.shape[d] > 1:
            target = target.narrow(d, 0, 1)
    while target.dim() > len(shape):
        target = target.squeeze(0)
    return target


def _whole_when_close(target: Tensor, values: Tensor, output: Tensor) -> Tensor:
    """Undo the rounding of ``output − (output − target)`` where the targets are plainly whole numbers."""
    if not target.is_floating_point() or target.numel() == 0:
        return target
    whole = target.round()
    size = max(1.0, float(output.abs().max()), float(values.abs().max()))
    tolerance = 8 * torch.finfo(target.dtype).eps * size
    if tolerance < 0.01 and bool(((target - whole).abs() <= tolerance).all()):
        return whole
    return target


# --- likelihoods written by hand -------------------------------------------------------------------------------------


def _product(graph: Graph, node: Node, offset: bool) -> Match | None:
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


def _product_of_two(graph: Graph, node: Node, first: Node, second: Node) -> Match | None:
    same = first is second or (
        first.kind == second.kind in ("Sub", "Rsub") and first.edges == second.edges and _same_values(graph, node)
    )
    if same:
        found = _difference(graph, node, node.edges[0], "mse", graph.saved(node, "self"))
        if found is not None:
            found.consumed.append(second)
        return found
    return None


def _same_values(graph: Graph, node: Node) -> bool:
    left, right = graph.saved(node, "self"), graph.saved(node, "other")
    if left is None or right is None or left.shape != right.shape:
        return False
    return bool(torch.equal(piece(left, _PART), piece(right, _PART)))


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


def _dim_of_log(graph: Graph, node: Node) -> int | None:
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
        below = _below_log(node)
        if below is not None and below.kind == "Softmax":
            return normalized_dim(graph.attribute(below, "dim") or 0, len(shape))
    return len(shape) - 1 if len(shape) >= 2 else None


def _below_log(node: Node) -> Node | None:
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
    source = log_source(graph, edge[0])
    if source is None or (constant is not None and constant.numel() == 1 and node.numel() != 1):
        return None
    return _soft(graph, node, source, constant, edge, "kl" if offset else "cross_entropy_soft")


def _soft(
    graph: Graph, node: Node, source: tuple[Node, str], constant: Tensor | None, edge: Edge, kind: str
) -> Match | None:
    at, how = source
    if how == "log_sigmoid":
        return None
    dim = _dim_of_log(graph, at)
    shape = node.shape()
    if constant is not None and (shape is None or constant.dim() == 0):
        return None
    natural = -1
    if constant is not None:
        constant, flipped = _nonnegative(constant)
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
        below = _below_log(at)
        if below is None or below.kind != "Softmax":
            found.extra["log_of"] = below.kind.lower() if below is not None else None
    if constant is not None and found.output is not None and constant.shape != found.output.shape:
        try:
            found.target = constant.expand(found.output.shape)
        except RuntimeError:
            found.target = None
    return found


def _nonnegative(constant: Tensor) -> tuple[Tensor | None, bool]:
    """Targets that enter negated are turned round; None for those of both signs."""
    if constant.is_complex() or constant.numel() == 0:
        return None, False
    low, high = (float(x) for x in torch.aminmax(piece(plain(constant), _PART)))
    if low >= 0:
        return constant, False
    return (-constant, True) if high <= 0 else (None, False)


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


def _sum(graph: Graph, node: Node, offset: bool) -> Match | None:
    found = additive_parts(graph, node)
    if found is None:
        return None
    parts, _constant = found
    return (
        _binary(graph, node, parts)
        or _binary_logits(graph, node, parts)
        or _picked_scores(graph, parts)
        or _gaussian_kl(node, parts)
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
            constant, flipped = _nonnegative(constant)
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
    below = [_below_log(source[0]) for _, _, source in sides]
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
    dim, target = _picked(graph, pick, shape) if shape is not None else (None, None)
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


def _gather(graph: Graph, node: Node, offset: bool) -> Match | None:
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
    dim, target = _picked(graph, node, shape)
    if node.kind == "Select" and dim != _dim_of_log(graph, at):
        return None
    if dim is None:
        return None
    found = Match("gather", node, inner=node.edges[0], target=target, class_dim=dim, natural=-1, consumed=[node])
    if how == "log_softmax" and _dim_of_log(graph, at) in (
        dim,
        len(at.shape() or ()) - 1 if dim == len(shape) - 1 else dim,
    ):
        found.own = at
        found.consumed.append(at)
        found.inner = at.edges[0]
        log_dim = _dim_of_log(graph, at)
        scores = scores_before(graph, at, log_dim if log_dim is not None else dim)
        found.whole_output = shape
        if scores.values is not None and at.shape() == shape:
            found.output, found.centered = scores.values, scores.centered
            if target is not None and target.dim() == len(shape) - 1:
                found.compared = thinned(target, scores.steps[:dim] + scores.steps[dim + 1 :])
        elif scores.values is not None and scores.values.numel() == _numel(shape):
            found.output, found.centered = scores.values.reshape(shape), scores.centered
    else:
        found.output = (
            graph.saved(node, "self") if node.kind == "Gather" else value_of(graph, node.edges[0][0], node.edges[0][1])
        )
        if found.output is None and how == "log":
            inside = graph.saved(at, "self")
            found.output = inside.log() if inside is not None and tuple(inside.shape) == shape else None
    return found


def _picked(graph: Graph, node: Node, shape: tuple[int, ...]) -> tuple[int | None, Tensor | None]:
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


def _logarithm(graph: Graph, node: Node, offset: bool) -> Match | None:
    """``log(p[arange, y])``: the logarithm of picked probabilities."""
    pick = _below_log(node)
    if pick is None or pick.kind not in ("Gather", "Index") or not pick.edges:
        return None
    source = through_views(pick.edges[0][0])
    for _ in range(4):  # clamped, or a small number added
        if source is not None and source.kind in ("Clamp", "ClampMin", "Add") and len(source.live()) == 1:
            source = through_views(source.live()[0][0])
    if source is None or source.kind not in ("Softmax", "Sigmoid"):
        return None
    child, nr = pick.edges[0]
    shape = child.shape(nr) if child is not None else None
    dim, target = _picked(graph, pick, shape) if shape is not None else (None, None)
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
    return (dim, last) if last.dtype in (torch.int64, torch.int32) else (None, None)


# --- margins ---------------------------------------------------------------------------------------------------------


def _ramp(graph: Graph, node: Node, offset: bool) -> Match | None:
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


def _softplus(graph: Graph, node: Node, offset: bool) -> Match | None:
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


def through_views(node: Node | None) -> Node | None:
    """The first node inward that is no view."""
    for _ in range(32):
        if node is None or node.kind not in VIEWS or not node.edges:
            return node
        node = node.edges[0][0]
    return node


def _numel(shape: tuple[int, ...]) -> int:
    total = 1
    for extent in shape:
        total *= extent
    return total


_FINDERS: dict[str, Callable[[Graph, Node, bool], Match | None]] = {
    "NllLoss": _nll,
    "NllLoss2D": _nll,
    "MseLoss": _pair("mse", symmetric=True),
    "SmoothL1Loss": _pair("smooth_l1", symmetric=True),
    "HuberLoss": _pair("huber", symmetric=True),
    "BinaryCrossEntropy": _pair("bce", symmetric=False),
    "BinaryCrossEntropyWithLogits": _pair("bce_logits", symmetric=False),
    "SoftMarginLoss": _pair("soft_margin", symmetric=False),
    "MultiMarginLoss": _multi_margin,
    "MultilabelMarginLoss": _pair("hinge", symmetric=False),
    "KlDiv": _kl,
    "Log": _logarithm,
    "LinalgVectorNorm": _norm,
    "Norm": _norm,
    "Pow": _power,
    "Abs": _absolute,
    "Mul": _product,
    "Add": _sum,
    "Sub": _sum,
    "Rsub": _sum,
    "Gather": _gather,
    "Index": _gather,
    "Select": _gather,
    "ClampMin": _ramp,
    "Clamp": _ramp,
    "Relu": _ramp,
    "Softplus": _softplus,
}
LOSS_NODES = frozenset(
    kind for kind in _FINDERS if kind.endswith(("Loss", "Loss2D", "Div")) or kind.startswith("Binary")
)

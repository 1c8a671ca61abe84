"""The activations between a loss and the last parametric layer, from the loss inward."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from unstuck.probes.graph import MATRIX, VIEWS, Graph, Node, normalized_dim
from unstuck.probes.loss_kinds.logarithms import exponentials_over_their_sum

# Graph node: kind of activation.
ACTIVATIONS = {
    "Relu": "relu",
    "LeakyRelu": "leaky_relu",
    "PreluKernel": "prelu",
    "RreluWithNoise": "rrelu",
    "Gelu": "gelu",
    "Elu": "elu",
    "Celu": "celu",
    "Silu": "silu",
    "Mish": "mish",
    "Hardtanh": "hardtanh",
    "Hardsigmoid": "hardsigmoid",
    "Hardswish": "hardswish",
    "Sigmoid": "sigmoid",
    "LogSigmoid": "log_sigmoid",
    "Tanh": "tanh",
    "Softplus": "softplus",
    "Softmax": "softmax",
    "SparseSoftmax": "softmax",
    "LogSoftmax": "log_softmax",
    "Threshold": "threshold",
    "Glu": "glu",
    "Hardshrink": "hardshrink",
    "Softshrink": "softshrink",
}
# Functions that are part of a head, but not what people call an activation.
FUNCTIONS = {
    "Log": "log",
    "Exp": "exp",
    "Sqrt": "sqrt",
    "Log1P": "log1p",
    "Logit": "logit",
    "Sin": "sin",
    "Cos": "cos",
    "Abs": "abs",
    "Pow": "pow",
    "Erf": "erf",
}
_PASS = VIEWS | {
    "Clamp", "ClampMin", "ClampMax", "Neg", "MaskedFill", "Where", "MaskedSelect", "Index", "IndexSelect", "Gather",
    "Take", "NativeDropout", "FusedDropout", "Mean", "AvgPool2D", "MaxPool2DWithIndices", "AdaptiveAvgPool2D",
    "Sum",
    "Maximum", "Minimum", "NanToNum", "ConstantPadNd", "MulScalar", "DivScalar",
}  # fmt: skip
_ARITHMETIC = frozenset({"Add", "Sub", "Rsub", "Mul", "Div"})


@dataclass
class Head:
    """``entries`` as in docs/recording.md; ``layer`` is the parametric layer reached, ``stop`` the node met last."""

    entries: list[dict[str, Any]] = field(default_factory=list)
    layer: str | None = None
    stop: Node | None = None
    nodes: list[Node] = field(default_factory=list)  # the activations, in the order of the entries
    path: list[str] = field(default_factory=list)


def kind_of(graph: Graph, node: Node) -> str | None:
    """The activation that a node is, by the name people use; None when it is none."""
    kind = ACTIVATIONS.get(node.kind)
    if kind == "hardtanh" and _number(graph, node, "min_val") == 0 and _number(graph, node, "max_val") == 6:
        return "relu6"
    if kind == "elu":
        scale = _number(graph, node, "scale")
        return "selu" if scale is not None and abs(scale - 1.0507009873554805) < 1e-6 else "elu"
    if kind == "threshold" and _number(graph, node, "threshold") == 0:
        return "relu"
    if kind is not None:
        return kind
    # relu written by hand: x.clamp(min=0), and maximum(x, 0)
    if node.kind in ("Clamp", "ClampMin") and _number(graph, node, "min") == 0 and graph.attribute(node, "max") is None:
        return "relu"
    return None


def _number(graph: Graph, node: Node, key: str) -> float | None:
    found = graph.attribute(node, key)
    return float(found) if isinstance(found, int | float) else None


def head_of(graph: Graph, node: Node | None, output: int = 0, *, limit: int = 64) -> Head:
    """Walk from what enters a loss to the last parametric layer and list the activations met.

    Views, casts, clamps, masks, constants added or multiplied, dropout and indexing are passed; the walk ends at a
    layer with weights, at a leaf, or where two streams of data meet.
    """
    head = Head()
    at: Node | None = node
    while at is not None and limit > 0:
        limit -= 1
        head.stop = at
        if at.leaf is not None:
            head.layer = graph.names.get(id(at.leaf))
            break
        head.path.append(at.name)
        if at.parametric or at.custom:
            head.layer = graph.layer_name(at) if at.parametric else None
            break
        following = _logsoftmax_by_hand(graph, at, head) or _softmax_by_hand(graph, at, head)
        if following is not None:
            at = following
            continue
        kind = kind_of(graph, at) or FUNCTIONS.get(at.kind)
        if kind is not None:
            _append(graph, head, at, kind)
        elif at.kind not in _PASS and at.kind not in _ARITHMETIC:
            break
        at = _inward(at)
    return head


def _inward(node: Node) -> Node | None:
    """The one input that carries data; None when there are two (or none)."""
    live = [child for child, _ in node.edges if child is not None]
    carrying = [child for child in live if child.data]
    if len(carrying) == 1:
        return carrying[0]
    if not carrying and len(live) == 1:
        return live[0]
    if len(carrying) == 2 and carrying[0] is carrying[1]:
        return carrying[0]
    if len(carrying) == 2 and node.kind in ("Sub", "Div") and _is_reduction_of(carrying[1], carrying[0]):
        return carrying[0]  # x - x.max(), x / x.sum(): the stream itself, moved or scaled
    return None


_REDUCTIONS = frozenset({"Max", "Amax", "Min", "Amin", "Sum", "Mean", "LinalgVectorNorm", "Norm", "Std", "Logsumexp"})


def _is_reduction_of(node: Node, source: Node) -> bool:
    at: Node | None = node
    for _ in range(8):
        if at is None:
            return False
        if at.kind in _REDUCTIONS:
            return any(child is source for child, _ in at.edges)
        if at.kind not in VIEWS and at.kind not in ("Add", "ClampMin", "Clamp", "Maximum"):
            return False
        live = at.live()
        at = live[0][0] if len(live) == 1 else None
    return False


def _append(graph: Graph, head: Head, node: Node, kind: str, *, dim: Any = None) -> None:
    shape = node.shape()
    if dim is None and kind in ("softmax", "log_softmax"):
        dim = graph.attribute(node, "dim")
    place = normalized_dim(dim, len(shape)) if dim is not None and shape is not None else None
    head.entries.append(
        {
            "kind": kind,
            "dim": place,
            "size": shape[place] if place is not None and shape else None,
            "shape": list(shape) if shape is not None else None,
            "name": None,
        }
    )
    head.nodes.append(node)


def _single_dim(node: Node) -> Any:
    dims = getattr(node.raw, "_saved_dim", None)
    if isinstance(dims, tuple | list):
        return dims[0] if len(dims) == 1 else None
    return dims


def _logsoftmax_by_hand(graph: Graph, node: Node, head: Head) -> Node | None:
    """``x - x.logsumexp(dim)``, as torch.distributions writes it."""
    if node.kind != "Sub" or len(node.edges) != 2:
        return None
    first, second = node.edges[0][0], node.edges[1][0]
    if first is None or second is None:
        return None
    inner: Node | None = second
    while inner is not None and inner.kind in VIEWS:
        inner = inner.edges[0][0] if inner.edges else None
    if inner is None or inner.kind != "Logsumexp" or not inner.edges or inner.edges[0][0] is not first:
        return None
    dim = _single_dim(inner)
    _append(graph, head, node, "log_softmax", dim=dim)
    return first


def _softmax_by_hand(graph: Graph, node: Node, head: Head) -> Node | None:
    """``e / e.sum(dim)`` with ``e = x.exp()``."""
    total = exponentials_over_their_sum(node)
    if total is None:
        return None
    _append(graph, head, node, "softmax", dim=_single_dim(total))
    first = node.edges[0][0]
    return first.edges[0][0] if first is not None else None


def layer_feeding(graph: Graph, node: Node, *, limit: int = 200) -> tuple[Node | None, str | None]:
    """The nearest parametric layer whose output reaches a node, and its name: breadth first, along data."""
    seen = {node}
    queue = [child for child, _ in node.edges if child is not None and child.data]
    at = 0
    while at < len(queue) and at < limit:
        child = queue[at]
        at += 1
        if child in seen:
            continue
        seen.add(child)
        if child.parametric:
            return child, graph.layer_name(child)
        if child.kind in MATRIX or child.leaf is None:
            queue.extend(c for c, _ in child.edges if c is not None and c.data and c not in seen)
    return None, None

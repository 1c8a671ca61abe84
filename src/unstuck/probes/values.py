"""What an operation put out, when the graph still knows it: saved by it, by a view of it, or cheap to compute again."""

from __future__ import annotations

import torch
from torch import Tensor

from unstuck.probes.graph import Graph, Node, normalized_dim

# Multiplications that computing the last layer's output again may cost.
PRODUCTS = 8_000_000
# Operations that save their own result.
_RESULT = frozenset(
    {
        "Relu", "Sigmoid", "Tanh", "Softmax", "LogSoftmax", "Exp", "Expm1", "Sqrt", "Rsqrt", "Reciprocal", "Logsumexp",
        "LinalgVectorNorm", "Norm", "Prod",
    }
)  # fmt: skip
_SAME_ORDER = frozenset(
    {"View", "ReshapeAlias", "UnsafeView", "Squeeze", "Unsqueeze", "Flatten", "Reshape", "ViewAs", "Unflatten"}
)
_SAME = frozenset({"Alias", "Clone", "Contiguous", "Detach", "LiftFresh", "Lift"})


def value_of(
    graph: Graph, node: Node | None, output: int = 0, *, products: int = PRODUCTS, depth: int = 24
) -> Tensor | None:
    """The tensor that an operation put out, detached; None when the graph does not know it.

    Read from what it or a view of it saved; a matrix product of a saved input with the present weight is computed
    again if that takes at most ``products`` multiplications (equal up to rounding).
    """
    if node is None or depth <= 0 or output != 0:
        return None
    if node.leaf is not None:
        return node.leaf.detach()
    kind = node.kind
    if kind in _RESULT:
        found = graph.saved(node, "result")
        return _checked(found, node)
    if kind in ("LeakyRelu", "Elu", "Celu", "Hardtanh"):
        found = graph.saved(node, "result") if hasattr(node.raw, "_saved_result") else None
        if found is not None:
            return _checked(found, node)
    if kind in ("Addmm", "Mm"):
        return _checked(_product(graph, node, products), node)
    if kind == "Mv":
        left, right = _operand(graph, node, "self", node.edges[0]), _operand(graph, node, "vec", node.edges[1])
        small = left is not None and right is not None and left.numel() <= products and left.dtype == right.dtype
        return _checked(left @ right, node) if small and left is not None and right is not None else None
    if not node.edges or node.edges[0][0] is None:
        return None
    shape = node.shape()
    child, nr = node.edges[0]
    if kind in _SAME_ORDER:
        inner = value_of(graph, child, nr, products=products, depth=depth - 1)
        return (
            inner.reshape(shape) if inner is not None and shape is not None and inner.numel() == node.numel() else None
        )
    if kind in _SAME:
        return _checked(value_of(graph, child, nr, products=products, depth=depth - 1), node)
    if kind == "ToCopy":
        inner = value_of(graph, child, nr, products=products, depth=depth - 1)
        dtype = node.dtype()
        return inner.to(dtype) if inner is not None and dtype is not None else inner
    if kind in ("T", "Transpose", "Permute", "Select", "Slice", "Expand"):
        inner = value_of(graph, child, nr, products=products, depth=depth - 1)
        return _checked(_viewed(graph, node, inner), node) if inner is not None else None
    if kind in ("Add", "Sub") and len(node.edges) == 2 and graph.attribute(node, "alpha") in (1, 1.0):
        # a bias added by hand
        other, other_nr = node.edges[1]
        if other is None or node.numel() > products:
            return None
        first = value_of(graph, child, nr, products=products, depth=min(depth - 1, 4))
        second = (
            value_of(graph, other, other_nr, products=products, depth=min(depth - 1, 4)) if first is not None else None
        )
        if first is None or second is None or first.dtype != second.dtype:
            return None
        return _checked(first + second if kind == "Add" else first - second, node)
    if kind == "Div" and len(node.edges) == 2 and node.edges[1][0] is not None and node.numel() <= products:
        over, under = graph.saved(node, "self"), graph.saved(node, "other")  # kept where both need a gradient
        return _checked(over / under, node) if over is not None and under is not None else None
    return None


def _checked(found: Tensor | None, node: Node) -> Tensor | None:
    """Only a tensor of the shape that the graph says came out."""
    shape = node.shape()
    return found if found is not None and (shape is None or tuple(found.shape) == shape) else None


def _viewed(graph: Graph, node: Node, inner: Tensor) -> Tensor | None:
    kind = node.kind
    if kind == "T":
        return inner.t() if inner.dim() <= 2 else None
    if kind == "Transpose":
        first, second = graph.attribute(node, "dim0"), graph.attribute(node, "dim1")
        if first is None or second is None:
            return None
        return inner.transpose(normalized_dim(first, inner.dim()), normalized_dim(second, inner.dim()))
    if kind == "Permute":
        dims = graph.attribute(node, "dims")
        return inner.permute([normalized_dim(d, inner.dim()) for d in dims]) if dims is not None else None
    if kind == "Select":
        dim, index = graph.attribute(node, "dim"), graph.attribute(node, "index")
        if dim is None or index is None:
            return None
        dim = normalized_dim(dim, inner.dim())
        return inner.select(dim, normalized_dim(index, inner.shape[dim]))
    if kind == "Slice":
        parts = [graph.attribute(node, key) for key in ("dim", "start", "end", "step")]
        if any(part is None for part in parts):
            return None
        dim = normalized_dim(parts[0], inner.dim())
        extent = inner.shape[dim]
        start, end = (min(max(normalized_dim(p, extent), 0), extent) for p in parts[1:3])
        index = [slice(None)] * inner.dim()
        index[dim] = slice(start, end, int(parts[3]))
        return inner[tuple(index)]
    shape = node.shape()
    return inner.expand(shape) if kind == "Expand" and shape is not None else None


def _product(graph: Graph, node: Node, products: int) -> Tensor | None:
    """A matrix product computed again; only from operands that are certainly those of the forward pass."""
    edges = node.edges[-2:]
    shape = node.shape()
    if shape is None or len(shape) != 2:
        return None
    left = _operand(graph, node, "mat1" if node.kind == "Addmm" else "self", edges[0])
    if left is None or left.dim() != 2 or left.layout != torch.strided:
        return None
    slow = left.device.type == "cpu" and left.dtype not in (torch.float32, torch.float64)
    if left.shape[0] * left.shape[1] * shape[1] > (products // 64 if slow else products):
        return None
    right = _operand(graph, node, "mat2", edges[1])
    if right is None or right.dim() != 2 or right.dtype != left.dtype:
        return None
    if node.kind == "Mm":
        return left @ right
    if graph.attribute(node, "alpha") not in (1, 1.0) or graph.attribute(node, "beta") not in (1, 1.0):
        return None
    bias_node, bias_nr = node.edges[0]
    bias = value_of(graph, bias_node, bias_nr, depth=4) if bias_node is not None else None
    if bias is None or bias.dtype != left.dtype:
        return None
    return torch.addmm(bias, left, right)


def _operand(graph: Graph, node: Node, key: str, edge: tuple[Node | None, int]) -> Tensor | None:
    found = graph.saved(node, key)
    if found is None and edge[0] is not None and not graph.unreadable(node, key):
        found = value_of(graph, edge[0], edge[1], depth=4)
    return found

"""Layers that follow each other with nothing nonlinear in between: together they are one linear layer.

Read exactly from the graph: an operation counts as linear only when it is known to be affine in the data that flows
through it. Whatever is not known here (custom functions, fused kernels, anything new) counts as nonlinear.
"""

from __future__ import annotations

from torch import Tensor

from unstuck.probes.graph import CONVOLUTION, VIEWS, Graph, Node

# Linear in their single input, whatever the numbers are. CopySlices (a write into a part) is a view only by name.
_ALONE = (VIEWS - {"CopySlices", "Detach"}) | {
    "Mean", "Sum", "Neg", "Rsub", "Cumsum", "AvgPool2D", "AvgPool3D", "AdaptiveAvgPool2D", "AdaptiveAvgPool3D",
    "ConstantPadNd", "ReflectionPad1D", "ReflectionPad2D", "ReplicationPad1D", "ReplicationPad2D", "UpsampleNearest1D",
    "UpsampleNearest2D", "UpsampleLinear1D", "UpsampleBilinear2D", "UpsampleBicubic2D", "NativeDropout",
    "FusedDropout", "MulScalar", "DivScalar", "PixelShuffle", "PixelUnshuffle",
}  # fmt: skip
_SUMS = frozenset({"Add", "Sub", "Cat", "Stack"})
# Matrix products: the places of the two factors, and of what is added.
_PRODUCTS: dict[str, tuple[int, int, int | None]] = {
    "Addmm": (1, 2, 0), "Addmv": (1, 2, 0), "Baddbmm": (1, 2, 0), "Addbmm": (1, 2, 0), "Mm": (0, 1, None),
    "Mv": (0, 1, None), "Bmm": (0, 1, None), "Dot": (0, 1, None), "Linear": (0, 1, 2), "MkldnnLinear": (0, 1, 2),
    **dict.fromkeys(CONVOLUTION, (0, 1, 2)),
}  # fmt: skip
_READ = 4096  # elements of a mask that are looked at: a gate made of the data is not mistaken for dropout on so many

_Sources = frozenset[str]


def linear_sources(graph: Graph) -> dict[str, str]:
    """For each layer that only affine operations part from the layers before it: the nearest of these.

    Views, dropout, biases, constant factors, average pooling, sums of such streams and batch normalization in
    evaluation are affine. For a layer that the data itself enters so it is "". A layer that something nonlinear comes
    before, in any of its uses, has no entry. Cost: a microsecond an operation, and a look at the masks of dropouts.

    >>> import torch
    >>> from unstuck.probes.graph import walk
    >>> one, two = torch.nn.Linear(2, 4), torch.nn.Linear(4, 1)
    >>> names = {id(one.weight): "one.weight", id(two.weight): "two.weight"}
    >>> linear_sources(walk(two(one(torch.ones(3, 2))).mean(), names=names))
    {'one': '', 'two': 'one'}
    >>> linear_sources(walk(two(one(torch.ones(3, 2)).relu()).mean(), names=names))
    {'one': ''}
    """
    if graph.truncated:
        return {}
    order: dict[str, int] = {}
    reach: dict[Node, _Sources | None] = {}  # layers whose output arrives unbent; None: something nonlinear is before
    found: dict[str, str] = {}
    spoiled: set[str] = set()
    for place, node in enumerate(graph.nodes):  # in forward order: what enters has been seen
        if not node.data:
            continue
        sources = _through(graph, node, reach)
        reach[node] = sources
        name = graph.layer_name(node) if node.parametric in ("linear", "conv") else None
        if name is None:
            if node.parametric in ("linear", "conv"):
                reach[node] = None
            continue
        nearest = max(sources, key=lambda source: order[source], default="") if sources is not None else ""
        # A layer that is fed by itself is a recurrence; one that the data enters in one use only is no part of a chain.
        if sources is None or name in sources or bool(found.get(name, nearest)) != bool(nearest):
            spoiled.add(name)
        found.setdefault(name, nearest)
        order.setdefault(name, place)
        reach[node] = frozenset({name}) if _is_product(node) else None
    return {name: source for name, source in found.items() if name not in spoiled}


def _is_product(node: Node) -> bool:
    """Whether data meets a weight here, and nothing but data and that weight."""
    places = _PRODUCTS.get(node.kind)
    if places is None or len(node.edges) <= max(places[:2]):
        return False
    one, other = node.edges[places[0]][0], node.edges[places[1]][0]
    weights = [child for child in (one, other) if child is not None and not child.data]
    return len(weights) == 1


def _through(graph: Graph, node: Node, reach: dict[Node, _Sources | None]) -> _Sources | None:
    """The layers whose output enters this node unbent and leaves it (or its weight) as an affine function of them."""
    streams = [child for child, _ in node.edges if child is not None and child.data]
    together: _Sources = frozenset()
    for child in streams:
        # A leaf that is no parameter is data itself.
        entering = frozenset() if child.leaf is not None else reach.get(child)
        if entering is None:
            return None
        together |= entering
    if node.parametric == "batch_norm":
        # Normalizing the data itself is a matter of the data.
        straight = not streams or (len(streams) == 1 and graph.attribute(node, "training") is False)
    elif node.parametric:
        straight = _is_product(node)
    else:
        straight = _affine(graph, node, streams)
    return together if straight else None


def _affine(graph: Graph, node: Node, streams: list[Node]) -> bool:
    kind = node.kind
    if node.custom:
        return False
    if kind in _ALONE:
        return len(streams) == 1 and len(node.live()) == 1
    if kind in _SUMS:
        # What has no graph may be made of the data: a rounding added with detach() looks like a constant.
        return bool(streams) and all(child is not None for child, _ in node.edges)
    if kind not in ("Mul", "Div") or len(streams) != 1 or len(node.edges) != 2:
        return False
    first, second = node.edges[0][0], node.edges[1][0]
    if kind == "Div" and first is not streams[0]:
        return False
    if first is not None and second is not None:
        return True  # the other one depends on parameters alone
    factor = graph.saved(node, "other" if first is streams[0] else "self")
    return factor is not None and _constant(factor, node.shape(), mask=kind == "Mul")


def _constant(factor: Tensor, shape: tuple[int, ...] | None, *, mask: bool) -> bool:
    """Whether a factor without a graph cannot come from the data: one number, alike for all examples, or dropout.

    A mask of zeros and ones may be a ReLU written by hand; dropout makes up for what it takes away by a factor above
    one.
    """
    if factor.numel() == 1:
        return True
    if shape is None:
        return False
    for_all = factor.dim() < len(shape) or (factor.shape[0] == 1 and shape[0] > 1)
    if for_all:
        return True
    if not mask or not factor.is_floating_point():
        return False
    part = factor.reshape(-1)[:_READ]
    high = part.amax()
    return bool((high > 1) & ((part == 0) | (part == high)).all())

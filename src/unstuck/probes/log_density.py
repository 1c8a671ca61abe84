"""Whether a loss is a log-density of the targets, and whether it stands in the loss with minus (right) or with plus.

A Gaussian or Laplace density that a network gives shows as squared or absolute differences between outputs and constant
targets, divided by a scale, and the logarithm of that scale. Minus the logarithm of the density is minimized where
these differences enter the loss with positive factors; with negative ones every step pushes outputs away from targets.
A Poisson density shows as counts times the logarithm of a rate, less that rate.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from unstuck.probes.graph import VIEWS, Graph, Node
from unstuck.probes.loss_kinds import Match, recognize, through_views
from unstuck.probes.loss_kinds.differences import difference_of
from unstuck.probes.plain import plain, readable
from unstuck.probes.statistics import LIMIT
from unstuck.probes.term_statistics import explained

Edge = tuple[Node, int]
_STEPS = 400  # nodes looked at
_ENTRIES = 1 << 20  # of a factor, whose signs are compared
_EVEN = 1e-6  # relative difference up to which all entries of a factor are one number
_DIFFERENCES = {"mse": "gaussian", "l1": "laplace", "smooth_l1": "laplace", "huber": "laplace"}
_SQUARES = frozenset({"Pow", "Abs", "MseLoss", "SmoothL1Loss", "HuberLoss"})
# A part of a tensor: what lies before it belongs to other parts as well.
_PARTS = frozenset({"Select", "Slice", "Split", "SplitWithSizes", "UnsafeSplit", "Unbind", "Chunk", "Narrow", "Index"})


@dataclass(frozen=True)
class _Way:
    """The factors between the loss and a node."""

    sign: int = 1
    factor: float = 1.0
    scales: tuple[Edge, ...] = ()  # factors that have a gradient and are positive throughout
    enlarged: bool = False  # a single number was multiplied by more than one: a cost, a return


@dataclass
class _Parts:
    """What a loss is a sum of."""

    differences: list[tuple[_Way, Match]] = field(default_factory=list)
    counts: list[tuple[_Way, Edge, bool]] = field(default_factory=list)  # times a node; of which the logarithm is taken
    others: list[tuple[_Way, Edge]] = field(default_factory=list)


class _NoDensity(Exception):
    """The loss holds something that the logarithm of a density does not."""


def log_density(graph: Graph, *, limit: int = LIMIT) -> dict[str, Any] | None:
    """The loss as the logarithm of one density of constant targets; None when it is anything else, or more than that.

    ``kind`` (``gaussian``, ``laplace``, ``poisson``), ``sign`` (+1: minus the logarithm is minimized, as it should
    be; −1: the logarithm itself is), ``factor`` (the numbers that it is multiplied with, counts aside), ``r2``
    (explained variance of the targets in this batch, None when not known). Factors that differ between elements and
    masks give None: they may be the returns or costs of sampled actions. ``limit``: elements looked at for ``r2``.
    Cost: at most 400 nodes and a pass over each factor.

    >>> from unstuck.probes.graph import walk
    >>> out = torch.nn.Linear(3, 2)(torch.randn(8, 3))
    >>> density = torch.distributions.Normal(out[:, 0], out[:, 1].exp()).log_prob(torch.arange(8.0)).mean()
    >>> log_density(walk(density))["sign"], log_density(walk(-density))["sign"]
    (-1, 1)
    """
    if len(graph.roots) != 1 or graph.truncated:
        return None
    parts = _Parts()
    try:
        _take_apart(graph, graph.roots[0], parts)
    except _NoDensity:
        return None
    return _around_a_center(graph, parts, limit) or _of_counts(graph, parts)


def _take_apart(graph: Graph, root: Edge, parts: _Parts) -> None:
    stack: list[tuple[Edge, _Way]] = [(root, _Way())]
    for _ in range(_STEPS):
        if not stack:
            return
        edge, way = stack.pop()
        node = edge[0]
        if node.leaf is not None or node.custom or node.parametric:
            parts.others.append((way, edge))
            continue
        found = _difference(graph, node)
        if found is not None:
            match, scales = found
            parts.differences.append((replace(way, scales=way.scales + scales), match))
            continue
        stack.extend(_inward(graph, edge, way, parts))
    raise _NoDensity


def _inward(graph: Graph, edge: Edge, way: _Way, parts: _Parts) -> list[tuple[Edge, _Way]]:
    """What a node adds up or scales; nothing, when the node is a part of its own."""
    node = edge[0]
    kind = node.kind
    live = node.live()
    if kind == "Neg":
        return [(live[0], replace(way, sign=-way.sign))]
    if kind in ("Mean", "Sum") or (kind in VIEWS and kind not in _PARTS and live):
        return [(live[0], way)]
    if kind in ("Stack", "Cat"):
        return [(child, way) for child in live]
    if kind in ("Add", "Sub", "Rsub"):
        return _summands(graph, node, way)
    if kind in ("Mul", "Div") and live:
        inner = _factored(graph, node, way, parts)
        if inner is not None:
            return inner
    elif kind == "Xlogy" and len(live) == 1 and node.edges[0][0] is None:
        constant = graph.saved(node, "self")
        if constant is None or not _sign_of(constant, zero=True):
            raise _NoDensity
        parts.counts.append((way, live[0], True))
        return []
    parts.others.append((way, edge))
    return []


def _summands(graph: Graph, node: Node, way: _Way) -> list[tuple[Edge, _Way]]:
    alpha = graph.attribute(node, "alpha")
    scale = float(alpha) if isinstance(alpha, int | float) else 1.0
    signs = {"Add": (1.0, scale), "Sub": (1.0, -scale), "Rsub": (-scale, 1.0)}[node.kind]
    return [
        ((child, nr), _times(way, sign, single=node.numel() == 1))
        for (child, nr), sign in zip(node.edges, signs, strict=False)
        if child is not None
    ]


def _factored(graph: Graph, node: Node, way: _Way, parts: _Parts) -> list[tuple[Edge, _Way]] | None:
    """Inside a product: the side that holds the difference, the other one noted as a factor."""
    live = node.live()
    divides = node.kind == "Div"
    if len(live) == 1:
        if divides and node.edges[0][0] is None:
            return None  # one over something
        return _times_constant(graph, node, live[0], way, parts)
    holding = [i for i, child in enumerate(live[:1] if divides else live) if _leads_to_difference(child[0])]
    if len(holding) != 1:
        return None
    keep, scale = live[holding[0]], live[1 - holding[0]]
    values = graph.saved(node, "other" if holding[0] == 0 else "self")
    sign = _sign_of(values) if values is not None else 0
    if sign == 0:
        raise _NoDensity
    return [(keep, replace(way, sign=way.sign * sign, scales=(*way.scales, scale)))]


def _times_constant(graph: Graph, node: Node, keep: Edge, way: _Way, parts: _Parts) -> list[tuple[Edge, _Way]]:
    divides = node.kind == "Div"
    single = node.numel() == 1
    scalar = graph.attribute(node, "other")
    if isinstance(scalar, int | float):
        return [(keep, _times(way, float(scalar), divides=divides, single=single))]
    first = len(node.edges) < 2 or node.edges[0][0] is not None
    constant = graph.saved(node, "other" if first else "self")
    if constant is None or not _comparable(constant):
        raise _NoDensity
    low, high = (float(v) for v in torch.aminmax(plain(constant)))
    if constant.numel() == 1 or high - low <= _EVEN * max(abs(low), abs(high)):
        return [(keep, _times(way, high, divides=divides, single=single))]
    if divides or low < 0 or _leads_to_difference(keep[0]):
        raise _NoDensity
    parts.counts.append((way, keep, False))
    return []


def _times(way: _Way, number: float, *, divides: bool = False, single: bool = False) -> _Way:
    if number == 0 or not math.isfinite(number):
        raise _NoDensity
    size = abs(number)
    if divides and size > 1 and size.is_integer():
        size = 1.0  # an average, taken by hand
    factor = way.factor / size if divides else way.factor * size
    enlarged = way.enlarged or (single and not divides and size > 1)
    return replace(way, sign=way.sign if number > 0 else -way.sign, factor=factor, enlarged=enlarged)


def _sign_of(values: Tensor, *, zero: bool = False) -> int:
    """+1 or −1 when all entries have that sign, else 0. ``zero``: entries that are zero count as positive."""
    if not _comparable(values):
        return 0
    low, high = (float(v) for v in torch.aminmax(plain(values)))
    if low > 0 or (zero and low == 0):
        return 1
    return -1 if high < 0 else 0


def _comparable(values: Tensor) -> bool:
    return readable(values) and not values.is_complex() and 0 < values.numel() <= _ENTRIES


def _leads_to_difference(node: Node, *, limit: int = 24) -> bool:
    """Whether a squared or absolute value lies within, past scaling and adding up only."""
    queue = [node]
    for at in queue:
        if at.kind in _SQUARES or _multiplied_by_itself(at):
            return True
        if len(queue) > limit:
            break
        if at.kind in ("Mean", "Sum", "Neg", "Mul", "Div", "Add", "Sub", "Rsub") or at.kind in VIEWS:
            queue.extend(child for child, _ in at.live() if not child.parametric and child.leaf is None)
    return False


def _multiplied_by_itself(node: Node) -> bool:
    return node.kind == "Mul" and len(node.live()) == 2 and node.edges[0] == node.edges[1]


# --- differences between outputs and constant targets ----------------------------------------------------------------


def _difference(graph: Graph, node: Node) -> tuple[Match, tuple[Edge, ...]] | None:
    """A squared or absolute difference from constants, and the scale with a gradient that it was divided by first."""
    if node.kind not in _SQUARES and not _multiplied_by_itself(node):
        return None
    match: Match | None = recognize(graph, node)
    scales: tuple[Edge, ...] = ()
    if match is None:
        match, scales = _standardized(graph, node)
    if match is None or match.kind not in _DIFFERENCES or match.extra.get("target_live"):
        return None
    inner = match.inner[0] if match.inner is not None else None
    if inner is None or not inner.data:
        return None
    sides = (n for n in match.consumed if n.kind in ("Sub", "Rsub", "Add"))
    held = node if node.kind.endswith("Loss") else next(sides, None)
    # With two live sides the other one is learned as well.
    return (match, scales) if held is not None and len(held.live()) == 1 else None


def _standardized(graph: Graph, node: Node) -> tuple[Match | None, tuple[Edge, ...]]:
    """``((target − output) / scale)²``, the scale with a gradient of its own."""
    if node.kind == "Pow" and graph.attribute(node, "exponent") != 2:
        return None, ()
    ratio = through_views(node.edges[0][0])
    if ratio is None or ratio.kind not in ("Mul", "Div") or len(ratio.live()) != 2:
        return None, ()
    kind = "l1" if node.kind == "Abs" else "mse"
    for i, edge in enumerate(ratio.live()[:1] if ratio.kind == "Div" else ratio.live()):
        scale = ratio.live()[1 - i]
        values, by = graph.saved(node, "self"), graph.saved(ratio, "other" if i == 0 else "self")
        whole = None
        if values is not None and by is not None and values.shape == ratio.shape():
            whole = values * by if ratio.kind == "Div" else values / by
        match = difference_of(graph, node, edge, kind, whole)
        if match is not None:
            return match, (scale,)
    return None, ()


# --- putting together ------------------------------------------------------------------------------------------------


def _around_a_center(graph: Graph, parts: _Parts, limit: int) -> dict[str, Any] | None:
    """A Gaussian or Laplace density: differences of one sign, and nothing else but logarithms of their scales."""
    if not parts.differences or parts.counts:
        return None
    ways = [way for way, _ in parts.differences]
    if len({way.sign for way in ways}) > 1 or any(way.enlarged for way in ways):
        return None
    if max(way.factor for way in ways) - min(way.factor for way in ways) > _EVEN * ways[0].factor:
        return None
    made_of = [_below(scale) for way in ways for scale in way.scales]
    whole = {edge for below in made_of for edge in below}
    if any(edge[0].data and not _reaches(edge, whole) for _, edge in parts.others):
        return None
    if not all(any(_reaches(edge, below) for _, edge in parts.others) for below in made_of):
        return None  # a scale without its logarithm: a ratio, no density
    match = parts.differences[0][1]
    r2 = None
    if len(ways) == 1 and match.output is not None and match.target is not None:
        r2 = explained(match.output, match.target, limit=limit)
    return {"kind": _DIFFERENCES[match.kind], "sign": ways[0].sign, "factor": ways[0].factor, "r2": r2}


def _of_counts(graph: Graph, parts: _Parts) -> dict[str, Any] | None:
    """A Poisson density: counts times the logarithm of a rate, less that rate."""
    rates = [(way, edge) for way, edge in parts.others if edge[0].data]
    if len(parts.counts) != 1 or len(rates) != 1 or parts.differences:
        return None
    (way, counted, logged), (other, rate) = parts.counts[0], rates[0]
    if way.sign == other.sign or abs(way.factor - other.factor) > _EVEN * way.factor or way.enlarged:
        return None
    log, exponential = through_views(counted[0]), through_views(rate[0])
    if log is None or exponential is None:
        return None
    given_as_log = exponential.kind == "Exp" and _reaches(exponential.live()[0], _below(counted))
    if not (given_as_log or ((logged or log.kind == "Log") and _reaches(counted, _below(rate)))):
        return None  # (count − 1) times an output, say
    return {"kind": "poisson", "sign": -way.sign, "factor": way.factor, "r2": None}


def _below(edge: Edge, *, limit: int = 64) -> set[Edge]:
    """What a scale is made of, down to the layers that give it, or to the part of a layer's output that it is."""
    found: set[Edge] = set()
    queue = [edge]
    for at in queue:
        if at in found or len(found) > limit:
            continue
        found.add(at)
        if not _ends(at):
            queue.extend(at[0].live())
    return found


def _reaches(edge: Edge, scales: set[Edge], *, limit: int = 16) -> bool:
    """Whether a function of one input comes from what the scales are made of."""
    at = edge
    for _ in range(limit):
        if at in scales:
            return True
        live = at[0].live()
        if len(live) != 1 or _ends(at):
            return False
        at = live[0]
    return False


def _ends(edge: Edge) -> bool:
    """A layer, or a part of a larger tensor: what lies before it is not this scale alone."""
    node = edge[0]
    if node.leaf is not None or node.parametric or node.custom:
        return True
    live = node.live()
    return node.kind in _PARTS and not (len(live) == 1 and node.numel(edge[1]) == live[0][0].numel(live[0][1]))

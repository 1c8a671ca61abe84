"""What the graph of a loss tells: its terms, how they are reduced and weighted, and what they compare."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from unstuck.probes.graph import VIEWS, Graph, Node, normalized_dim
from unstuck.probes.heads import head_of, layer_feeding
from unstuck.probes.log_density import log_density
from unstuck.probes.loss_kinds import LOSS_NODES, Match, recognize, through_views
from unstuck.probes.quiet import quiet
from unstuck.probes.statistics import LIMIT
from unstuck.probes.term_statistics import (
    accuracy,
    broadcast_of,
    constant_answer,
    elements,
    explained,
    output_statistics,
    target_statistics,
)
from unstuck.probes.values import value_of

_MAXIMUM_TERMS = 8
_MAXIMUM_STEPS = 4_000  # nodes looked at while taking a loss apart
_REDUCTIONS = {0: "none", 1: "mean", 2: "sum"}
# Kinds that a loss minimizes with a known sign: only these can tell that a loss is maximized.
_SIGNED = frozenset(
    {"nll", "cross_entropy_soft", "mse", "l1", "smooth_l1", "huber", "bce", "bce_logits", "gather", "soft_margin"}
)
_MASKS = frozenset({"Where", "MaskedFill", "MaskedSelect", "MaskedScatter"})


@dataclass(frozen=True)
class _State:
    """What happened between the root and the node at hand."""

    coefficient: float = 1.0
    divisors: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()  # of each sum on the way: how many elements it adds up
    mean: bool = False
    batch_summed: bool = False  # a sum ran over the first dimension
    last: str = ""  # the innermost reduction so far
    offset: bool = False
    masked: bool = False
    weighted: bool = False
    signed_weights: bool = False
    odd_scale: bool = False  # a scalar that is neither a sign nor a count: a return, an advantage, or a coefficient
    through: tuple[str, ...] = ()
    path: tuple[str, ...] = ()

    def at(self, node: Node, **changes: Any) -> _State:
        path = (*self.path, node.name) if len(self.path) < 24 else self.path
        return replace(self, path=path, **changes)


@dataclass
class _Term:
    """One summand of the loss with the way to it."""

    state: _State
    node: Node
    match: Match | None
    penalty: bool = False


@dataclass
class _Peeling:
    graph: Graph
    terms: list[_Term] = field(default_factory=list)
    more: int = 0
    steps: int = 0
    split: int = 0  # summands met


def loss_terms(
    graph: Graph,
    *,
    value: float | Tensor | None = None,
    known_factor: float = 1.0,
    limit: int = LIMIT,
) -> dict[str, Any]:
    """The entry of ``losses`` in docs/recording.md (without ``line``) from a walked graph.

    ``value`` is the loss as passed to backward; ``known_factor`` a factor in it that is no part of the loss (the
    gradient scale divided by the accumulation steps): it is taken out of ``value`` and ``factor``.
    ``limit`` bounds the elements that each statistic looks at. Nodes that belong to the loss are added to
    ``graph.own``. Cost: a few hundred microseconds and some passes over ``limit`` elements.

    >>> from unstuck.probes.graph import walk
    >>> layer = torch.nn.Linear(4, 3)
    >>> loss = torch.nn.functional.cross_entropy(layer(torch.ones(2, 4)), torch.tensor([0, 2]))
    >>> found = loss_terms(walk(loss), value=loss)
    >>> found["terms"][0]["kind"], found["terms"][0]["target"]["classes"]
    ('nll', {'0': 1, '2': 1})
    """
    with quiet():
        peeling = _Peeling(graph)
        for root, _ in graph.roots:
            _peel(peeling, root, _State())
        _merge_label_smoothing(peeling)
        _settle_penalties(peeling)
        entries = [_entry(graph, term, limit) for term in peeling.terms]
        if any(entry.get("latent") for entry in entries):
            _add_constant_answers(peeling.terms, entries, limit)
        number = _number(value)
        found: dict[str, Any] = {"value": number / known_factor if number is not None else None}
        data = [entry for entry in entries if entry["kind"] != "penalty"]
        main = max(data, key=lambda e: abs(e["weight"]) if math.isfinite(e["weight"]) else 0.0, default=None)
        found["sum_over"] = main["sum_over"] if main is not None else 1
        found["sum_over_batch"] = main["sum_over_batch"] if main is not None else 1
        telling = [entry["sign"] for entry in data]
        found["sign"] = -1 if telling and all(sign == -1 for sign in telling) else 1
        scale = abs(known_factor) if known_factor else 1.0
        found["factor"] = abs(main["weight"]) / scale if main is not None and len(data) == 1 else 1.0
        if len(data) > 1:
            for entry in entries:
                entry["weight"] /= scale
        elif main is not None:
            factor = found["factor"] * scale
            for entry in entries:
                entry["weight"] = entry["weight"] / factor if factor else entry["weight"]
        found["terms"] = entries
        if any(entry["kind"] == "custom" or entry.get("weighted") for entry in data):
            density = log_density(graph, limit=limit)
            if density is not None:
                found["log_density"] = density
        if peeling.more:
            found["more_terms"] = peeling.more
        return found


def _number(value: float | Tensor | None) -> float | None:
    if value is None:
        return None
    if isinstance(value, Tensor):
        whole = value.detach()
        return float(whole if whole.numel() == 1 else whole.sum()) if whole.numel() and not whole.is_complex() else None
    return float(value)


# --- taking the loss apart -------------------------------------------------------------------------------------------


def _peel(peeling: _Peeling, node: Node, state: _State) -> None:
    """From the root inward: scalars, reductions, views and sums are taken off until a term is recognized."""
    graph = peeling.graph
    stack: list[tuple[Node, _State]] = [(node, state)]
    root_has_data = any(root.data for root, _ in graph.roots)
    while stack:
        at, state = stack.pop()
        peeling.steps += 1
        if len(peeling.terms) >= _MAXIMUM_TERMS or peeling.steps > _MAXIMUM_STEPS:
            peeling.more += 1
            continue
        if not at.data and root_has_data:
            scaled = _open(graph, at, state) if at.kind in ("Mul", "Div", "Neg") and at.numel() == 1 else None
            if scaled is not None and len(scaled) == 1:
                stack.append(scaled[0])
                continue
            peeling.terms.append(_Term(state, at, None, penalty=True))
            continue
        match = recognize(graph, at, offset=state.offset) if at.leaf is None else None
        if match is not None:
            peeling.terms.append(_Term(state.at(at), at, match))
            graph.own.update(match.consumed)
            continue
        following = _open(graph, at, state)
        if following is None:
            peeling.terms.append(_Term(state, at, _inside(graph, at)))
            continue
        graph.own.add(at)
        stack.extend(reversed(following))


def _open(graph: Graph, node: Node, state: _State) -> list[tuple[Node, _State]] | None:
    """What lies inside a node that only scales, reduces, reshapes or adds; None when it does more."""
    kind = node.kind
    if node.leaf is not None or node.custom or node.parametric:
        return None
    live = node.live()
    if not live:
        return None
    if (
        kind in ("Add", "Sub", "Rsub", "Mul", "Div")
        and node.numel() > 1
        and node.data
        and not all(c.data for c, _ in live)
    ):
        return None  # a bias or a scale: a layer written by hand, the model begins here
    if kind == "Neg":
        return [(live[0][0], state.at(node, coefficient=-state.coefficient))]
    if kind in ("Mul", "Div"):
        return _scaled(graph, node, state)
    if kind == "Mean":
        return [(live[0][0], state.at(node, mean=True, last="mean"))]
    if kind in ("Sum", "Nansum"):
        return [(live[0][0], _summed(graph, node, live[0], state))]
    if kind in ("Add", "Sub", "Rsub"):
        return _added(graph, node, state)
    if kind in ("Stack", "Cat"):
        return _joined(node, state)
    if kind in VIEWS:
        return [(live[0][0], state.at(node))]
    if kind in _MASKS or kind in ("Index", "IndexSelect", "Take", "NanToNum"):
        carrying = [edge for edge in live if edge[0].data] or live
        return [(child, state.at(node, masked=True)) for child, _ in carrying]
    if kind in ("Sqrt", "Log", "Exp", "Log1P") and node.numel() == 1 and not _is_one_example(live[0][0]):
        return [(live[0][0], state.at(node, through=(*state.through, kind.lower())))]
    return None


def _is_one_example(child: Node) -> bool:
    """A scalar that no reduction made is the output for a single example, not a reduced loss."""
    at = through_views(child)
    return at is None or (
        at.kind not in ("Mean", "Sum", "Div", "Mul", "Add", "Sub", "Neg") and at.kind not in LOSS_NODES
    )


def _scaled(graph: Graph, node: Node, state: _State) -> list[tuple[Node, _State]] | None:
    if len(node.edges) < 2:  # the scalar overloads of older versions
        other = graph.attribute(node, "other")
        child = node.edges[0][0]
        if child is None:
            return None
        if isinstance(other, int | float):
            return [(child, _times(state.at(node), float(other), divide=node.kind == "Div"))]
        constant = graph.saved(node, "other")
        if constant is None:
            return [(child, state.at(node, weighted=True))]
        return [(child, _times_tensor(state.at(node), constant, node, divide=node.kind == "Div"))]
    (first, _), (second, _) = node.edges[0], node.edges[1]
    if first is not None and second is not None:
        if first.data and not second.data:
            keep, key = first, "other"
        elif second.data and not first.data and node.kind == "Mul":
            keep, key = second, "self"
        else:
            return None
        constant = graph.saved(node, key)
        if constant is None:
            return [(keep, state.at(node))]
        return [(keep, _times_tensor(state.at(node), constant, node, divide=node.kind == "Div"))]
    if node.kind == "Div" and first is None:
        return None
    keep_node = first if first is not None else second
    assert keep_node is not None
    scalar = graph.attribute(node, "other")
    if isinstance(scalar, int | float):
        return [(keep_node, _times(state.at(node), float(scalar), divide=node.kind == "Div"))]
    constant = graph.saved(node, "other" if first is not None else "self")
    if constant is None:
        return [(keep_node, state.at(node))]
    return [(keep_node, _times_tensor(state.at(node), constant, node, divide=node.kind == "Div"))]


def _times_tensor(state: _State, constant: Tensor, node: Node, *, divide: bool) -> _State:
    if constant.numel() == 1:
        number = float(constant)
        # Python's numbers are kept in double precision, so this is a tensor of the script's.
        tensor = constant.dtype in (torch.float32, torch.float16, torch.bfloat16)
        scaled = _times(state, number, divide=divide)
        return replace(scaled, signed_weights=True) if tensor and number < 0 and number != -1 else scaled
    low, high = (float(x) for x in torch.aminmax(constant.reshape(-1).to(torch.float32)))
    if divide:
        # Averaging each row by its own length: no scalar to tell.
        return replace(state, weighted=True)
    if constant.dtype == torch.bool or (low >= 0 and high <= 1 and bool(((constant == 0) | (constant == 1)).all())):
        return replace(state, masked=True)
    return replace(state, weighted=True, signed_weights=state.signed_weights or low < 0)


def _times(state: _State, number: float, *, divide: bool) -> _State:
    if divide:
        if number > 1 and float(number).is_integer():
            return replace(state, divisors=(*state.divisors, number))
        return replace(state, coefficient=state.coefficient / number if number else math.inf)
    if 0 < abs(number) < 1:
        inverse = 1.0 / abs(number)
        if inverse > 1.5 and abs(inverse - round(inverse)) < 1e-5 * inverse:
            sign = -1.0 if number < 0 else 1.0
            return replace(
                state, coefficient=state.coefficient * sign, divisors=(*state.divisors, float(round(inverse)))
            )
    odd = state.odd_scale or not float(number).is_integer() or number < -1
    return replace(state, coefficient=state.coefficient * number, odd_scale=odd)


def _summed(graph: Graph, node: Node, edge: tuple[Node, int], state: _State) -> _State:
    child, nr = edge
    before, after = child.numel(nr), node.numel()
    count = before // after if after else 1
    dims = graph.attribute(node, "dim")
    shape = child.shape(nr) or ()
    over_first = dims is None or not shape
    if isinstance(dims, tuple | list) and shape:
        over_first = not dims or any(normalized_dim(d, len(shape)) == 0 for d in dims)
    elif isinstance(dims, int) and shape:
        over_first = normalized_dim(dims, len(shape)) == 0
    batch = state.batch_summed or (over_first and len(shape) > 0 and shape[0] > 1)
    return state.at(node, counts=(*state.counts, count) if count > 1 else state.counts, batch_summed=batch, last="sum")


def _added(graph: Graph, node: Node, state: _State) -> list[tuple[Node, _State]]:
    alpha = graph.attribute(node, "alpha")
    scale = float(alpha) if isinstance(alpha, int | float) else 1.0
    signs = {"Add": (1.0, scale), "Sub": (1.0, -scale), "Rsub": (-scale, 1.0)}[node.kind]
    offset = state.offset or any(child is None for child, _ in node.edges)
    return [
        (child, state.at(node, coefficient=state.coefficient * sign, offset=offset))
        for (child, _), sign in zip(node.edges, signs, strict=False)
        if child is not None
    ]


def _joined(node: Node, state: _State) -> list[tuple[Node, _State]]:
    """A stack of losses, reduced outside: a mean divides by their number, a sum over them is no sum over examples."""
    live = node.live()
    total = node.numel()
    found = []
    for child, nr in live:
        share = child.numel(nr) / total if total else 1.0
        inner = state.at(node)
        if state.last == "mean":
            inner = replace(inner, coefficient=inner.coefficient * share)
        elif state.last == "sum" and inner.counts and share:
            rest = round(inner.counts[-1] * share)
            inner = replace(
                inner,
                counts=(*inner.counts[:-1], rest) if rest > 1 else inner.counts[:-1],
                batch_summed=rest > 1 and inner.batch_summed,
            )
        found.append((child, inner))
    return found


def _inside(graph: Graph, node: Node, *, limit: int = 60) -> Match | None:
    """The only loss of torch's inside an unknown function of it (focal loss, a clipped or weighted loss)."""
    seen: set[Node] = set()
    queue = [node]
    found: Match | None = None
    for at in queue:
        if at in seen or len(seen) > limit:
            continue
        seen.add(at)
        if at.leaf is not None or at.parametric or at.custom:
            continue
        if at.kind in LOSS_NODES:
            if found is not None:
                return None
            found = recognize(graph, at)
            continue
        queue.extend(child for child, _ in at.edges if child is not None and child.data)
    if found is not None:
        found.extra["modified"] = True
        graph.own.update(found.consumed)
    return found


def _merge_label_smoothing(peeling: _Peeling) -> None:
    """Label smoothing adds the mean log-probability of all classes: a part of the cross entropy, no term of its own."""
    owners = {
        term.match.own: term
        for term in peeling.terms
        if term.match is not None and term.match.kind == "nll" and term.match.own is not None
    }
    kept = []
    for term in peeling.terms:
        owner = owners.get(term.node) if term.match is None else None
        if owner is None or owner.match is None:
            kept.append(term)
            continue
        share = abs(owner.state.coefficient)
        owner.match.extra["label_smoothing"] = round(1.0 - share, 6) if 0 < share < 1 else None
        owner.state = replace(
            owner.state,
            coefficient=math.copysign(1.0, owner.state.coefficient) if 0 < share < 1 else owner.state.coefficient,
        )
    peeling.terms = kept


def _settle_penalties(peeling: _Peeling) -> None:
    """Without any data term what reaches only parameters is the loss itself, unless nothing is compared at all."""
    if any(not term.penalty and term.node.data for term in peeling.terms):
        return
    for term in peeling.terms:
        if term.match is None:
            term.penalty = True


# --- one term as an entry --------------------------------------------------------------------------------------------


def _entry(graph: Graph, term: _Term, limit: int) -> dict[str, Any]:
    state, match = term.state, term.match
    kind = "penalty" if term.penalty else (match.kind if match is not None else "custom")
    entry: dict[str, Any] = {"kind": kind}
    if match is not None and kind != "nll" and (state.signed_weights or (kind == "gather" and _is_return(term))):
        entry["kind"] = kind = "custom"  # a policy gradient: the weights are what is learned from
    sums = _sums(term, match)
    entry["reduction"] = sums.reduction
    natural = match.natural if match is not None else 1
    weight = state.coefficient * natural / sums.divisor
    telling = (
        kind in _SIGNED
        and not state.signed_weights
        and not (kind in ("nll", "gather") and state.coefficient < 0 and state.odd_scale)
        and not (kind == "gather" and state.weighted)
        and not state.through
        and not (match is not None and match.extra.get("modified"))
    )
    entry["sign"] = (1 if weight >= 0 else -1) if telling else 0
    entry["weight"] = abs(weight) if telling else weight
    entry["sum_over"] = sums.total
    entry["sum_over_batch"] = sums.batch
    entry["op"] = list(state.path)
    entry.update(
        {"head": [], "output": None, "target": None, "broadcast": None, "accuracy": None, "r2": None, "class_dim": None}
    )
    if term.penalty:
        entry["params"] = sorted({graph.names.get(id(leaf.leaf), "") for leaf in _leaves_below(term.node)} - {""})[:8]
        return entry
    if state.weighted or (match is not None and match.extra.get("weighted")):
        entry["weighted"] = True
    through = [*state.through, *(("sqrt",) if match is not None and match.extra.get("root") else ())]
    if through:
        entry["through"] = through
    if match is None:
        head = head_of(graph, term.node)
        entry["head"], entry["layer"] = head.entries, head.layer
        entry["op"] += head.path[:16]
        found = value_of(graph, term.node)
        if found is not None:
            entry["output"] = output_statistics(found, limit=limit)
        name_head(graph, entry["head"], head.nodes)
        return entry
    head = head_of(graph, match.inner[0], match.inner[1]) if match.inner is not None else head_of(graph, None)
    entry["layer"] = head.layer
    entry["op"] += head.path[:16]
    name_head(graph, head.entries, head.nodes)
    if match.own is not None:
        shape = match.whole_output or match.own.shape()
        dim = match.extra.get("logits_dim", match.class_dim)
        entry["head"].append(
            {
                "kind": "log_softmax",
                "dim": dim,
                "size": shape[dim] if shape and dim is not None and dim < len(shape) else None,
                "shape": list(shape or ()),
                "name": None,
                "own": True,
            }
        )
    entry["head"] += head.entries
    entry["class_dim"] = match.class_dim
    for key in ("label_smoothing", "class_weights", "target_live", "modified", "latent"):
        if match.extra.get(key):
            entry[key] = match.extra[key]
    compare(entry, match, limit)
    return entry


def _add_constant_answers(terms: list[_Term], entries: list[dict[str, Any]], limit: int) -> None:
    """Beside a divergence of a latent distribution: what the data's term costs where nothing of the input gets through."""
    for term, entry in zip(terms, entries, strict=True):
        if term.match is not None and term.match.target is not None and entry["broadcast"] is None:
            found = constant_answer(term.match.target, entry["kind"], limit=limit)
            if found is not None:
                entry["constant"] = found


def _is_return(term: _Term) -> bool:
    """One picked log-probability times a number of its own: an action's, not a target's."""
    return term.node.numel() == 1 and term.state.odd_scale


def compare(entry: dict[str, Any], match: Match, limit: int) -> None:
    """Fill in what enters the term and how well both sides agree."""
    output, target = match.output, match.target
    kind = entry["kind"]
    dim = match.extra.get("logits_dim", match.class_dim)
    joint = match.joint
    broadcast = (
        broadcast_of(match.output_shape, match.target_shape, joint) if not match.extra.get("target_live") else None
    )
    entry["broadcast"] = broadcast
    if output is not None:
        if broadcast is not None and match.output_shape is not None:
            output = _first_of_expanded(output, match.output_shape)
        telling = kind == "nll" and not match.centered
        entry["output"] = output_statistics(
            output, class_dim=dim, centered=match.centered, log_normalized=telling, limit=limit
        )
        if match.whole_output is not None and broadcast is None:
            entry["output"]["shape"] = list(match.whole_output)
    if target is not None:
        if broadcast is not None and match.target_shape is not None:
            target = _first_of_expanded(target, match.target_shape)
        entry["target"] = target_statistics(target, ignore_index=match.ignore_index, limit=limit)
        if match.reconstructed:
            entry["target"]["reconstructed"] = True
        if match.whole_target is not None:
            entry["target"]["shape"] = list(match.whole_target)
    if match.compared is not None:
        target = match.compared
    if output is None or target is None or broadcast is not None:
        return
    finite = not entry["output"]["nonfinite"]  # the largest of NaNs is no class
    if finite and kind in ("nll", "gather", "cross_entropy_soft", "bce", "bce_logits", "kl", "mse", "hinge"):
        soft = "cross_entropy_soft" if kind == "kl" else kind
        entry["accuracy"] = accuracy(
            output, target, kind=soft, class_dim=dim, ignore_index=match.ignore_index, limit=limit
        )
    if kind in ("mse", "l1", "smooth_l1", "huber"):
        if output.shape != target.shape and joint is not None:
            try:
                output, target = output.expand(joint), target.expand(joint)
            except RuntimeError:
                return
        entry["r2"] = explained(output, target, limit=limit)


def _first_of_expanded(tensor: Tensor, shape: tuple[int, ...]) -> Tensor:
    """The tensor before it was expanded to its present shape."""
    if elements(shape) == tensor.numel():
        return tensor.reshape(shape)
    padded = (1,) * (tensor.dim() - len(shape)) + tuple(shape)
    for d, extent in enumerate(padded):
        if extent == 1 and tensor.shape[d] > 1:
            tensor = tensor.narrow(d, 0, 1)
    return tensor.reshape(shape) if tensor.numel() == elements(shape) else tensor


@dataclass(frozen=True)
class _Sums:
    reduction: str
    total: int  # elements added up without a later division
    batch: int  # of them along the batch
    divisor: float  # what remains of the divisions: factors


def _sums(term: _Term, match: Match | None) -> _Sums:
    """How many elements are added up for good: the sums on the way, less the divisions that undo them."""
    state = term.state
    counts = list(state.counts)
    batch_summed = state.batch_summed
    shape = _term_shape(term, match)
    own = match.reduction if match is not None else None
    if own == 2:
        counts.append(max(1, _compared(match, shape)))
        batch_summed = True
    total = math.prod(counts)
    first = shape[0] if shape else 1
    if (
        match is not None
        and match.rowwise
        and match.class_dim is not None
        and shape
        and match.class_dim < len(shape)
        and own is None
    ):
        classes = shape[match.class_dim]
        if total % classes == 0:
            total //= classes
            shape = shape[: match.class_dim] + shape[match.class_dim + 1 :]
    rest = 1.0
    cancelled = False
    for divisor in state.divisors:
        undone = divisor if total > 1 and _undoes(divisor, total, counts, shape) else 1.0
        if total > 1 and undone == 1.0 and _undoes(divisor / 2, total, counts, shape):
            undone = divisor / 2  # 1 / (2 n), as textbooks have it
        if total > 1 and undone == 1.0 and (state.masked or state.weighted) and 1 < divisor <= total:
            undone = divisor  # the sum of the mask or of the weights
        total = max(1, round(total / undone))
        cancelled = cancelled or undone >= first > 1
        rest *= divisor / undone
    if match is not None and match.kind in ("nll", "gather") and match.target is not None and match.target.dim() == 0:
        batch_summed = False
    batch = 1 if total == 1 or cancelled or not batch_summed else min(total, first)
    if own in (1, 2):
        name = _REDUCTIONS[own]
    elif state.mean:
        name = "mean"
    else:
        name = "sum" if counts else "none"
    if name == "sum" and cancelled and total == 1:
        name = "mean"
    return _Sums(name, int(total), int(batch), rest)


def _term_shape(term: _Term, match: Match | None) -> tuple[int, ...]:
    if match is not None:
        if match.joint is not None:
            return tuple(match.joint)
        if (
            match.output is not None
            and match.class_dim is not None
            and match.kind in ("nll", "hinge")
            and match.target is not None
        ):
            return tuple(match.target.shape)
        if match.output is not None and match.kind != "gather":
            return tuple(match.output.shape)
    return term.node.shape() or ()


def _compared(match: Match | None, shape: tuple[int, ...]) -> int:
    if match is not None and match.kind == "nll" and match.target is not None:
        if match.ignore_index is not None:
            return int((match.target != match.ignore_index).sum())
        return match.target.numel()
    return elements(shape)


def _undoes(divisor: float, total: int, counts: list[int], shape: tuple[int, ...]) -> bool:
    """Whether a division takes back a sum: by all of its elements, or by the extent of some of its dimensions."""
    if divisor > total:
        return False
    candidates = {total, *counts}
    product = 1
    for extent in shape:
        product *= extent
        candidates.add(product)
    product = 1
    for extent in reversed(shape):
        product *= extent
        candidates.add(product)
    candidates.update(shape)
    candidates.discard(1)
    return any(abs(divisor - c) < 1e-6 * c for c in candidates)


def name_head(graph: Graph, entries: list[dict[str, Any]], nodes: list[Node]) -> None:
    for entry, node in zip(entries, nodes, strict=True):
        _, layer = layer_feeding(graph, node)
        entry["name"] = f"{entry['kind']} after {layer}" if layer is not None else None


def _leaves_below(node: Node, *, limit: int = 2_000) -> list[Node]:
    seen: set[Node] = set()
    stack = [node]
    found = []
    while stack and len(seen) < limit:
        at = stack.pop()
        if at in seen:
            continue
        seen.add(at)
        if at.leaf is not None:
            found.append(at)
        stack.extend(child for child, _ in at.edges if child is not None)
    return found

"""How much gradient reaches each time step of a recurrent network, heard in the script's own backward pass.

A recurrence shows in the graph as one weight that is applied again and again, each time to something that the time
before made. A hook on such an operation is told the gradient that arrives there and changes nothing. A layer that a
library runs as one operation over the whole sequence has no such places: there the gradient of its input is taken.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import torch
from torch import Tensor

from unstuck.probes.graph import Graph, Node, layer_of
from unstuck.probes.plain import piece, plain, wide
from unstuck.probes.quiet import quiet
from unstuck.probes.scalars import read_scalars

FEWEST_STEPS = 8
POSITIONS = 16
_ENTRIES = 16_384  # of a gradient that its norm is estimated from
_RECURRENCES = 8  # of one graph
_VISITS = 400  # operations between two applications of a weight
_EXAMPLES = 8  # that a fused layer is run again for
_PRODUCTS = 500_000_000  # multiplications that this may take


@dataclass
class Recurrence:
    """A weight that is applied at every time step: the operations at some of the steps, in the order of time."""

    weight: str
    steps: int
    at: list[int]
    nodes: list[Node]
    whole: bool = False  # one operation for the whole sequence: then ``nodes`` is that one


def positions(steps: int, most: int = POSITIONS) -> list[int]:
    """At most ``most`` time steps, evenly spread, the first and the last among them.

    >>> positions(3), positions(100, 5), positions(5, 1)
    ([0, 1, 2], [0, 25, 50, 74, 99], [0])
    """
    if steps <= most:
        return list(range(steps))
    if most < 2:
        return [0][:most]
    return [round(i * (steps - 1) / (most - 1)) for i in range(most)]


def recurrences(graph: Graph, *, fewest: int = FEWEST_STEPS) -> list[Recurrence]:
    """The recurrences of a graph, in forward order: at least ``fewest`` steps each, at most eight.

    Cost: about a microsecond for each layer of the graph, and a short walk for each position.

    >>> from unstuck.probes.graph import walk
    >>> rnn = torch.nn.RNN(2, 3)
    >>> names = {id(p): n for n, p in rnn.named_parameters()}
    >>> [(r.weight, r.steps, len(r.at)) for r in recurrences(walk(rnn(torch.ones(20, 1, 2))[0].sum(), names=names))]
    [('weight_hh_l0', 20, 16)]
    """
    uses: dict[int, list[Node]] = {}
    names: dict[int, str] = {}
    found: list[tuple[int, Recurrence]] = []
    for order, node in enumerate(graph.nodes):
        if node.parametric == "recurrent" and _is_whole(node):
            made = _whole(graph, node, fewest)
            if made is not None:
                found.append((order, made))
        elif node.parametric == "linear":
            for leaf in graph.parameters_of(node):
                if leaf.leaf is not None and leaf.leaf.dim() >= 2:
                    uses.setdefault(id(leaf.leaf), []).append(node)
                    names.setdefault(id(leaf.leaf), graph.names.get(id(leaf.leaf), "weight"))
    place = {node: order for order, node in enumerate(graph.nodes)}
    for key, nodes in uses.items():
        if len(nodes) < fewest:
            continue
        at = positions(len(nodes))
        if all(_depends(nodes[i], nodes[i - 1]) for i in at if i):
            found.append((place[nodes[0]], Recurrence(names[key], len(nodes), at, [nodes[i] for i in at])))
    return [recurrence for _, recurrence in sorted(found, key=lambda pair: pair[0])][:_RECURRENCES]


def _depends(later: Node, earlier: Node) -> bool:
    """Whether one operation takes what the other made, through whatever stands between them."""
    seen = {later}
    queue = [later]
    for _ in range(_VISITS):
        if not queue:
            return False
        node = queue.pop(0)
        for child, _ in node.edges:
            if child is earlier:
                return True
            older = earlier.sequence >= 0 and child is not None and 0 <= child.sequence < earlier.sequence
            if child is not None and child.data and not older and child not in seen:
                seen.add(child)
                queue.append(child)
    return False


# -- the gradients ----------------------------------------------------------------------------------------------------


@dataclass
class TimeGradients:
    """Hears one backward pass: ``listen`` before it, ``read`` after it.

    Nothing of the run changes: the hooks read the gradients that pass and are taken out again. ``seconds`` is what the
    hooks cost inside the backward pass, some 30 µs for each position.
    """

    seconds: float = 0.0
    _entries: list[dict[str, Any]] = field(default_factory=list)
    _norms: list[list[Tensor | None]] = field(default_factory=list)
    _later: list[tuple[int, Callable[[], list[Tensor | None]]]] = field(default_factory=list)
    _handles: list[Any] = field(default_factory=list)
    _error: Exception | None = None

    @property
    def listening(self) -> bool:
        """Whether hooks are set."""
        return bool(self._handles)

    def listen(self, graph: Graph) -> None:
        """Set a hook at some time steps of every recurrence."""
        self.close()
        self.seconds = 0.0
        with quiet():
            for recurrence in recurrences(graph):
                entry = {
                    "layer": layer_of(recurrence.weight),
                    "weight": recurrence.weight,
                    "steps": recurrence.steps,
                    "at": recurrence.at,
                    "g": [],
                }
                self._entries.append(entry)
                self._norms.append([None] * len(recurrence.at))
                number = len(self._entries) - 1
                if recurrence.whole:
                    self._handles.append(self._hear_whole(graph, recurrence, number))
                    continue
                for index, node in enumerate(recurrence.nodes):
                    self._handles.append(node.raw.register_prehook(self._hear_step(number, index)))

    def _hear_step(self, number: int, index: int) -> Callable[[Any], None]:
        norms = self._norms[number]

        def hear(gradients: Any) -> None:
            start = perf_counter()
            try:
                gradient = gradients[0]
                if isinstance(gradient, Tensor) and norms[index] is None:
                    with quiet():
                        norms[index] = _norm(gradient)
            except Exception as error:  # it would end the script's backward pass
                self._error = error
            self.seconds += perf_counter() - start

        return hear

    def _hear_whole(self, graph: Graph, recurrence: Recurrence, number: int) -> Any:
        node = recurrence.nodes[0]
        norms = self._norms[number]
        again = _backward_again(graph, node)
        time, reverse = _time_dimension(node), _reverse(node)

        def hear(inward: Any, outward: Any) -> None:
            start = perf_counter()
            try:
                if inward[0] is not None:
                    with quiet():
                        norms[:] = _by_time(inward[0], recurrence.at, time, reverse)
                elif again is not None:
                    kept = tuple(g.detach() if isinstance(g, Tensor) else None for g in outward)
                    self._later.append((number, lambda: _by_time(again(kept), recurrence.at, time, reverse)))
            except Exception as error:  # it would end the script's backward pass
                self._error = error
            self.seconds += perf_counter() - start

        return node.raw.register_hook(hear)

    def read(self) -> list[dict[str, Any]]:
        """What was heard: the entries of ``recurrent`` in docs/recording.md. The hooks are gone afterwards.

        Errors: what went wrong inside a hook is raised here, where it cannot hurt the script.
        """
        try:
            if self._error is not None:
                raise self._error
            return self._heard()
        finally:
            self.close()

    def _heard(self) -> list[dict[str, Any]]:
        heard = []
        with quiet():
            for number, measure in self._later:
                self._norms[number][:] = measure()
            values = iter(read_scalars([norm for norms in self._norms for norm in norms]))
            for entry, norms in zip(self._entries, self._norms, strict=True):
                numbers = [next(values) for _ in norms]
                if any(number is not None for number in numbers):
                    entry["g"] = [0.0 if number is None else number for number in numbers]
                    heard.append(entry)
        return heard

    def close(self) -> None:
        """Take the hooks out and let go of everything."""
        for handle in self._handles:
            handle.remove()
        self._handles, self._entries, self._norms, self._later = [], [], [], []
        self._error = None


def _norm(gradient: Tensor) -> Tensor:
    """The norm, in double precision (squares of tiny numbers vanish in single), estimated from some of the entries."""
    whole = plain(gradient)
    part = piece(whole, _ENTRIES)
    scale = math.sqrt(whole.numel() / part.numel()) if part.numel() else 1.0
    norm: Tensor = torch.linalg.vector_norm(wide(part)) * scale
    return norm


# -- layers that run as one operation ---------------------------------------------------------------------------------


def _by_time(gradient: Tensor | None, at: Sequence[int], time: int, reverse: bool) -> list[Tensor | None]:
    if gradient is None:
        return [None] * len(at)
    steps = gradient.shape[time]
    return [_norm(gradient.select(time, steps - 1 - t if reverse else t)) for t in at]


def _is_whole(node: Node) -> bool:
    return node.kind in ("MkldnnRnnLayer", "CudnnRnn")


def _whole(graph: Graph, node: Node, fewest: int) -> Recurrence | None:
    """The recurrence of a fused layer; None for one that is too short or cannot be told apart by time."""
    entering = graph.saved(node, "input")
    if entering is None:
        return None
    if graph.attribute(node, "batch_sizes"):
        graph.note("gradient through time", "packed sequences run as one operation")
        return None
    if _gradient_blocked(graph, node, entering):
        graph.note("gradient through time", "the data that enter a fused layer have no gradient")
        return None
    steps = int(entering.shape[_time_dimension(node)])
    if steps < fewest:
        return None
    leaves = [leaf.leaf for leaf in graph.parameters_of(node) if leaf.leaf is not None]
    known = [graph.names.get(id(leaf), "weight") for leaf in leaves if leaf.dim() >= 2]
    weight = next((name for name in known if "weight_hh" in name), known[0] if known else "weight")
    return Recurrence(weight, steps, positions(steps), [node], whole=True)


def _gradient_blocked(graph: Graph, node: Node, entering: Tensor) -> bool:
    """The input has no gradient, and to compute it apart is not affordable or not known how."""
    if node.edges and node.edges[0][0] is not None:
        return False
    weights = sum(leaf.leaf.numel() for leaf in graph.parameters_of(node) if leaf.leaf is not None)
    rows = entering.shape[0] * min(_EXAMPLES, entering.shape[1])
    return rows * weights > _PRODUCTS or _backward_again(graph, node) is None


def _time_dimension(node: Node) -> int:
    """Where time lies in a fused layer's input: the one of the CPU is always given the time first."""
    return 1 if node.kind == "CudnnRnn" and bool(getattr(node.raw, "_saved_batch_first", False)) else 0


def _reverse(node: Node) -> bool:
    return bool(getattr(node.raw, "_saved_reverse", False))


def _backward_again(graph: Graph, node: Node) -> Callable[[tuple[Tensor | None, ...]], Tensor | None] | None:
    """A function from the gradients of a fused layer's results to that of its input; None where it is not known how.

    The layer's own operation runs once more, forward and backward, for the first few examples: they do not meet inside
    it. No random numbers are drawn.
    """
    if node.kind != "MkldnnRnnLayer" or graph.is_hooked(node):
        return None
    entering = graph.saved(node, "input")
    weights = [graph.saved(node, f"weight{i}") for i in range(4)]
    states = [graph.saved(node, key) for key in ("hx_", "cx_")]
    names = [
        "reverse",
        "batch_sizes",
        "mode",
        "hidden_size",
        "num_layers",
        "has_biases",
        "bidirectional",
        "batch_first",
    ]
    kept = entering is not None and all(t is not None for t in (*weights, *states))
    if not kept or not all(hasattr(node.raw, f"_saved_{name}") for name in names):
        return None
    share = max(1.0, entering.shape[-2] / _EXAMPLES) if entering is not None else 1.0  # as if all had been run
    option = {name: getattr(node.raw, f"_saved_{name}") for name in names}

    def some(tensor: Tensor | None) -> Tensor | None:
        """Its first examples: they lie along the second dimension of a sequence, and the one before last of a state."""
        return None if tensor is None else tensor.narrow(-2, 0, min(_EXAMPLES, tensor.shape[-2])).contiguous()

    def backward(outward: tuple[Tensor | None, ...]) -> Tensor | None:
        given = [some(entering), *weights, *(some(state) for state in states)]
        # It keeps what its backward pass needs only where gradients are on; none of these tensors has one: no graph.
        before = torch.is_grad_enabled()
        torch._C._set_grad_enabled(True)
        try:
            made = torch.ops.aten.mkldnn_rnn_layer(*given, *option.values(), True)
        finally:
            torch._C._set_grad_enabled(before)
        gradients = [some(g) for g in [*outward, None, None, None][:3]]
        sizes = [option[k] for k in ("reverse", "mode", "hidden_size", "num_layers", "has_biases")]
        layout = [option[k] for k in ("bidirectional", "batch_sizes", "batch_first")]
        found = torch.ops.aten.mkldnn_rnn_layer_backward(*given, *made[:3], *gradients, *sizes, True, *layout, made[3])
        gradient: Tensor = found[0]
        return gradient * math.sqrt(share)

    return backward

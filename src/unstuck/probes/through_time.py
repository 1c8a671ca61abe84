"""How much gradient reaches each time step of a recurrent network, heard in the script's own backward pass.

A recurrence shows in the graph as one weight that is applied again and again, each time to something that the time
before made. A hook on such an operation is told the gradient that arrives there and changes nothing. A layer that a
library runs as one operation over the whole sequence has no such places: there the gradient of its input is taken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from torch import Tensor

from unstuck.probes.fused_recurrent import by_time, is_reversed, is_whole, time_dimension, whole_recurrence
from unstuck.probes.graph import Graph, Node, layer_of
from unstuck.probes.quiet import quiet
from unstuck.probes.recurrence import Recurrence, norm_of, positions
from unstuck.probes.scalars import read_scalars

FEWEST_STEPS = 8  # a gradient that halves at each of fewer steps keeps over a hundredth: that is nothing to tell
_RECURRENCES = 8  # of one graph
_VISITS = 400  # operations between two applications of a weight; a gated cell written out by hand has some tens


def recurrences(graph: Graph, *, fewest: int = FEWEST_STEPS) -> list[Recurrence]:
    """The recurrences of a graph, in forward order: at least ``fewest`` steps each, at most eight.

    Cost: about a microsecond for each layer of the graph, and a short walk for each position.

    >>> import torch
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
        if node.parametric == "recurrent" and is_whole(node):
            made = whole_recurrence(graph, node, fewest)
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
                    self._handles.append(self._hear_whole(recurrence, number))
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
                        norms[index] = norm_of(gradient)
            except Exception as error:  # it would end the script's backward pass
                self._error = error
            self.seconds += perf_counter() - start

        return hear

    def _hear_whole(self, recurrence: Recurrence, number: int) -> Any:
        node = recurrence.nodes[0]
        norms = self._norms[number]
        again = recurrence.again
        time, reverse = time_dimension(node), is_reversed(node)

        def hear(inward: Any, outward: Any) -> None:
            start = perf_counter()
            try:
                if inward[0] is not None:
                    with quiet():
                        norms[:] = by_time(inward[0], recurrence.at, time, reverse)
                elif again is not None:
                    kept = tuple(g.detach() if isinstance(g, Tensor) else None for g in outward)
                    self._later.append((number, lambda: by_time(again(kept), recurrence.at, time, reverse)))
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

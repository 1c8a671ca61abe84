"""One walk over the autograd graph of a loss: nodes in forward order, with their leaves and the names of layers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import BackwardCFunction

from unstuck.probes.quiet import quiet
from unstuck.probes.shapes import infer_shapes

# A node with one of these names multiplies what flows through it by a weight, or looks it up in one.
MATRIX = frozenset(
    {
        "Addmm",
        "Mm",
        "Mv",
        "Addmv",
        "Bmm",
        "Baddbmm",
        "Addbmm",
        "Linear",
        "MkldnnLinear",
        "Trilinear",
        "SparseAddmm",
        "Dot",
    }
)
CONVOLUTION = frozenset(
    {"Convolution", "ConvolutionOverrideable", "CudnnConvolution", "MkldnnConvolution", "SlowConv2D", "Thnnconv2D"}
)
EMBEDDING = frozenset({"Embedding", "EmbeddingBag"})
NORMALIZATION = {
    "NativeBatchNorm": "batch_norm",
    "CudnnBatchNorm": "batch_norm",
    "MiopenBatchNorm": "batch_norm",
    "BatchNormWithUpdate": "batch_norm",
    "NativeLayerNorm": "layer_norm",
    "NativeGroupNorm": "group_norm",
    "FusedRmsNorm": "rms_norm",
    "RmsNorm": "rms_norm",
}
RECURRENT = frozenset({"CudnnRnn", "MkldnnRnnLayer", "MiopenRnn", "LstmMps", "ThnnFusedLstmCell", "ThnnFusedGruCell"})
# Same numbers in another shape, place or precision.
VIEWS = frozenset(
    {
        "View", "ReshapeAlias", "UnsafeView", "Squeeze", "Unsqueeze", "Expand", "Alias", "Clone", "Transpose",
        "Permute",
        "T", "ToCopy", "Select", "Slice", "Detach", "Unfold", "ViewAs", "Narrow", "AsStrided", "Split", "UnsafeSplit",
        "SplitWithSizes", "Unbind", "Diagonal", "Contiguous", "Flatten", "Unflatten", "Reshape", "SwapAxes", "Movedim",
        "LiftFresh", "ViewAsReal", "Flip", "Roll", "Chunk", "Lift", "CopySlices", "SqueezeMultiple", "Repeat",
    }
)  # fmt: skip
_MIXING = MATRIX | CONVOLUTION | EMBEDDING | {"Mul", "Div", "Index", "IndexSelect", "Gather", "Xlogy"}
_LOSSES = frozenset(
    {
        "NllLoss", "NllLoss2D", "MseLoss", "SmoothL1Loss", "HuberLoss", "BinaryCrossEntropy",
        "BinaryCrossEntropyWithLogits",
        "SoftMarginLoss", "MultiMarginLoss", "MultilabelMarginLoss", "KlDiv", "CtcLoss", "CudnnCtcLoss",
    }
)  # fmt: skip

_kinds: dict[type, str] = {}


def _kind(raw: Any) -> str:
    """``AddmmBackward0`` is an ``Addmm``; a function of the user's keeps its own name."""
    cls = type(raw)
    found = _kinds.get(cls)
    if found is None:
        name = cls.__name__
        stripped = name.rstrip("0123456789")
        found = (
            stripped.removesuffix("Backward")
            if stripped.endswith("Backward") and not isinstance(raw, BackwardCFunction)
            else name
        )
        if len(_kinds) < 4096:  # classes of custom functions may be made without end
            _kinds[cls] = found
    return found


class Node:
    """One operation of the graph, or one leaf (``leaf`` is then the tensor whose gradient is accumulated)."""

    __slots__ = (
        "_shapes",
        "consumers",
        "custom",
        "data",
        "edges",
        "kind",
        "leaf",
        "mark",
        "parametric",
        "raw",
        "sequence",
    )

    def __init__(self, raw: Any) -> None:
        self.raw = raw
        self.kind = _kind(raw)
        self.custom = isinstance(raw, BackwardCFunction)
        self.leaf: Tensor | None = None
        self.sequence = -1
        self.edges: tuple[tuple[Node | None, int], ...] = ()
        self.consumers: list[Node] = []
        self.data = False  # depends on something that is not a parameter
        self.parametric = ""  # what kind of layer this is, when it applies a weight
        self.mark: str | None = None
        self._shapes: tuple[tuple[int, ...], ...] | None = None

    @property
    def name(self) -> str:
        return type(self.raw).__name__

    def shape(self, output: int = 0) -> tuple[int, ...] | None:
        """Shape of one of its outputs; None when torch does not tell."""
        if self._shapes is None:
            try:
                self._shapes = tuple(tuple(int(n) for n in m.shape) for m in self.raw._input_metadata)
            except (AttributeError, RuntimeError, TypeError, ValueError):
                self._shapes = ()
            if not self._shapes and self.leaf is not None:
                self._shapes = (tuple(self.leaf.shape),)
        return self._shapes[output] if output < len(self._shapes) else None

    def set_shape(self, shape: tuple[int, ...]) -> None:
        """Say what torch does not tell."""
        self._shapes = (shape,)

    def numel(self, output: int = 0) -> int:
        """Number of elements of an output; 0 when unknown."""
        shape = self.shape(output)
        if shape is None:
            return 0
        total = 1
        for extent in shape:
            total *= extent
        return total

    def dtype(self, output: int = 0) -> torch.dtype | None:
        try:
            found = self.raw._input_metadata[output].dtype
        except (AttributeError, RuntimeError, IndexError, TypeError):
            return self.leaf.dtype if self.leaf is not None else None
        return found if isinstance(found, torch.dtype) else None

    def live(self) -> list[tuple[Node, int]]:
        """Its inputs that have a gradient."""
        return [(child, nr) for child, nr in self.edges if child is not None]

    def __repr__(self) -> str:
        return f"{self.name}{self.shape()}"


@dataclass
class Graph:
    """The graph of one loss. Hold it no longer than the sample: it keeps the saved tensors alive."""

    nodes: list[Node] = field(default_factory=list)  # operations, in forward order
    leaves: list[Node] = field(default_factory=list)
    roots: list[tuple[Node, int]] = field(default_factory=list)
    names: Mapping[int, str] = field(default_factory=dict)  # id of a parameter: its name
    hooked: bool | Sequence[tuple[int, int]] = False
    unseen: list[dict[str, str]] = field(default_factory=list)
    truncated: bool = False
    own: set[Node] = field(default_factory=set)  # nodes that belong to a loss function, not to the model
    _layer_names: dict[Node, str | None] = field(default_factory=dict)
    _saved: dict[tuple[Node, str], Any] = field(default_factory=dict)
    _failed: set[tuple[Node, str]] = field(default_factory=set)

    def note(self, what: str, why: str) -> None:
        """Remember once that something could not be looked at."""
        entry = {"what": what, "why": why}
        if entry not in self.unseen and len(self.unseen) < 32:
            self.unseen.append(entry)

    def is_hooked(self, node: Node) -> bool:
        """Whether reading what this node saved may run code of the script (checkpointing, offloading)."""
        if isinstance(self.hooked, bool):
            return self.hooked
        return any(start <= node.sequence < stop for start, stop in self.hooked)

    def saved(self, node: Node, key: str) -> Tensor | None:
        """A tensor that the node keeps for its backward pass, detached; None (and a note) when it cannot be read."""
        at = (node, key)
        if at in self._saved:
            found = self._saved[at]
            return found if isinstance(found, Tensor) else None
        found = None
        if self.is_hooked(node):
            self.note("checkpointed", "reading saved tensors would run the script's saved-tensor hooks")
            self._failed.add(at)
        else:
            try:
                found = getattr(node.raw, f"_saved_{key}", None)
                if isinstance(found, Tensor):
                    found = found.detach()
            except (RuntimeError, ValueError, AttributeError) as error:
                found = None
                self._failed.add(at)
                text = str(error)
                if "modified by an inplace operation" in text:
                    self.note("saved tensor changed in place", node.name)
                elif "freed" in text or "second time" in text:
                    self.note("saved tensor freed", node.name)
                else:
                    self.note("saved tensor unreadable", f"{node.name}: {text.splitlines()[0][:120] if text else ''}")
        self._saved[at] = found
        return found if isinstance(found, Tensor) else None

    def unreadable(self, node: Node, key: str) -> bool:
        """Whether the node keeps this tensor, but it could not be read: then no substitute for it is to be trusted."""
        return (node, key) in self._failed

    def attribute(self, node: Node, key: str) -> Any:
        """A number, list or flag that the node keeps (never a tensor); None when there is none."""
        try:
            if hasattr(node.raw, f"_raw_saved_{key}"):  # a tensor: reading it may run hooks
                return None
            found = getattr(node.raw, f"_saved_{key}", None)
        except (RuntimeError, ValueError, AttributeError):
            return None
        return None if isinstance(found, Tensor) else found

    def is_parameter(self, leaf: Tensor) -> bool:
        return id(leaf) in self.names or isinstance(leaf, torch.nn.Parameter) or not self.names

    def parameters_of(self, node: Node, *, limit: int = 40) -> list[Node]:
        """The parameters that enter this operation directly: through views, casts and re-parametrizations only."""
        found: list[Node] = []
        stack = [child for child, _ in node.edges if child is not None and not child.data]
        visited = 0
        while stack and visited < limit:
            child = stack.pop(0)
            visited += 1
            if child.leaf is not None:
                if child not in found:
                    found.append(child)
            else:
                stack.extend(c for c, _ in child.edges if c is not None and not c.data)
        return found

    def layer_name(self, node: Node) -> str | None:
        """Name of the layer that a parametric node applies: that of its weight without the last part."""
        if node in self._layer_names:
            return self._layer_names[node]
        name = None
        leaves = self.parameters_of(node)
        # The weight tells more than the bias: the parameter with most dimensions goes first.
        for leaf in sorted(leaves, key=lambda n: -(n.leaf.dim() if n.leaf is not None else 0)):
            full = self.names.get(id(leaf.leaf))
            if full is not None:
                name = layer_of(full)
                break
        self._layer_names[node] = name
        return name


def layer_of(parameter: str) -> str:
    """The module's name from its parameter's.

    >>> layer_of("net.0.weight"), layer_of("w1"), layer_of("fc.parametrizations.weight.original0")
    ('net.0', 'w1', 'fc')
    """
    if ".parametrizations." in parameter:
        return parameter.split(".parametrizations.", 1)[0]
    return parameter.rpartition(".")[0] or parameter


def normalized_dim(dim: Any, ndim: int) -> int:
    """A dimension as torch saves it (possibly as an unsigned negative number) as a non-negative one.

    >>> normalized_dim(18446744073709551615, 3), normalized_dim(-1, 2), normalized_dim(0, 2)
    (2, 1, 0)
    """
    found = int(dim)
    if found >= 1 << 63:
        found -= 1 << 64
    return found + ndim if found < 0 else found


def walk(
    loss: Tensor | Iterable[Tensor],
    *,
    names: Mapping[int, str] | None = None,
    saved_hooks_active: bool | Sequence[tuple[int, int]] = False,
    limit: int = 20_000,
) -> Graph:
    """Walk the graph of a loss once and return it: at most ``limit`` nodes; nothing saved is read.

    ``names`` maps ``id(parameter)`` to its name. ``saved_hooks_active`` is True when saved-tensor hooks were active in
    the forward pass (checkpointing, offloading to the CPU): saved tensors are then left alone, since reading one runs
    the hook. It may also be a list of (first, past the last) sequence numbers between which they were active
    (:func:`sequence_number` tells the current one).
    Cost: about five microseconds a node, no pass over data. Errors: none; a tensor without graph gives an empty one.

    >>> layer = torch.nn.Linear(2, 1)
    >>> graph = walk(layer(torch.ones(3, 2)).relu().mean())
    >>> [node.kind for node in graph.nodes]
    ['T', 'Addmm', 'Relu', 'Mean']
    """
    graph = Graph(names=names or {}, hooked=saved_hooks_active)
    losses = [loss] if isinstance(loss, Tensor) else list(loss)
    known: dict[Any, Node] = {}
    post: list[Node] = []
    with quiet():
        for tensor in losses:
            raw = tensor.grad_fn
            if raw is None:
                continue
            _visit(graph, raw, known, post, limit)
            if raw in known:
                graph.roots.append((known[raw], int(getattr(tensor, "output_nr", 0))))
        if graph.truncated:
            graph.note("budget", f"the graph has more than {limit} operations; the rest was left out")
        _order(graph, post)
        for node in graph.nodes:
            _classify(graph, node)
        if graph.nodes and not _tells_shapes(graph.nodes[-1]):
            infer_shapes(graph)
    return graph


def _tells_shapes(node: Node) -> bool:
    return hasattr(node.raw, "_input_metadata")


def sequence_number() -> int | None:
    """The number that the next operation of this thread's graph will get; None where torch does not tell."""
    read = getattr(torch._C._autograd, "_get_sequence_nr", None)
    return int(read()) if read is not None else None


def _visit(graph: Graph, raw: Any, known: dict[Any, Node], post: list[Node], limit: int) -> None:
    """Depth first, without recursion; children come before their consumers in ``post``."""
    if raw in known:
        return
    root = known[raw] = Node(raw)
    stack: list[tuple[Node, list[tuple[Any, int]], int]] = [(root, _next(root), 0)]
    root.edges = ()
    edges: dict[Node, list[tuple[Node | None, int]]] = {root: []}
    while stack:
        node, following, at = stack.pop()
        mine = edges[node]
        descended = False
        while at < len(following):
            child_raw, nr = following[at]
            if child_raw is None:
                mine.append((None, nr))
                at += 1
                continue
            child = known.get(child_raw)
            if child is None:
                if len(known) >= limit:
                    graph.truncated = True
                    mine.append((None, nr))
                    at += 1
                    continue
                child = known[child_raw] = Node(child_raw)
                edges[child] = []
                stack.append((node, following, at))  # come back for the same edge, now known
                stack.append((child, _next(child), 0))
                descended = True
                break
            mine.append((child, nr))
            child.consumers.append(node)
            at += 1
        if not descended:
            node.edges = tuple(mine)
            post.append(node)


def _next(node: Node) -> list[tuple[Any, int]]:
    if node.kind == "AccumulateGrad" or node.kind.endswith("::AccumulateGrad"):
        node.leaf = node.raw.variable
        return []
    try:
        node.sequence = int(node.raw._sequence_nr())
    except (AttributeError, RuntimeError):
        node.sequence = -1
    return list(node.raw.next_functions)


def _order(graph: Graph, post: list[Node]) -> None:
    graph.leaves = [node for node in post if node.leaf is not None]
    inner = [node for node in post if node.leaf is None]
    # Sequence numbers count per thread: where a forward pass ran on several threads they may contradict the edges.
    consistent = all(
        child.leaf is not None or child.sequence < node.sequence
        for node in inner
        for child, _ in node.edges
        if child is not None
    )
    graph.nodes = sorted(inner, key=lambda node: node.sequence) if consistent else inner
    for leaf in graph.leaves:
        assert leaf.leaf is not None
        leaf.data = not graph.is_parameter(leaf.leaf)


def _classify(graph: Graph, node: Node) -> None:
    """Does data flow through it, and does it apply a weight? Children have been classified before."""
    kind = node.kind
    live = [child for child, _ in node.edges if child is not None]
    node.data = any(child.data for child in live)
    if node.custom:
        node.data = True
        _note_custom(graph, node)
    elif not node.data:
        if kind in _LOSSES or kind in NORMALIZATION or kind in RECURRENT:
            node.data = True
        elif kind in _MIXING and (
            len(live) < len(node.edges) or kind in EMBEDDING or kind in ("Index", "IndexSelect", "Gather")
        ):
            node.data = not _constant_is_scalar(graph, node)
    if not node.data:
        return
    own = any(not child.data for child in live)
    if not own:
        return
    if kind in MATRIX:
        node.parametric = "linear"
    elif kind in CONVOLUTION:
        node.parametric = "conv"
    elif kind in EMBEDDING:
        node.parametric = "embedding"
    elif kind in NORMALIZATION:
        node.parametric = NORMALIZATION[kind]
    elif kind in RECURRENT:
        node.parametric = "recurrent"


def _constant_is_scalar(graph: Graph, node: Node) -> bool:
    if node.kind not in ("Mul", "Div"):
        return False
    other = graph.saved(node, "other")
    if other is None:
        other = graph.saved(node, "self")
    return other is None or other.numel() == 1


def _note_custom(graph: Graph, node: Node) -> None:
    name = node.name
    if name.startswith("CompiledFunction"):
        graph.note("compiled", "a compiled part hides its operations")
    elif name.startswith("Checkpoint"):
        graph.note("checkpointed", "a checkpointed part keeps no graph of its operations")
    else:
        graph.note(f"custom function {name.removesuffix('Backward')}", "its operations are not in the graph")

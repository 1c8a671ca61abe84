"""An objective that is a weighted sum of pieces (one per batch), and its kept graphs.

A product with the Hessian is a second backward pass. The first pass (loss, gradient, and the graph of the gradient)
does
not depend on the vector: it is built once per point and kept, and a product then costs 2.2 gradients instead of 3.3.
What does not fit the memory budget is built again for every product.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from unstuck.core.errors import BadInput
from unstuck.linalg.accurate_dots import norm
from unstuck.objective.contract import Gradient, NoiseSum, Number, Objective, Point, Work
from unstuck.objective.layout import Layout

GRAPH_TO_FORWARD = 3.2  # bytes of the kept gradient graph over bytes the forward pass saves; measured 3.0 to 3.1


class Piece(Protocol):
    """One term of the objective."""

    def loss(self, leaves: Sequence[Tensor]) -> Tensor:
        """The scalar loss as a function of the parameters."""

    def split(self, leaves: Sequence[Tensor]) -> tuple[list[Tensor], Callable[[list[Tensor]], Tensor]]:
        """The model's outputs, and the loss as a function of them; raises BadInput when there is no such split."""

    def examples(self, leaves: Sequence[Tensor]) -> tuple[Tensor, float]:
        """Losses of the examples one by one, and the number that their sum is divided by."""


def free_memory_bytes() -> int:
    """Physical memory that is free now; 4 GiB where the system does not tell."""
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return 4 << 30


class PieceObjective(Objective):
    """Pieces, their weights, and the point they were made at."""

    def __init__(
        self,
        *,
        layout: Layout,
        start: Tensor,
        pieces: Sequence[Piece],
        weights: Sequence[float],
        about: dict[str, Any],
        memory_bytes: int | None,
    ) -> None:
        self.layout = layout
        self.work = Work()
        self.about = about
        self._start = start
        self._pieces = [piece for piece, weight in zip(pieces, weights, strict=True) if weight != 0.0]
        self._weights = [weight for weight in weights if weight != 0.0]
        if not self._pieces:
            raise BadInput("data", got="batches that all weigh nothing", want="at least one target that counts")
        self.memory_bytes = memory_bytes
        self._forward_bytes: int | None = None

    @property
    def dtype(self) -> torch.dtype:
        return self._start.dtype

    @property
    def pieces(self) -> int:
        """How many batches the loss is made of."""
        return len(self._pieces)

    def start(self) -> Tensor:
        return self._start.clone()

    def leaves(self, parameters: Tensor, *, gradient: bool) -> list[Tensor]:
        """Fresh tensors in the parameters' shapes. Copies: so they are aligned as a module's own are."""
        return [part.clone().requires_grad_(gradient) for part in self.layout.split(parameters)]

    def value(self, parameters: Tensor) -> float:
        leaves = self.leaves(self.check(parameters), gradient=False)
        self.work.values += 1
        with torch.no_grad():
            losses = zip(self._pieces, self._weights, strict=True)
            return float(sum(weight * float(piece.loss(leaves)) for piece, weight in losses))

    def gradient(self, parameters: Tensor) -> Gradient:
        parameters = self.check(parameters)
        leaves = self.leaves(parameters, gradient=True)
        sums = NoiseSum.empty(parameters)
        value = 0.0
        self.work.gradients += 1
        for piece, weight in zip(self._pieces, self._weights, strict=True):
            loss = piece.loss(leaves)
            value += weight * float(loss.detach())
            sums.add(self._flat(_gradients(loss, leaves, graph=False)), float(loss.detach()), weight)
        return Gradient(value, sums.mean, sums.result())

    def _flat(self, tensors: Sequence[Tensor | None]) -> Tensor:
        home = self._start
        return torch.cat(
            [
                home.new_zeros(count) if tensor is None else tensor.detach().reshape(-1)
                for tensor, count in zip(tensors, self.layout.counts, strict=True)
            ]
        )

    def forward_bytes(self) -> int:
        """Bytes one piece's forward pass saves for its gradient; measured once, on the first piece. *Cost*: its
        forward."""
        if self._forward_bytes is None:
            leaves = self.leaves(self._start, gradient=True)
            own = {leaf.data_ptr() for leaf in leaves}
            seen: dict[int, int] = {}

            def note(tensor: Tensor) -> Tensor:
                storage = tensor.untyped_storage()
                if storage.data_ptr() not in own:
                    seen[storage.data_ptr()] = storage.nbytes()
                return tensor

            with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
                loss = self._pieces[0].loss(leaves)
            self._forward_bytes = sum(seen.values())
            del loss
        return self._forward_bytes

    def at(self, parameters: Tensor | None = None) -> Point:
        where = self._start if parameters is None else self.check(parameters)
        budget = self.memory_bytes if self.memory_bytes is not None else free_memory_bytes() // 3
        each = max(1, int(self.forward_bytes() * GRAPH_TO_FORWARD))
        return KeptPoint(self, where, keep=min(len(self._pieces), max(0, budget // each)), each_bytes=each)

    def state(self) -> tuple[list[Piece], list[float]]:
        """Pieces with their weights, for the point."""
        return self._pieces, self._weights


def _gradients(loss: Tensor, leaves: Sequence[Tensor], *, graph: bool) -> list[Tensor | None]:
    if not loss.requires_grad:  # no parameter enters this piece
        return [None] * len(leaves)
    return list(torch.autograd.grad(loss, leaves, create_graph=graph, allow_unused=True))


class KeptPoint(Point):
    """Graphs of the gradient kept per piece; closing frees them."""

    def __init__(self, objective: PieceObjective, parameters: Tensor, *, keep: int, each_bytes: int) -> None:
        self._objective = objective
        self._leaves = objective.leaves(parameters, gradient=True)
        self.parameters = parameters
        pieces, weights = objective.state()
        sums = NoiseSum.empty(parameters)
        value = 0.0
        self.reached = False
        self._outputs: list[Tensor] = []
        self._which: list[int] = []
        self._again: list[tuple[Piece, float]] = []
        for index, (piece, weight) in enumerate(zip(pieces, weights, strict=True)):
            kept = index < keep
            loss = piece.loss(self._leaves)
            gradients = _gradients(loss * weight, self._leaves, graph=kept)
            self.reached = self.reached or any(gradient is not None for gradient in gradients)
            part = float(loss.detach())
            value += weight * part
            sums.add(objective._flat(gradients) / weight, part, weight)
            if kept:
                for place, gradient in enumerate(gradients):
                    # Unused: none. Entering linearly: a gradient without a graph. Both have no second derivative.
                    if gradient is not None and gradient.requires_grad:
                        self._outputs.append(gradient)
                        self._which.append(place)
            else:
                self._again.append((piece, weight))
            del loss, gradients
        objective.work.gradients += 1
        self.value = value
        self.gradient = sums.mean
        self.noise = sums.result()
        self.kept_bytes = keep * each_bytes
        self.kept_pieces = keep
        self._batched_works: bool | None = None
        self._ggn: list[Any] | None = None
        self._fisher: list[Any] | None = None
        self._closed = False

    def hvp(self, vector: Tensor) -> Tensor:
        self._open()
        self._objective.work.products += 1
        parts = self._objective.layout.split(vector.detach())
        total = self._second(self._outputs, self._which, parts, retain=True)
        for piece, weight in self._again:
            gradients = _gradients(piece.loss(self._leaves) * weight, self._leaves, graph=True)
            places = [place for place, g in enumerate(gradients) if g is not None and g.requires_grad]
            total += self._second(
                [g for g in gradients if g is not None and g.requires_grad], places, parts, retain=False
            )
        return total

    def _second(self, outputs: list[Tensor], which: list[int], parts: list[Tensor], *, retain: bool) -> Tensor:
        if not outputs:
            return torch.zeros_like(self.gradient)
        seconds = torch.autograd.grad(
            outputs, self._leaves, [parts[place] for place in which], retain_graph=retain, allow_unused=True
        )
        return self._objective._flat(seconds)

    def hvp_block(self, vectors: Tensor) -> Tensor:
        """Rows in one backward pass where that gives the same as one by one, which is checked on the first block."""
        self._open()
        if self._again or not self._outputs or self._batched_works is False or len(vectors) == 1:
            return torch.stack([self.hvp(vector) for vector in vectors])
        try:
            parts = self._objective.layout.split(vectors.detach())
            seconds = torch.autograd.grad(
                self._outputs,
                self._leaves,
                [parts[place] for place in self._which],
                retain_graph=True,
                allow_unused=True,
                is_grads_batched=True,
            )
        except RuntimeError:  # an operator without a batching rule
            self._batched_works = False
            return self.hvp_block(vectors)
        rows = len(vectors)
        counts = self._objective.layout.counts
        block = torch.cat(
            [
                vectors.new_zeros(rows, count) if second is None else second.reshape(rows, count)
                for second, count in zip(seconds, counts, strict=True)
            ],
            dim=1,
        )
        if self._batched_works is None:
            # Batching rules of some normalization layers have been wrong, silently: compare before trusting.
            single = self.hvp(vectors[0])
            bound = 1e3 * torch.finfo(block.dtype).eps * max(norm(single), norm(block[0]))
            self._batched_works = norm(block[0] - single) <= bound
            if not self._batched_works:
                return self.hvp_block(vectors)
        self._objective.work.products += rows
        return block

    def ggn(self, vector: Tensor) -> Tensor:
        """Generalized Gauss–Newton product Jᵀ H_loss J v, J the derivative of the model's outputs.

        *Source*: Schraudolph 2002. For softmax cross-entropy, sigmoid cross-entropy and squared error this is the
        Fisher
        matrix of the model's own predictive distribution (Martens 2020, sec. 9.2).
        """
        self._open()
        self._objective.work.products += 1
        if self._ggn is None:
            pieces, weights = self._objective.state()
            self._ggn = [
                _gauss_newton(piece, weight, self._leaves) for piece, weight in zip(pieces, weights, strict=True)
            ]
        return self._sum_of_squares(self._ggn, vector)

    def empirical_fisher(self, vector: Tensor) -> Tensor:
        self._open()
        self._objective.work.products += 1
        if self._fisher is None:
            pieces, weights = self._objective.state()
            self._fisher = [_outer(piece, weight, self._leaves) for piece, weight in zip(pieces, weights, strict=True)]
        return self._sum_of_squares(self._fisher, vector)

    def _sum_of_squares(self, items: list[Any], vector: Tensor) -> Tensor:
        parts = self._objective.layout.split(vector.detach())
        total = torch.zeros_like(self.gradient)
        for outputs, duals, pulled, which, middle in items:
            if not pulled:
                continue
            forward = torch.autograd.grad(
                pulled, duals, [parts[place] for place in which], retain_graph=True, allow_unused=True
            )
            pushed = middle([d.detach() * 0 if f is None else f for f, d in zip(forward, duals, strict=True)])
            back = torch.autograd.grad(outputs, self._leaves, pushed, retain_graph=True, allow_unused=True)
            total += self._objective._flat(back)
        return total

    def close(self) -> None:
        self._outputs, self._again, self._ggn, self._fisher = [], [], None, None
        self._closed = True

    def _open(self) -> None:
        if self._closed:
            raise BadInput("point", got="closed", want="open", hint="products belong inside the with block")


def _pulled_back(outputs: list[Tensor], leaves: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor], list[int]]:
    """J ᵀu as a function of a dual u: its derivative in direction v is J v."""
    duals = [torch.zeros_like(output, requires_grad=True) for output in outputs]
    pulled = torch.autograd.grad(outputs, leaves, duals, create_graph=True, allow_unused=True)
    places = [place for place, tensor in enumerate(pulled) if tensor is not None and tensor.requires_grad]
    return duals, [pulled[place] for place in places], places


def _gauss_newton(piece: Piece, weight: float, leaves: Sequence[Tensor]) -> tuple[Any, ...]:
    outputs, loss_of = piece.split(leaves)
    cut = [output.detach().requires_grad_(True) for output in outputs]
    slopes = torch.autograd.grad(loss_of(cut) * weight, cut, create_graph=True, allow_unused=True)
    duals, pulled, places = _pulled_back(outputs, leaves)
    active = [slope for slope in slopes if slope is not None and slope.requires_grad]
    where = [place for place, slope in enumerate(slopes) if slope is not None and slope.requires_grad]

    def middle(forward: list[Tensor]) -> list[Tensor]:
        if not active:
            return [torch.zeros_like(f) for f in forward]
        bent = torch.autograd.grad(
            active, cut, [forward[place] for place in where], retain_graph=True, allow_unused=True
        )
        return [torch.zeros_like(f) if b is None else b for b, f in zip(bent, forward, strict=True)]

    return outputs, duals, pulled, places, middle


def _outer(piece: Piece, weight: float, leaves: Sequence[Tensor]) -> tuple[Any, ...]:
    losses, count = piece.examples(leaves)
    duals, pulled, places = _pulled_back([losses], leaves)
    return [losses], duals, pulled, places, lambda forward: [part * (weight / count) for part in forward]


def plain_numbers(about: dict[str, Any]) -> dict[str, Number | Sequence[str]]:
    """The statement of what was used, ready for JSON."""
    return {
        key: value if isinstance(value, int | float | str | bool | list | None) else str(value)
        for key, value in about.items()
    }

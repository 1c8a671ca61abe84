"""Parameters that are updated in one call: one group, one device, one type, one age."""

from __future__ import annotations

from collections.abc import Callable
from itertools import repeat
from operator import attrgetter, is_, itemgetter
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.graph import increment_version

from unstuck.core.errors import BadInput
from unstuck.optim.planner import Plan, choose, structure
from unstuck.optim.rule import Now, Rule, Tensors

_dtype_of = attrgetter("dtype")
PIECE = 1 << 16  # elements; measured at 25M parameters: 2¹⁴ takes 89 ms, 2¹⁵ 66, 2¹⁶ and 2¹⁷ 43, no pieces 61


def _pieces(params: Tensors) -> list[tuple[int, int]]:
    """Runs of neighboring tensors of about ``PIECE`` elements together."""
    runs, begin, room = [], 0, 0
    for i, p in enumerate(params):
        if room and room + p.numel() > PIECE:
            runs.append((begin, i))
            begin, room = i, 0
        room += p.numel()
    return [*runs, (begin, len(params))]


class Bucket:
    """Tensor lists that are built once and used at every step, and the scratch that goes with them.

    ``age`` counts the updates these parameters have had; the tensor ``state[p]["step"]`` of all of them is one object.
    """

    def __init__(self, where: list[int], params: list[Tensor], states: list[dict[str, Any]], age: int) -> None:
        self.where = where  # positions among the group's parameters
        self.params = params
        self.states = states
        self.age = age
        first = params[0]
        self.device, self.dtype = first.device, first.dtype
        self.complex = first.is_complex()
        self.contiguous = all(p.is_contiguous() for p in params)
        self.lists: dict[str, list[Tensor]] = {}
        # the same memory as an array: numpy writes a number in a twentieth of the time torch takes
        self._ages = np.full((), age, dtype=np.float32)
        self.clock = torch.from_numpy(self._ages)
        for state in states:
            state["step"] = self.clock
        self._held: list[tuple[itemgetter[str], list[Tensor]]] = []
        self._scratch: dict[str, Tensors] = {}
        self._pieces: list[tuple[int, int]] | None = None
        self._shared: dict[str, Tensor] = {}
        self._views: dict[tuple[str, object], Tensors] = {}
        self._plan: Plan | None = None
        self.rule: Rule  # of the coming update
        self.grads: Tensors = []
        self.now = Now(age + 1, 0.0, 0.0, params, self.spare)
        self.update = self.stream = 0
        self._lowering = ""

    def spare(self, name: str) -> Tensors:
        """Scratch like the parameters, made at first use and kept."""
        if name not in self._scratch:
            like = [torch.view_as_real(p) for p in self.params] if self.complex else self.params
            self._scratch[name] = [torch.empty_like(p, memory_format=torch.preserve_format) for p in like]
        return self._scratch[name]

    def ready(self, rule: Rule, lowering: str) -> Plan:
        """The plan for the rule, after state tensors it lacks were made."""
        if self._plan is not None and rule is self.rule and lowering == self._lowering:
            return self._plan
        for name, fill in rule.slots.items():
            tensors = []
            for p, state in zip(self.params, self.states, strict=True):
                kept = state.get(name)
                if kept is None:
                    value = complex(fill, fill) if self.complex else fill
                    kept = state[name] = torch.full_like(
                        p, value, memory_format=torch.preserve_format, requires_grad=False
                    )
                elif kept.shape != p.shape or kept.device != p.device:
                    raise BadInput(
                        f"state[{name!r}]",
                        got=f"{tuple(kept.shape)} on {kept.device}",
                        want=f"{tuple(p.shape)} on {p.device}, as its parameter",
                        hint="move a model before its optimizer is made, or load the state again",
                    )
                elif kept.stride() != p.stride():  # the parameter was laid out anew, as channels_last does
                    laid = torch.empty_like(p, memory_format=torch.preserve_format, requires_grad=False)
                    kept = state[name] = laid.copy_(kept)
                tensors.append(kept)
            self.lists[name] = tensors
        self._held = [(itemgetter(name), kept) for name, kept in self.lists.items()]
        if self._plan is None or lowering != self._lowering or self._plan.fits != structure(rule):
            real = torch.view_as_real(self.params[0]).dtype if self.complex else self.dtype
            self._plan = choose(rule, self.device, real, lowering)
        self.rule, self._lowering = rule, lowering
        return self._plan

    @property
    def kind(self) -> str:
        """How the update is computed: fused, eager, compile; empty before the first."""
        return self._plan.kind if self._plan is not None else ""

    def lowered(self, lowering: str) -> bool:
        """Whether the plan at hand was chosen for this lowering."""
        return lowering == self._lowering

    def stale(self) -> bool:
        """Whether somebody put other state tensors in place of the ones at hand, or moved or re-laid the parameters."""
        params, states = self.params, self.states
        try:
            for get, kept in self._held:
                if not all(map(is_, map(get, states), kept)):
                    return True
        except KeyError:
            return True
        if self.contiguous and not all(map(torch.Tensor.is_contiguous, params)):
            return True
        first = params[0]
        return first.device != self.device or first.dtype is not self.dtype

    def usable(self, grads: list[Tensor]) -> list[Tensor] | None:
        """Gradients laid out as their parameters and of their type; None if one is sparse.

        Kernels read parameters and gradients by their position in memory.
        """
        if (
            self.contiguous
            and all(map(torch.Tensor.is_contiguous, grads))
            and all(map(is_, map(_dtype_of, grads), repeat(self.dtype)))
        ):
            return grads
        if any(g.is_sparse for g in grads):
            return None
        matched = []
        for p, g in zip(self.params, grads, strict=True):
            if g.stride() != p.stride() or g.dtype is not p.dtype or g.is_conj() or g.is_neg():
                own = torch.empty_like(p, memory_format=torch.preserve_format, requires_grad=False)
                g = own.copy_(g)
            matched.append(g)
        return matched

    def advance(self) -> None:
        """Make the update. In plain torch on the processor it goes piece by piece, each small enough for the cache.

        An update is a dozen passes over the same numbers: over a whole model each pass would come from memory.
        """
        plan, state, rule, grads, now = self._plan, self.state(), self.rule, self.grads, self.now
        assert plan is not None
        self.grads = []  # not kept alive beyond the step
        self.age = now.t
        if plan.kind != "eager" or self.device.type != "cpu":
            plan.advance(rule, grads, state, now)
            if plan.kind == "fused":  # the kernels do not tell autograd that the parameters changed
                increment_version(self.params)
            self._ages[()] = now.t
            return
        if self._pieces is None:
            self._pieces = _pieces(now.params)
        whole = rule.trust is not None or not self.contiguous  # a ratio needs the norm of the whole tensor
        for a, b in self._pieces:
            params = now.params[a:b]
            if whole or b - a > 1 or params[0].numel() <= 2 * PIECE:
                part = Now(now.t, now.lr, now.base_lr, params, self._near(params, (a, b)))
                plan.advance(rule, grads[a:b], {name: kept[a:b] for name, kept in state.items()}, part)
                continue
            cuts = [
                torch.split(one.view(-1), PIECE) for one in (params[0], grads[a], *(kept[a] for kept in state.values()))
            ]
            for p, g, *kept in zip(*cuts, strict=True):
                part = Now(now.t, now.lr, now.base_lr, [p], self._near([p], p.numel()))
                plan.advance(rule, [g], {name: [one] for name, one in zip(state, kept, strict=True)}, part)
        self._ages[()] = now.t

    def _near(self, params: Tensors, key: object) -> Callable[[str], Tensors]:
        """Scratch like some of the parameters, in memory that all pieces share."""

        def spare(name: str) -> Tensors:
            found = self._views.get((name, key))
            if found is None:
                room = sum(p.numel() for p in params)
                flat = self._shared.get(name)
                if flat is None or flat.numel() < room:
                    flat = self._shared[name] = torch.empty(room, dtype=params[0].dtype, device=self.device)
                    self._views = {k: v for k, v in self._views.items() if k[0] != name}
                cut = torch.split(flat[:room], [p.numel() for p in params])
                found = self._views[name, key] = [one.view(p.shape) for one, p in zip(cut, params, strict=True)]
            return found

        return spare

    def take(self, grads: Tensors, lr: float, base_lr: float, update: int, stream: int) -> None:
        """Get ready for an update: nothing moves yet. ``update`` and ``stream`` are the group's count and number."""
        now = self.now
        now.t, now.lr, now.base_lr = self.age + 1, lr, base_lr
        if self.complex:
            now.params = [torch.view_as_real(p) for p in self.params]
        self.grads, self.update, self.stream = grads, update, stream

    def real(self, tensors: list[Tensor]) -> Tensors:
        """Complex tensors as pairs of real ones."""
        return [torch.view_as_real(one.resolve_conj()) for one in tensors] if self.complex else tensors

    def state(self) -> dict[str, Tensors]:
        """The state tensors by name, as lists over the parameters."""
        return {name: self.real(kept) for name, kept in self.lists.items()} if self.complex else self.lists

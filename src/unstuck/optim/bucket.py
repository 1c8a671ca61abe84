"""Parameters that are updated in one call: one group, one device, one type, one age."""

from __future__ import annotations

from operator import is_, itemgetter
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unstuck.core.errors import BadInput
from unstuck.optim.planner import Plan, choose, structure
from unstuck.optim.rule import Now, Rule, Tensors


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
        self._plan: Plan | None = None
        self._rule: Rule | None = None
        self._lowering = ""

    def spare(self, name: str) -> Tensors:
        """Scratch like the parameters, made at first use and kept."""
        if name not in self._scratch:
            like = [torch.view_as_real(p) for p in self.params] if self.complex else self.params
            self._scratch[name] = [torch.empty_like(p, memory_format=torch.preserve_format) for p in like]
        return self._scratch[name]

    def ready(self, rule: Rule, lowering: str) -> Plan:
        """The plan for the rule, after state tensors it lacks were made."""
        if rule is self._rule and lowering == self._lowering and self._plan is not None:
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
        self._rule, self._lowering = rule, lowering
        return self._plan

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

    def usable(self, grads: list[Tensor]) -> list[Tensor]:
        """Gradients laid out as their parameters: kernels read both by position in memory."""
        if self.contiguous and all(map(torch.Tensor.is_contiguous, grads)):
            return grads
        matched = []
        for p, g in zip(self.params, grads, strict=True):
            if g.stride() != p.stride() or g.is_conj() or g.is_neg():
                own = torch.empty_like(p, memory_format=torch.preserve_format, requires_grad=False)
                g = own.copy_(g)
            matched.append(g)
        return matched

    def now(self, lr: float, base_lr: float) -> Now:
        """The update that is about to be made, with its tensors as real numbers."""
        params = [torch.view_as_real(p) for p in self.params] if self.complex else self.params
        return Now(self.age + 1, lr, base_lr, params, self.spare)

    def real(self, tensors: list[Tensor]) -> Tensors:
        """Complex tensors as pairs of real ones."""
        return [torch.view_as_real(one.resolve_conj()) for one in tensors] if self.complex else tensors

    def state(self) -> dict[str, Tensors]:
        """The state tensors by name, as lists over the parameters."""
        return {name: self.real(kept) for name, kept in self.lists.items()} if self.complex else self.lists

    def grown(self) -> None:
        """Count the update that was made."""
        self.age += 1
        self._ages[()] = self.age

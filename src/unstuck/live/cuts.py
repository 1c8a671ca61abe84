"""Cuts between modules: what one module put out with a graph enters another one without it.

``dec(enc(x).data)`` leaves no trace in the graph: the decoder's loss does not know that there is an encoder. But the
memory is the same. While the first steps are sampled, the storages that modules put out are noted (weakly, so that
nothing is kept alive and no address is mistaken for an earlier one), and what enters other modules is looked up.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch.multiprocessing.reductions import StorageWeakRef

from unstuck.launch.frames import user_line
from unstuck.live.registry import has_parameters

if TYPE_CHECKING:
    from unstuck.live.watcher import Watcher

MAX_STORAGES = 64
MAX_NOTES = 512  # outputs looked at in one step: a long unrolled loop must not cost more than its sample
MAX_TENSORS = 8  # of one call
MAX_MODULES = 4  # that put out the same storage: a layer, its block, the encoder, the model
MAX_PAIRS = 4


class Cuts:
    """Knows which modules put out which memory in the step under way."""

    def __init__(self, watcher: Watcher) -> None:
        self.watcher = watcher
        self.listening = True
        self.pairs: set[tuple[str, str]] = set()
        self.notes = 0
        # By the storage's address: the weak reference that makes sure of it, the version, the modules from within.
        self.put_out: dict[int, tuple[StorageWeakRef, int, list[weakref.ref[torch.nn.Module]]]] = {}

    def forget(self) -> None:
        """The step is over."""
        self.put_out.clear()
        self.notes = 0

    def close(self) -> None:
        """The first samples are done: a cut that is there at all has been seen."""
        self.listening = False
        self.forget()

    def _may_look(self) -> bool:
        return (
            torch.is_grad_enabled()
            and torch._C._get_tracing_state() is None
            and torch._C._functorch.maybe_current_level() is None
        )

    def left(self, module: torch.nn.Module, output: Any) -> None:
        """A module has put something out."""
        if self.notes >= MAX_NOTES or not self._may_look() or not has_parameters(module):
            return
        self.notes += 1
        for tensor in _tensors(output):
            if tensor.grad_fn is None:
                continue
            storage = tensor.untyped_storage()
            known = self.put_out.get(storage._cdata)
            if known is not None:
                if len(known[2]) < MAX_MODULES:
                    known[2].append(weakref.ref(module))
            elif len(self.put_out) < MAX_STORAGES:
                weak = StorageWeakRef(storage)  # type: ignore[no-untyped-call]
                self.put_out[storage._cdata] = (weak, tensor._version, [weakref.ref(module)])

    def entered(self, module: torch.nn.Module, args: tuple, kwargs: Mapping[str, Any]) -> None:
        """A module is about to be called."""
        if not self.put_out or len(self.pairs) >= MAX_PAIRS or not self._may_look():
            return
        for tensor in _tensors((*args, *kwargs.values())):
            if tensor.requires_grad or not tensor.is_floating_point():
                continue
            key = tensor.untyped_storage()._cdata
            known = self.put_out.get(key)
            # What .data gives counts its versions anew; detach() goes on counting.
            if known is None or tensor._version not in (0, known[1]):
                continue
            if known[0].expired():  # type: ignore[no-untyped-call]
                continue
            if has_parameters(module):
                del self.put_out[key]  # the parts of this module get it too
                self._report(known[2], module)

    def _report(self, sources: list[weakref.ref[torch.nn.Module]], to: torch.nn.Module) -> None:
        """The outermost module that put it out, unless one of the two is part of the other (a net that runs in time)."""
        target = self._name(to)
        inside = {id(part) for part in to.modules()}
        for ref in reversed(sources):
            source = ref()
            if source is None or id(source) in inside or any(part is to for part in source.modules()):
                continue
            name = self._name(source)
            if name and target and (name, target) not in self.pairs:
                self.pairs.add((name, target))
                watcher = self.watcher
                data: dict[str, Any] = {"from": name, "to": target, "line": user_line()}
                watcher.event("cut", step=watcher.current_step(), limit=MAX_PAIRS, **data)
            return

    def _name(self, module: torch.nn.Module) -> str:
        """The module's name as the names of its parameters have it; "" when it has none."""
        for inner, parameter in torch.nn.Module.named_parameters(module):
            full = self.watcher.registry.names.get(id(parameter), "")
            return full.removesuffix(f".{inner}") if full.endswith(f".{inner}") else ""
        return ""


def _tensors(things: Any, *, depth: int = 2) -> Iterator[torch.Tensor]:
    """The plain dense tensors among a call's arguments or results, a few at most."""
    found = 0
    stack = [(things, depth)]
    while stack and found < MAX_TENSORS:
        thing, levels = stack.pop()
        if type(thing) is torch.Tensor:
            if thing.layout is torch.strided:
                found += 1
                yield thing
        elif levels and isinstance(thing, tuple | list):
            stack += [(part, levels - 1) for part in reversed(thing[:MAX_TENSORS])]
        elif levels and isinstance(thing, dict):
            stack += [(part, levels - 1) for part in list(thing.values())[:MAX_TENSORS]]

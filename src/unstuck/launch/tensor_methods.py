"""Methods of ``torch.Tensor`` that are replaced for a while: under their names, and silent where torch looks at the code."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import torch


class Replaced:
    """Methods of tensors in whose place functions of ours stand while they are wanted; ``make(original)`` makes each.

    >>> calls = []
    >>> def make(original):
    ...     return lambda *args: calls.append(original.__name__) or original(*args)
    >>> methods = Replaced(("long",), make)
    >>> methods.stand(True)
    >>> _ = torch.ones(1).long()
    >>> methods.stand(False)
    >>> _ = torch.ones(1).long()
    >>> calls
    ['long']
    """

    def __init__(self, names: Sequence[str], make: Callable[[Any], Any]) -> None:
        self._names, self._make = tuple(names), make
        self._standing: list[tuple[str, Any, Any]] = []  # name, what stood there itself (None: inherited), ours

    def stand(self, wanted: bool) -> None:
        """Put ours in their place, or take them out again; one that somebody else has replaced since then stays."""
        if wanted and not self._standing:
            for name in self._names:
                original = getattr(torch.Tensor, name)
                ours = as_a_method(self._make(original), original, name)
                self._standing.append((name, torch.Tensor.__dict__.get(name), ours))
                setattr(torch.Tensor, name, ours)
        elif not wanted:
            for name, own, ours in self._standing:
                if torch.Tensor.__dict__.get(name) is not ours:
                    continue
                if own is None:
                    delattr(torch.Tensor, name)
                else:
                    setattr(torch.Tensor, name, own)
            self._standing.clear()


def as_a_method(ours: Any, original: Any, name: str) -> Any:
    """A function with the name and the documentation of the method that it stands for; pickle finds it by these."""
    with contextlib.suppress(AttributeError, TypeError):
        ours.__wrapped__ = original
        ours.__doc__ = original.__doc__
    ours.__name__, ours.__qualname__, ours.__module__ = name, f"Tensor.{name}", "torch"
    return ours


def looked_at() -> bool:
    """Whether a call is traced, compiled or transformed, or a mode of the script's hears every function: then be silent.

    >>> looked_at()
    False
    """
    if torch.compiler.is_compiling() or torch._C._get_tracing_state() is not None:
        return True
    for depth in ("_len_torch_function_stack", "_len_torch_dispatch_stack"):
        ask = getattr(torch._C, depth, None)
        if ask is None or ask() > 0:
            return True
    level = getattr(getattr(torch._C, "_functorch", None), "maybe_current_level", None)
    return level is None or level() is not None

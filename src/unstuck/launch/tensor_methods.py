"""Methods of ``torch.Tensor`` that are replaced for a while: under their names, and silent where torch looks at the code."""

from __future__ import annotations

import contextlib
from typing import Any

import torch


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

"""The state in which probes compute: no graph, no autocast, no modes of the script's own."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from typing import Any

import torch


def _autocast_devices() -> list[str]:
    """Device types on which autocast is switched on right now."""
    if not torch._C._is_any_autocast_enabled():
        return []
    kinds = ["cpu"]
    kinds += [
        kind for kind in ("cuda", "mps", "xpu") if getattr(torch.backends, kind, None) is not None or kind == "xpu"
    ]
    found = []
    for kind in kinds:
        try:
            if torch.is_autocast_enabled(kind):
                found.append(kind)
        except (RuntimeError, TypeError):  # a device type this build does not know
            continue
    return found


_inside = threading.local()


class quiet:
    """Compute without leaving a trace in the script: no gradient, no autocast, no function or dispatch mode.

    A default device, a counter of operations, autocast and inference mode are all modes that the script may have
    switched on and that would change, or count, what a probe computes. Cost: about ten microseconds, next to nothing
    inside another one.

    >>> weight = torch.ones(2, requires_grad=True)
    >>> with quiet():
    ...     (weight * 2).requires_grad
    False
    """

    def __enter__(self) -> None:
        self._functions: Any = None
        if getattr(_inside, "active", False):
            return
        with ExitStack() as undo:
            functions = torch._C.DisableTorchFunction()
            undo.enter_context(functions)
            self._gradient = torch.is_grad_enabled()
            undo.callback(torch._C._set_grad_enabled, self._gradient)
            torch._C._set_grad_enabled(False)
            self._rare = _rare_modes()
            undo.pop_all()
            self._functions = functions
        _inside.active = True

    def __exit__(self, *problem: object) -> None:
        if self._functions is None:
            return
        _inside.active = False
        if self._rare is not None:
            self._rare.close()
        torch._C._set_grad_enabled(self._gradient)
        self._functions.__exit__(None, None, None)


def _rare_modes() -> ExitStack | None:
    """Leave inference mode, autocast and dispatch modes, where the script is in one."""
    autocast, modes = _autocast_devices(), torch._C._len_torch_dispatch_stack() > 0
    inference = torch.is_inference_mode_enabled()
    if not autocast and not modes and not inference:
        return None
    with ExitStack() as stack:
        if inference:
            # What a probe keeps between samples must not be an inference tensor: it could not be updated later.
            stack.enter_context(torch.inference_mode(False))
            stack.enter_context(torch.no_grad())
        for kind in autocast:
            stack.enter_context(torch.autocast(kind, enabled=False))
        if modes:
            from torch.utils._python_dispatch import _disable_current_modes

            stack.enter_context(_disable_current_modes())
        return stack.pop_all()

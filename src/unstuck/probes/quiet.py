"""The state in which probes compute: no graph, no autocast, no modes of the script's own."""

from __future__ import annotations

import threading
from contextlib import ExitStack

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


class quiet:  # noqa: N801 - used like a function
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
        self._stack: ExitStack | None = None
        if getattr(_inside, "active", False):
            return
        with ExitStack() as stack:
            stack.enter_context(torch.no_grad())
            stack.enter_context(torch._C.DisableTorchFunction())
            if torch.is_inference_mode_enabled():
                # What a probe keeps between samples must not be an inference tensor: it could not be updated later.
                stack.enter_context(torch.inference_mode(False))
                stack.enter_context(torch.no_grad())
            for kind in _autocast_devices():
                stack.enter_context(torch.autocast(kind, enabled=False))
            if torch._C._len_torch_dispatch_stack() > 0:
                from torch.utils._python_dispatch import _disable_current_modes

                stack.enter_context(_disable_current_modes())
            self._stack = stack.pop_all()
        _inside.active = True

    def __exit__(self, *problem: object) -> None:
        if self._stack is not None:
            _inside.active = False
            self._stack.close()

"""Whether calling a model's code once more could do something outside the model."""

from __future__ import annotations

import contextlib
import dis
import io
import random
import sys
import threading
from collections.abc import Iterator
from types import CodeType
from typing import Any

import torch

_OUTSIDE = frozenset(
    ("open", "write", "writelines", "input", "exec", "eval", "system", "Popen", "save", "savez", "savefig", "dump",
     "wandb", "add_scalar", "put", "send", "sendall", "post", "append_to_file", "tofile", "to_csv")
)  # fmt: skip
_HOOKS = (
    "_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks",
)  # fmt: skip


def obstacle(model: torch.nn.Module) -> str | None:
    """Why the model had better not be called again, even as a copy: hooks of the script, or code that reaches outside.

    *Cost*: reads the byte code of the script's own ``forward`` methods, once for each class.
    """
    seen: set[type] = set()
    for name, module in model.named_modules():
        if any(getattr(module, hooks, None) for hooks in _HOOKS):
            return f"the script has a hook on {name or 'the model'}"
        kind = type(module)
        if kind in seen or kind.__module__.startswith("torch."):
            continue
        seen.add(kind)
        code = getattr(getattr(kind, "forward", None), "__code__", None)
        if not isinstance(code, CodeType):
            continue
        found = _reaches_outside(code)
        if found:
            return f"{kind.__name__}.forward {found}"
    return None


def _reaches_outside(code: CodeType) -> str | None:
    for step in dis.get_instructions(code):
        if step.opname in ("STORE_GLOBAL", "DELETE_GLOBAL"):
            return f"sets the global variable {step.argval}"
        calls = step.opname in ("LOAD_METHOD", "LOAD_ATTR", "LOAD_GLOBAL", "LOAD_NAME")
        if calls and step.argval in _OUTSIDE:
            return f"uses {step.argval}"
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found = _reaches_outside(constant)
            if found:
                return found
    return None


class _Unheard:
    """A stream that drops what the thread that made it writes. Other threads, the script's own, write to the real one."""

    def __init__(self, stream: Any) -> None:
        self._thread = threading.get_ident()
        self._nowhere = io.StringIO()
        self._stream = stream if stream is not None else io.StringIO()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._nowhere if threading.get_ident() == self._thread else self._stream, name)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """What this thread prints goes nowhere, and the random numbers of Python and NumPy stand where they stood."""
    numpy = sys.modules.get("numpy")
    state = random.getstate()
    states = numpy.random.get_state() if numpy is not None else None
    try:
        out, err = _Unheard(sys.stdout), _Unheard(sys.stderr)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):  # type: ignore[type-var]
            yield
    finally:
        random.setstate(state)
        if numpy is not None:
            numpy.random.set_state(states)

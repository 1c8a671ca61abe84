"""The loss functions of ``torch.nn.functional``, heard while somebody listens and passed straight through otherwise."""

from __future__ import annotations

import contextlib
import functools
import sys
import types
from collections.abc import Callable
from typing import Any

import torch

NAMES = (
    "cross_entropy",
    "nll_loss",
    "mse_loss",
    "l1_loss",
    "smooth_l1_loss",
    "huber_loss",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "kl_div",
    "soft_margin_loss",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "multilabel_soft_margin_loss",
)
LOSS_MODULES = "torch.nn.modules.loss"  # where torch defines its loss modules
# The machinery of warnings walks over frames whose file bears these two words (they stand for Python's own imports),
# so a warning of torch's still names the line of the script that called the loss. The path in front makes the frame
# one of ours where a traceback is trimmed.
_FILE = f"{__file__} <importlib._bootstrap>"

Told = Callable[[str, tuple[Any, ...], dict[str, Any], Any, Any], None]


class Ear:
    """One listener's ear. The functions are replaced when the first one opens, and put back when the last one closes.

    ``told`` gets the name, the arguments, what came back, and the loss module of torch's that made the call, or None;
    not for calls made inside another loss function, not under tracing, compiling or ``torch.func``. What it raises is
    dropped. Cost while nobody listens: one more call for each loss, about 0.4 µs.

    >>> heard = []
    >>> ear = Ear(lambda *call: heard.append(call))
    >>> ear.listen(True)
    >>> _ = torch.nn.functional.mse_loss(torch.zeros(2), torch.ones(2), reduction="sum")
    >>> ear.close()
    >>> heard[0][0], heard[0][2], float(heard[0][3])
    ('mse_loss', {'reduction': 'sum'}, 2.0)
    """

    def __init__(self, told: Told) -> None:
        self.told = told
        self.listening = False
        _ears.append(self)
        functional = torch.nn.functional
        for name in NAMES:
            current = getattr(functional, name, None)
            if current is not None and current is not _passing.get(name):
                _passing[name] = _pass(current)
                setattr(functional, name, _passing[name])

    def listen(self, wanted: bool) -> None:
        """Be told of the calls from now on, or no longer."""
        self.listening = wanted and self in _ears
        _heard[0] = _anybody_listens()

    def close(self) -> None:
        """Listen no more."""
        if self not in _ears:
            return
        self.listen(False)
        _ears.remove(self)
        if not _ears:
            _put_back()


_ears: list[Ear] = []
_heard = [False]  # whether anybody listens: the first thing that a call looks at
_passing: dict[str, Callable[..., Any]] = {}


def _anybody_listens() -> bool:
    return any(ear.listening for ear in _ears)


def _put_back() -> None:
    functional = torch.nn.functional
    for name in tuple(_passing):
        if vars(functional).get(name) is not _passing[name]:
            del _passing[name]  # somebody has put his own function there: it stays
        elif sys.getrefcount(_passing[name]) <= _HELD_BY_US:
            setattr(functional, name, _passing.pop(name).__wrapped__)  # type: ignore[attr-defined]
        # Otherwise the script keeps it somewhere, and it goes on passing calls through: pickle takes a function
        # only where it still finds it under its name.


_HELD_BY_US = 3  # the dictionary here, torch's, and the argument of the question itself


def _pass(original: Callable[..., Any]) -> Callable[..., Any]:
    """A function that does what ``original`` does, and tells of the call while anybody listens."""
    heard_name, heard, anybody, compiling = original.__name__, _heard, _anybody_listens, torch.compiler.is_compiling

    def function(*args: Any, **kwargs: Any) -> Any:
        if compiling() or not heard[0]:  # in this order: compiled code must not depend on who listens
            return original(*args, **kwargs)
        heard[0] = False  # a tensor subclass may call the function again from inside
        try:
            result = original(*args, **kwargs)
        finally:
            heard[0] = anybody()  # the call itself may have changed that
        tell(heard_name, args, kwargs, result)
        return result

    def tell(name: str, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        with contextlib.suppress(Exception):
            if not _transformed() and not hasattr(result, "fake_mode"):
                module = _calling_module()
                for ear in tuple(_ears):
                    if ear.listening:
                        ear.told(name, args, kwargs, result, module)

    # Globals of the original's module: whoever compiles the wrapper from its source looks names up there.
    globals_ = getattr(original, "__globals__", globals())
    code = function.__code__.replace(co_filename=_FILE)
    ours = types.FunctionType(code, globals_, original.__name__, None, function.__closure__)
    functools.update_wrapper(ours, original)
    ours.__prepare_scriptable__ = lambda: original  # type: ignore[attr-defined]  # torch.jit.script compiles what it gets
    return ours


def plain(function: Callable[..., Any]) -> Callable[..., Any]:
    """torch's own function where this is the one put in its place, else the same: what is kept must not keep ours."""
    ours = _passing.get(getattr(function, "__name__", ""))
    return function.__wrapped__ if ours is function else function  # type: ignore[attr-defined,no-any-return]


def _calling_module() -> Any:
    """The loss module of torch's (or of a class made from one) that calls the function, or None."""
    caller = sys._getframe(3)
    return caller.f_locals.get("self") if caller.f_globals.get("__name__") == LOSS_MODULES else None


def _transformed() -> bool:
    """Whether torch is looking at the call instead of making it."""
    if torch.jit.is_tracing():  # type: ignore[attr-defined, no-untyped-call]
        return True
    functorch = getattr(torch._C, "_functorch", None)
    level = getattr(functorch, "maybe_current_level", None)
    return level is not None and level() is not None

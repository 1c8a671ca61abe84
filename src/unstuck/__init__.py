"""Unstuck finds out why a neural network stopped learning, and gets it moving again.

Everything here is imported only when it is used: ``import unstuck`` itself brings in neither torch nor NumPy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from unstuck import examine as examine
    from unstuck import optim as optim
    from unstuck.examine import check_gradient as check_gradient
    from unstuck.examine import escape as escape
    from unstuck.live.context import watch as watch
    from unstuck.optim import find_rate as find_rate
    from unstuck.treatment.cure import cure as cure

# Public name: where it is defined. A name of two parts is an object, of one a module.
_PUBLIC = {
    "check_gradient": "unstuck.examine:check_gradient",
    "cure": "unstuck.treatment.cure:cure",
    "escape": "unstuck.examine:escape",
    "examine": "unstuck.examine",
    "find_rate": "unstuck.optim:find_rate",
    "watch": "unstuck.live.context:watch",
    "optim": "unstuck.optim",
}
__all__ = ["__version__", "check_gradient", "cure", "escape", "examine", "find_rate", "optim", "watch"]


def __getattr__(name: str) -> Any:
    place = _PUBLIC.get(name)
    if place is None:
        raise AttributeError(f"module 'unstuck' has no attribute {name!r}")
    import importlib

    module, _, attribute = place.partition(":")
    found = importlib.import_module(module)
    if attribute:
        found = getattr(found, attribute)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC})

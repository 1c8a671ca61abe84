"""A (model, loss, data) at hand: where it stands, how it leaves, whether its gradient is right.

The package can be called: ``unstuck.examine(model, loss_fn, data)``.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from unstuck.examine.examination import Examination, examine
from unstuck.examine.factory import load_factory
from unstuck.examine.gradient import check_gradient
from unstuck.examine.way_out import escape

__all__ = ["Examination", "check_gradient", "escape", "examine", "load_factory"]


class _CallableModule(ModuleType):
    """Lets ``unstuck.examine`` be both this package and its main function, whichever was imported first."""

    def __call__(self, *args: Any, **kwargs: Any) -> Examination:
        return examine(*args, **kwargs)


sys.modules[__name__].__class__ = _CallableModule

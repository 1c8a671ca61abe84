"""The remedies there are: every module in ``treatment/remedies/``. Loading them brings in no torch."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from types import ModuleType
from typing import cast

from unstuck.core.errors import BadInput
from unstuck.treatment import remedies as package
from unstuck.treatment.contract import Remedy

_NAMES = ("NAME", "ANSWERS", "TEXT", "RISK", "SPECIFIC", "MORE_COMPUTE", "variants", "treat", "change")


@functools.cache
def load() -> dict[str, Remedy]:
    """The remedies by name, in alphabetical order.

    >>> "learning-rate" in load()
    True
    """
    found: dict[str, Remedy] = {}
    for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda i: i.name):
        module: ModuleType = importlib.import_module(f"{package.__name__}.{info.name}")
        missing = [name for name in _NAMES if not hasattr(module, name)]
        if missing or not module.__doc__:
            raise BadInput(
                f"remedies/{info.name}.py", got=f"no {', '.join(missing) or 'docstring'}", want="all of a remedy"
            )
        found[module.NAME] = cast(Remedy, module)
    return found


def remedy(name: str) -> Remedy:
    """One remedy by its name; BadInput names the ones there are."""
    loaded = load()
    if name not in loaded:
        raise BadInput("remedy", got=name, want="the name of a remedy", hint=f"there are {', '.join(loaded)}")
    return loaded[name]

"""``module:factory`` on a command line: a function that returns a model, a loss and data."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from unstuck.core.errors import BadInput


def load_factory(where: str) -> dict[str, Any]:
    """Arguments for :func:`unstuck.examine.examine` from ``package.module:factory`` or ``file.py:factory``.

    The factory returns ``(model, loss_fn, data)``, ``(model, data)`` for models with their own loss, a dictionary of
    arguments, or an objective. *Errors*: BadInput naming what is missing.

    >>> sorted(load_factory("unstuck.problems:exclusive_or"))
    ['model']
    """
    module_name, _, name = where.partition(":")
    if not module_name or not name:
        raise BadInput("factory", got=where, want="module:function or file.py:function")
    if module_name.endswith(".py"):
        path = Path(module_name).resolve()
        if not path.is_file():
            raise BadInput("factory", got=where, want="a file that exists")
        folder, module_name = str(path.parent), path.stem
    else:
        folder = str(Path.cwd())
    sys.path.insert(0, folder)
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise BadInput("factory", got=where, want="a module that can be imported", hint=str(error)) from error
    finally:
        sys.path.remove(folder)
    factory = getattr(module, name, None)
    if not callable(factory):
        raise BadInput("factory", got=where, want=f"a function {name} in {module_name}")
    made = factory()
    if isinstance(made, Mapping):
        return dict(made)
    if isinstance(made, tuple) and len(made) == 3:
        return {"model": made[0], "loss_fn": made[1], "data": made[2]}
    if isinstance(made, tuple) and len(made) == 2:
        return {"model": made[0], "data": made[1]}
    return {"model": made}

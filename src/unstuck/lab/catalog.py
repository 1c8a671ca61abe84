"""The experiments, found by their folder."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from functools import cache

from unstuck.core.errors import BadInput
from unstuck.lab import experiments as folder
from unstuck.lab.contract import REQUIRED, Experiment


def names() -> list[str]:
    """All names, without loading an experiment.

    >>> "worst-network" in names()
    True
    """
    return sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(folder.__path__))


@cache
def load(name: str) -> Experiment:
    """The experiment of this name.

    Errors: ``BadInput`` with the nearest names, or with what the file lacks.

    >>> load("worst-network").covers
    ('A4', 'A5', 'A6', 'A7', 'A9')
    """
    known = names()
    wanted = name.strip().lower().replace("_", "-")
    if wanted not in known:
        near = difflib.get_close_matches(wanted, known, n=3, cutoff=0.4)
        hint = f"did you mean {', '.join(near)}?" if near else "`unstuck lab` lists them all"
        raise BadInput("experiment", got=name, want="the name of an experiment", hint=hint)
    module = importlib.import_module(f"{folder.__name__}.{wanted.replace('-', '_')}")
    missing = [need for need in REQUIRED if not hasattr(module, need)]
    if missing:
        raise BadInput(f"experiment {wanted}", got=f"no {', '.join(missing)}", want="every name of lab/contract.py")
    return Experiment(
        wanted,
        module.ORDER,
        tuple(module.COVERS),
        module.COST,
        tuple(module.SOURCES),
        module.SUBJECT,
        tuple(module.PLANTED),
        module.QUICK,
        module.FULL,
        module.TEXT,
        module.__name__,
    )


def experiments() -> list[Experiment]:
    """All of them, in the book's order."""
    return sorted((load(name) for name in names()), key=lambda experiment: (experiment.order, experiment.name))

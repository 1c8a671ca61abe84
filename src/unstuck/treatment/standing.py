"""Remedies that stand in a script: two lines at its head apply them every time it runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from unstuck.treatment.catalog import remedy
from unstuck.treatment.contract import Treatment

_standing: list[Any] = []  # stages stay for the life of the process


def apply(remedies: Sequence[tuple[str, Mapping[str, Any]]], known: Mapping[str, Any] | None = None) -> None:
    """Apply remedies to everything this process trains from here on.

    ``known``: what the remedies need to know of the run, as ``unstuck cure`` wrote it. Raises BadInput for a name that
    is no remedy. Cost: a few microseconds for each torch function that is called.
    """
    import torch

    from unstuck.treatment.stage import Stage

    stage = Stage()
    for number, (name, options) in enumerate(remedies):
        generator = torch.Generator().manual_seed(7_000_000 + number)
        remedy(name).treat(Treatment(stage, options, known or {}, generator))
    stage.install()
    _standing.append(stage)

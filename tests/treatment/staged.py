"""Runs a small training inside this process on a stage, as a replay does in a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from unstuck.launch import script
from unstuck.treatment import scores
from unstuck.treatment.catalog import remedy
from unstuck.treatment.contract import Treatment
from unstuck.treatment.facts import Facts
from unstuck.treatment.stage import Stage
from unstuck.treatment.yardstick import Yardstick

PATCHED = (
    (torch.nn.utils, "clip_grad_norm_"),
    (torch.nn.utils.clip_grad, "clip_grad_norm_"),
    (torch.nn.utils, "clip_grad_value_"),
    (torch.nn.utils.clip_grad, "clip_grad_value_"),
    (torch.nn.Module, "load_state_dict"),
    (torch.autograd.Function, "apply"),
    (script, "become_main"),
    (torch.optim.lr_scheduler.LRScheduler, "__init__"),
)


@dataclass
class Staged:
    """What one run showed."""

    measured: dict[str, Any]
    known: dict[str, Any]
    notes: list[list[str]]
    returned: Any

    @property
    def validation(self) -> float:
        found = scores.validation(self.measured)
        assert found is not None
        return found.value

    @property
    def training(self) -> float:
        found = scores.training(self.measured)
        assert found is not None
        return found.value


def staged(
    train: Callable[[], Any],
    *remedies: tuple[str, dict[str, Any]],
    known: dict[str, Any] | None = None,
    folder: Path | None = None,
) -> Staged:
    """Train with remedies on a stage; facts are collected when there is a folder for them."""
    before = [(owner, name, owner.__dict__[name]) for owner, name in PATCHED]
    torch.manual_seed(0)
    stage = Stage()
    yardstick = Yardstick(stage)
    facts = Facts(stage, folder) if folder is not None else None
    treatments = []
    for number, (name, options) in enumerate(remedies):
        treatment = Treatment(stage, options, known or {}, torch.Generator().manual_seed(number))
        remedy(name).treat(treatment)
        treatments.append(treatment)
    stage.install()
    try:
        returned = train()
        stage.quiet = True
        return Staged(
            yardstick.plain(), facts.plain() if facts is not None else {}, [t.notes for t in treatments], returned
        )
    finally:
        stage.remove()
        train.__globals__.pop("range", None)  # a longer loop has a range of its own
        for owner, name, original in before:
            setattr(owner, name, original)


def first_variant(name: str, known: dict[str, Any]) -> dict[str, Any]:
    """The options of a remedy's likeliest variant."""
    variants: Sequence[Any] = remedy(name).variants(known)
    assert variants, f"{name} does not fit"
    return dict(variants[0].options)

"""Targets in the shape of the output: (N, 1) against (N,) broadcasts to N² differences inside the loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from unstuck.treatment.contract import Change, Edit, Known, Options, Treatment, Variant

if TYPE_CHECKING:
    import torch

    from unstuck.treatment.stage import Met

NAME = "matching-shapes"
ANSWERS = ("L205",)
TEXT = "Give the targets the shape of the output before the loss."
RISK = "None known: both hold the same number of values."
SPECIFIC = True
MORE_COMPUTE = False


def variants(known: Known) -> Sequence[Variant]:
    """Where a meeting was seen to broadcast."""
    return (
        (Variant("targets in the output's shape"),)
        if any(m.get("broadcast") for m in known.get("meetings") or ())
        else ()
    )


def treat(treatment: Treatment) -> None:
    """Reshape the target where it meets the output."""

    def meets(meeting: Met) -> torch.Tensor | None:
        mine, theirs = meeting.derived, meeting.target
        if mine.shape == theirs.shape or mine.numel() != theirs.numel():
            return None
        treatment.done(f"{tuple(theirs.shape)} became {tuple(mine.shape)}")
        return theirs.reshape(mine.shape)

    treatment.stage.hear.met.append(meets)


def change(known: Known, options: Options) -> Change:
    """The target reshaped before the loss."""
    first: dict[str, Any] = next((m for m in known.get("meetings") or () if m.get("broadcast")), {})
    output, target = first.get("output_name") or "output", first.get("target_name") or "target"
    lines = (f"{target} = {target}.reshape({output}.shape)",)
    named = first.get("output_name") and first.get("target_name") and first.get("line")
    plain = named and str(output).isidentifier() and str(target).isidentifier()
    return Change(lines[0], (Edit("before", first["line"], lines),) if plain else ())

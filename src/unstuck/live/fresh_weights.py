"""New weights for the copy of a model: its layers' own first drawing, and what else could have been drawn."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from unstuck.live.captures import Kept


def drawn_anew(kept: Kept) -> tuple[Tensor, list[str]]:
    """All parameters as one vector, drawn anew where a layer has ``reset_parameters``; and the names of the others.

    The others keep what the copy holds. From torch's generator, which the caller forks and seeds.
    """
    drawn: set[str] = set()
    for prefix, module in kept.twin.named_modules():
        draw = getattr(module, "reset_parameters", None)
        if not callable(draw):
            continue
        with contextlib.suppress(Exception):  # the script's own, which may want arguments
            draw()
            drawn.update(f"{prefix}.{n}" if prefix else n for n, _ in module.named_parameters())
    # A drawing writes into ``weight``; where that is computed from other parameters, it is gone at the next call.
    drawn -= {name for name in drawn if "parametrizations." in name or name.endswith(("_g", "_v"))}
    own = dict(kept.twin.named_parameters())
    vector = torch.cat([own[name].detach().reshape(-1).clone() for name, _ in kept.live])
    return vector, sorted({name for name, _ in kept.live} - drawn)


def another_start(kept: Kept) -> Tensor:
    """A place to start from that the script could have had: parameters without a drawing of their own move by their size.

    Those of a layer are drawn as the layer does it; a script's own numbers get a normal deviate as large as the
    largest of them, for nothing says how they were chosen.
    """
    vector, others = drawn_anew(kept)
    if not others:
        return vector
    live = dict(kept.live)
    size = max(float(live[name].detach().abs().max()) for name in others if live[name].numel()) or 1.0
    place = 0
    for name, p in kept.live:
        if name in others:
            vector[place : place + p.numel()] = p.detach().reshape(-1).to(vector) + size * torch.randn(p.numel()).to(
                vector
            )
        place += p.numel()
    return vector

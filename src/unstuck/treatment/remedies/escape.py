"""A push out of a saddle: once, along verified negative curvature, after a quarter of the steps."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from unstuck.treatment.contract import Change, Known, Options, Treatment, Variant

if TYPE_CHECKING:
    import torch

NAME = "escape"
ANSWERS = ("C501", "C503")
TEXT = "Leave the saddle along negative curvature once."
RISK = "It costs some tens of gradients; where there is no saddle it does nothing."
SPECIFIC = False
MORE_COMPUTE = False

MOST_ROWS = 512  # curvature on so many rows is that of the whole set, up to noise; products stay cheap
DISTANCE = 3  # steps along the direction before the run goes on


def variants(known: Known) -> Sequence[Variant]:
    """Where the training rows could be kept and the fitting loss is known."""
    kind = next((m.get("kind") for m in known.get("meetings") or ()), None)
    if not known.get("rows") or kind is None or known.get("ticks", 0) < 20:
        return ()
    return (Variant("a push along negative curvature", {"kind": kind}),)


def treat(treatment: Treatment) -> None:
    """At a quarter of the steps, on a sample of the training rows, with the loss that fits the targets."""
    import torch

    stage = treatment.stage
    when = max(1, int(treatment.known["ticks"]) // 4)
    roots: dict[int, torch.nn.Module] = {}
    done = [False]

    def begins(module: torch.nn.Module, args: tuple, kwargs: dict) -> None:
        if torch.is_grad_enabled():
            roots[id(module)] = module
        return

    def ended(optimizer: torch.optim.Optimizer) -> None:
        if done[0] or stage.tick < when or len(roots) != 1:
            return
        done[0] = True
        stage.quiet = True
        try:
            _push(next(iter(roots.values())), treatment)
        except Exception as problem:  # a model whose curvature cannot be measured trains on as it was
            print(f"unstuck: no push: {type(problem).__name__}: {problem}", file=sys.stderr)
        finally:
            stage.quiet = False

    stage.hear.root_begins.append(begins)
    stage.hear.step_ended.append(ended)


def _push(model: torch.nn.Module, treatment: Treatment) -> None:
    import torch

    from unstuck.examine.way_out import escape
    from unstuck.treatment.remedies.right_loss import fitting_loss

    kept = torch.load(str(treatment.known["rows"]["file"]), weights_only=True)
    chosen = torch.randperm(len(kept["inputs"]), generator=treatment.generator)[:MOST_ROWS]
    device = next(model.parameters()).device
    data = [(kept["inputs"][chosen].to(device), kept["targets"][chosen].to(device))]
    kind = str(treatment.options["kind"])

    def loss(output: Any, target: Any) -> Any:
        return fitting_loss(output, target, kind)

    found = escape(model, loss, data, steps=DISTANCE, apply=True)
    if found.escaped:
        treatment.done("pushed along negative curvature")


def change(known: Known, options: Options) -> Change:
    """Once the run stands still."""
    return Change("unstuck.escape(model, loss_fn, [(x, y)], apply=True)  # once, when the loss stands still")

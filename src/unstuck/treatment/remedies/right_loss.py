"""The loss that fits the targets: cross-entropy for classes, its two-class form for yes or no, squared error for numbers.

Computed from the model's scores (before an activation at its end), averaged over the batch, shapes matched, to be
minimized: whatever was wrong between the output and the loss is then right.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from unstuck.treatment.contract import Change, Edit, Known, Options, Treatment, Variant

if TYPE_CHECKING:
    import torch

    from unstuck.treatment.stage import Met

NAME = "right-loss"
ANSWERS = ("L201", "L202", "L203", "L204", "L205", "L209", "L211", "G307", "G308", "L207", "L210", "U408")
TEXT = "Compute the loss that fits the targets, from the model's raw scores."
RISK = "Penalties and weights inside the old loss are gone; an evaluation that expects probabilities must apply them itself."
SPECIFIC = True
MORE_COMPUTE = False

_FITTING = {
    "classes": ("cross_entropy", "nll_loss"),
    "one-hot": ("cross_entropy",),
    "binary": ("binary_cross_entropy_with_logits",),
    "numbers": ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"),
}


def variants(known: Known) -> Sequence[Variant]:
    """Only where outputs and targets were seen to meet in a way that is not already the fitting loss."""
    meetings = known.get("meetings") or ()
    if not meetings or meetings[0].get("kind") is None:
        return ()
    first = meetings[0]
    makers = known.get("loss", {}).get("makers") or []
    summed = any(m == "sum" or m.endswith(":sum") for m in makers)
    fits = (
        first["function"] in _FITTING[first["kind"]]
        and not summed
        and not first.get("broadcast")
        and not (first["kind"] != "numbers" and first.get("scores_given") and first["function"] != "nll_loss")
        and known.get("loss", {}).get("graph", True)
        and known.get("loss", {}).get("negative_share", 0.0) == 0.0
    )
    return () if fits and len(makers) <= 2 else (Variant("the loss that fits the targets"),)


def treat(treatment: Treatment) -> None:
    """Remember what met on the way to the loss; at the backward pass put the fitting loss in its place."""
    import torch

    from unstuck.treatment.yardstick import kind_of

    met: dict[int, tuple[torch.Tensor, torch.Tensor, str]] = {}

    def meets(meeting: Met) -> None:
        if not torch.is_grad_enabled() or id(meeting.output) in met:
            return
        for candidate in (meeting.output, meeting.derived):
            if not candidate.is_floating_point() or not candidate.requires_grad:
                continue
            with treatment.stage.aside():
                kind = kind_of(candidate, meeting.target)
            if kind is not None:
                scores = meeting.scores if candidate is meeting.output and meeting.scores is not None else candidate
                if scores.requires_grad:
                    met[id(meeting.output)] = (scores, meeting.target, kind)
                return

    def backward(loss: torch.Tensor) -> Any:
        if not met:
            return loss
        fresh = sum(fitting_loss(scores, target, kind) for scores, target, kind in met.values())
        met.clear()
        treatment.done("the loss was replaced")
        return fresh

    treatment.stage.hear.met.append(meets)
    treatment.stage.hear.backward.append(backward)
    treatment.stage.hear.root_begins.append(lambda module, args, kwargs: met.clear() if len(met) > 8 else None)


def fitting_loss(scores: torch.Tensor, target: torch.Tensor, kind: str) -> torch.Tensor:
    """The loss that fits targets of a kind, averaged over the batch, from raw scores."""
    from torch.nn import functional as F

    scores = scores.float()
    if kind == "numbers":
        return F.mse_loss(scores.reshape(target.shape), target.to(scores.dtype))
    if kind == "binary":
        return F.binary_cross_entropy_with_logits(scores.reshape(-1), target.reshape(-1).to(scores.dtype))
    labels = target.argmax(1) if kind == "one-hot" else target.long().reshape(scores.shape[0], *scores.shape[2:])
    return F.cross_entropy(scores, labels)


def change(known: Known, options: Options) -> Change:
    """The new loss, written before the backward pass."""
    first = (known.get("meetings") or [{}])[0]
    kind = first.get("kind") or "numbers"
    scores, target = first.get("output_name") or "scores", first.get("target_name") or "target"
    called = {
        "numbers": f"torch.nn.functional.mse_loss({scores}.reshape({target}.shape), {target})",
        "binary": (
            f"torch.nn.functional.binary_cross_entropy_with_logits({scores}.reshape(-1), {target}.reshape(-1).float())"
        ),
        "classes": f"torch.nn.functional.cross_entropy({scores}, {target}.reshape(-1).long())",
        "one-hot": f"torch.nn.functional.cross_entropy({scores}, {target}.argmax(1))",
    }[kind]
    tail = known.get("tail") or []
    note = f"  # {scores} without the {tail[0]['name']} at the model's end" if tail else ""
    loss = known.get("loss", {}).get("name") or "loss"
    lines = (f"{loss} = {called}{note}",)
    line = known.get("backward_line")
    named = first.get("output_name") and first.get("target_name") and known.get("loss", {}).get("name")
    if line is None or not named or tail or (first.get("line") or {}).get("function") != line.get("function"):
        return Change("\n".join(lines))
    sound = str(line.get("text", "")).startswith(f"{loss}.backward(")
    return Change("\n".join(lines), (Edit("before", line, lines),) if sound else ())

"""A decay: the learning rate falls along half a cosine to nothing at the last step."""

from __future__ import annotations

import math
from collections.abc import Sequence

from unstuck.treatment.contract import Change, Known, Options, Treatment, Variant
from unstuck.treatment.rates import scale_rate

NAME = "decay"
ANSWERS = ("U404", "U401", "U412", "U405")
TEXT = "Let the learning rate fall to nothing by the last step."
RISK = "Training on after that needs a new schedule."
SPECIFIC = False
MORE_COMPUTE = False


def variants(known: Known) -> Sequence[Variant]:
    """Beside the rate as it is, or in place of a schedule."""
    made = known.get("optimizers") and known.get("steps", 0) >= 20
    if known.get("schedulers"):
        return (Variant("cosine decay in place of the schedule", {"instead": True}),) if made else ()
    return (Variant("cosine decay"),) if made else ()


def treat(treatment: Treatment) -> None:
    """A factor for every step."""
    length = max(1, int(treatment.known["steps"]))
    scale_rate(
        treatment,
        lambda step: 0.5 * (1.0 + math.cos(math.pi * min(1.0, step / length))),
        f"decay over {length} steps",
        of_first=bool(treatment.options.get("instead")),
    )


def change(known: Known, options: Options) -> Change:
    """A scheduler."""
    place = "  # in place of the other one" if options.get("instead") else ""
    return Change(
        f"decay = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, {int(known.get('steps', 0))}){place}\n"
        "decay.step()  # after every optimizer.step()"
    )

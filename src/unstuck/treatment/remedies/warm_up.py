"""A warm-up: the learning rate grows from nothing over the first tenth of the steps."""

from __future__ import annotations

from collections.abc import Sequence

from unstuck.treatment.contract import Change, Known, Options, Treatment, Variant
from unstuck.treatment.rates import scale_rate

NAME = "warm-up"
ANSWERS = ("U403", "U401", "G302")
TEXT = "Let the learning rate grow from nothing over the first tenth of the steps."
RISK = "The first steps are shorter."
SPECIFIC = False
MORE_COMPUTE = False


def variants(known: Known) -> Sequence[Variant]:
    """Where an optimizer steps often enough to have a tenth."""
    return (Variant("warm-up over a tenth"),) if known.get("optimizers") and known.get("steps", 0) >= 20 else ()


def treat(treatment: Treatment) -> None:
    """A factor for every step."""
    length = max(1, int(treatment.known["steps"]) // 10)
    scale_rate(treatment, lambda step: min(1.0, (step + 1) / length), f"warm-up over {length} steps")


def change(known: Known, options: Options) -> Change:
    """A scheduler."""
    length = max(1, int(known.get("steps", 10)) // 10)
    return Change(
        f"warm_up = torch.optim.lr_scheduler.LinearLR(optimizer, 1 / {length}, total_iters={length})\n"
        "warm_up.step()  # after every optimizer.step()"
    )

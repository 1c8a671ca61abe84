"""Every class equally often in the batches."""

from __future__ import annotations

from collections.abc import Sequence

from unstuck.treatment.contract import Change, Known, Options, Treatment, Variant

NAME = "balance"
ANSWERS = ("D105",)
TEXT = "Draw the training rows so that every class comes equally often."
RISK = "Rows of rare classes come many times; probabilities no longer follow the classes' true shares."
SPECIFIC = True
MORE_COMPUTE = False

RARE = 0.34  # the rarest class below this share of the commonest: one in three is common in real data


def variants(known: Known) -> Sequence[Variant]:
    """Where classes come in very unequal numbers."""
    counts = (known.get("rows") or {}).get("class_counts") or []
    return (Variant("balanced classes"),) if len(counts) > 1 and min(counts) < RARE * max(counts) else ()


def treat(treatment: Treatment) -> None:
    """Deal the rows by weights of our own."""
    from unstuck.treatment.rows import RowDealer

    file = str(treatment.known["rows"]["file"])
    RowDealer(treatment.stage, file, generator=treatment.generator, balanced=True)
    treatment.done("classes balanced")


def change(known: Known, options: Options) -> Change:
    """Where the batches are made."""
    return Change(
        "weights = 1.0 / torch.bincount(y_train)[y_train]\n"
        "sampler = torch.utils.data.WeightedRandomSampler(weights, len(y_train))\n"
        "loader = DataLoader(..., sampler=sampler)"
    )

"""The training rows in a random order."""

from __future__ import annotations

from collections.abc import Sequence

from unstuck.treatment.contract import Change, Known, Options, Treatment, Variant

NAME = "shuffle"
ANSWERS = ("D106",)
TEXT = "Shuffle the training rows anew in every epoch."
RISK = "Rows whose order carries meaning (time series cut into windows) lose it."
SPECIFIC = True
MORE_COMPUTE = False

SORTED = 0.8  # share of the targets' variance inside batches; batches drawn at random have 1 − 1/size of it


def variants(known: Known) -> Sequence[Variant]:
    """Where batches were seen to be sorted by their target."""
    rows = known.get("rows")
    return (Variant("shuffled rows"),) if rows and rows["mixed"] < SORTED else ()


def treat(treatment: Treatment) -> None:
    """Deal the rows that the untouched replay was given, in an order of our own."""
    from unstuck.treatment.rows import RowDealer

    RowDealer(treatment.stage, str(treatment.known["rows"]["file"]), generator=treatment.generator)
    treatment.done("rows shuffled")


def change(known: Known, options: Options) -> Change:
    """Where the batches are made."""
    return Change("DataLoader(..., shuffle=True)  # or: order = torch.randperm(len(x)) in every epoch")

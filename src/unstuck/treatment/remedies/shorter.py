"""Stopping earlier: the outermost loop over a range ends after a tenth of its rounds."""

from __future__ import annotations

from collections.abc import Sequence

from unstuck.treatment.contract import Change, Known, Options, Treatment, Variant
from unstuck.treatment.remedies import longer

NAME = "shorter"
ANSWERS = ("T702",)
TEXT = "Stop earlier."
RISK = "What would still have been learned later is not."
SPECIFIC = False
MORE_COMPUTE = False


def variants(known: Known) -> Sequence[Variant]:
    """Where the loop is known and long enough to have a tenth."""
    return (Variant("a tenth as long", {"factor": 0.1}),) if known.get("loop") and known.get("ticks", 0) >= 50 else ()


def treat(treatment: Treatment) -> None:
    """As the longer one, with a factor below one."""
    longer.treat(treatment)


def change(known: Known, options: Options) -> Change:
    """At the loop."""
    loop = known.get("loop") or {}
    return Change(f"{loop.get('text', 'for epoch in range(epochs):')}  # a tenth of the rounds, or early stopping")

"""A step after every backward pass, by the optimizer that was made and never used."""

from __future__ import annotations

from collections.abc import Sequence

from unstuck.treatment.contract import Change, Edit, Known, Options, Treatment, Variant

NAME = "make-steps"
ANSWERS = ("U411",)
TEXT = "Call optimizer.step() after the backward pass."
RISK = "None known."
SPECIFIC = True
MORE_COMPUTE = False


def variants(known: Known) -> Sequence[Variant]:
    """Where an optimizer was made, backward passes were seen and no step."""
    made = known.get("optimizers") or []
    idle = made and not any(o.get("steps") for o in made) and known.get("ticks", 0) > 0
    return (Variant("a step after each backward pass"),) if idle else ()


def treat(treatment: Treatment) -> None:
    """Step, and clear."""

    def ended() -> None:
        for optimizer in treatment.stage.alive():
            optimizer.step()
            optimizer.zero_grad()
            treatment.done("steps made")

    treatment.stage.hear.backward_ended.append(ended)


def change(known: Known, options: Options) -> Change:
    """One line after the backward pass."""
    made = (known.get("optimizers") or [{}])[0]
    lines = (f"{made.get('name') or 'optimizer'}.step()",)
    line = known.get("backward_line")
    return Change(lines[0], (Edit("after", line, lines),) if line is not None and made.get("name") else ())

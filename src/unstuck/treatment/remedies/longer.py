"""More of the same: the outermost loop over a range runs several times as long."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from unstuck.launch import script
from unstuck.treatment.contract import Change, Known, Options, Treatment, Variant

NAME = "longer"
ANSWERS = ("T701", "U402")
TEXT = "Train longer."
RISK = "It costs that much more; a schedule made for the old length ends early."
SPECIFIC = False
MORE_COMPUTE = True


def variants(known: Known) -> Sequence[Variant]:
    """Where the loop is known; ten times as long first: that shows whether length is what is missing."""
    if not known.get("loop"):
        return ()
    return (Variant("10 × as long", {"factor": 10}), Variant("3 × as long", {"factor": 3}))


def treat(treatment: Treatment) -> None:
    """Give the file of the loop a ``range`` of its own that is longer on the loop's lines."""
    loop, factor = treatment.known["loop"], int(treatment.options["factor"])
    first, last = int(loop["line"]), int(loop["stop"])

    def longer(*args: int) -> Any:
        made = builtins.range(*args)
        frame = sys._getframe(1)
        if first <= frame.f_lineno <= last and frame.f_code.co_filename == loop["file"]:
            treatment.done(f"{len(made)} rounds became {factor * len(made)}")
            return builtins.range(made.start, made.start + factor * (made.stop - made.start), made.step)
        return made

    def give(*ignored: object) -> None:
        for module in list(sys.modules.values()):
            if getattr(module, "__file__", None) == loop["file"]:
                module.__dict__["range"] = longer

    become_main = script.become_main

    def become() -> ModuleType:
        module = become_main()
        module.__dict__["range"] = longer
        return module

    # The file may be imported already, be imported later, or be the script itself, which is about to start.
    give()
    treatment.stage.hear.optimizer_made.append(give)
    script.become_main = become


def change(known: Known, options: Options) -> Change:
    """At the loop."""
    loop = known.get("loop") or {}
    return Change(f"{loop.get('text', 'for epoch in range(epochs):')}  # {options['factor']} times as many")

"""More of the same: the outermost loop over a range runs several times as long."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from unstuck.launch import script
from unstuck.treatment.contract import Change, Edit, Known, Options, Treatment, Variant

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
    loop, factor = treatment.known["loop"], float(treatment.options["factor"])
    first, last = int(loop["line"]), int(loop["stop"])

    def longer(*args: int) -> Any:
        made = builtins.range(*args)
        frame = sys._getframe(1)
        if first <= frame.f_lineno <= last and frame.f_code.co_filename == loop["file"]:
            rounds = max(1, round(factor * len(made)))
            treatment.done(f"{len(made)} rounds became {rounds}")
            return builtins.range(made.start, made.start + rounds * made.step, made.step)
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
    text = str(loop.get("text", "for epoch in range(epochs):"))
    new = _lengthened(text, int(options["factor"]))
    if new is None or loop.get("line") != loop.get("stop"):
        return Change(f"{text}  # {options['factor']} times as many")
    return Change(new, (Edit("replace", loop, (new,)),))


def _lengthened(text: str, factor: int) -> str | None:
    """The loop's line with its range so many times as long; None when it is not understood.

    >>> _lengthened("for epoch in range(1, n + 1):", 10)
    'for epoch in range(1, 1 + 10 * (n + 1 - 1)):'
    """
    import ast

    try:
        tree = ast.parse(f"{text}\n    pass")
    except SyntaxError:
        return None
    for node in ast.walk(tree):
        if (
            not isinstance(node, ast.Call)
            or not isinstance(node.func, ast.Name)
            or node.func.id not in ("range", "trange")
        ):
            continue
        given = [ast.unparse(a) for a in node.args]
        if len(given) == 1:
            new = f"{factor} * ({given[0]})" if not given[0].isidentifier() else f"{factor} * {given[0]}"
        elif len(given) == 2:
            new = f"{given[0]}, {given[0]} + {factor} * ({given[1]} - {given[0]})"
        else:
            return None
        inside = text[node.args[0].col_offset : node.args[-1].end_col_offset]
        return text.replace(inside, new, 1) if text.count(inside) == 1 else None
    return None

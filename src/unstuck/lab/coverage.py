"""Which experiment carries which claim: the table of docs/lab.md, generated, never written by hand.

``python -m unstuck.lab.coverage docs/lab.md`` writes it anew.
"""

from __future__ import annotations

import sys
from pathlib import Path

from unstuck.core.errors import BadInput
from unstuck.lab import catalog
from unstuck.lab.claims import CITED, CLAIMS

BEGIN, END = "<!-- generated: experiments and claims -->", "<!-- end of generated -->"


def carriers() -> dict[str, list[str]]:
    """Names of the experiments that cover each claim.

    >>> "worst-network" in carriers()["A5"]
    True
    """
    found: dict[str, list[str]] = {claim: [] for claim in CLAIMS}
    for experiment in catalog.experiments():
        for claim in experiment.covers:
            if claim not in CLAIMS:
                raise BadInput(f"{experiment.name}.COVERS", got=claim, want="an id of lab/claims.py")
            found[claim].append(experiment.name)
    return found


def open_claims() -> list[str]:
    """Claims that neither an experiment carries nor a citation."""
    return [claim for claim, names in carriers().items() if not names and claim not in CITED]


def tables() -> str:
    """Both tables as Markdown: experiments by question, claims with their experiment and test."""
    lines = ["| | experiment | question | quick, full (s) |", "|---|---|---|---|"]
    for e in catalog.experiments():
        cost = f"{e.cost.quick_seconds:g}, {e.cost.full_seconds:g}"
        lines.append(f"| {e.order} | `{e.name}` | {e.text['en'].question} | {cost} |")
    lines += ["", "| claim | what the lectures say | experiment | test |", "|---|---|---|---|"]
    for claim, names in carriers().items():
        if names:
            carried = ", ".join(f"`{name}`" for name in names)
            test = ", ".join(f"`test_every_experiment[{name}]`" for name in names)
        else:
            carried, test = f"citation only: {CITED[claim]}" if claim in CITED else "none yet", "–"
        lines.append(f"| {claim} | {CLAIMS[claim]} | {carried} | {test} |")
    return "\n".join(lines)


def with_tables(document: str) -> str:
    """The document with its generated part made anew."""
    head, _, rest = document.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n{tables()}\n{END}{tail}"


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(with_tables(path.read_text(encoding="utf-8")), encoding="utf-8")

"""``unstuck demo``: a really stuck network on real data, diagnosed; then its mended twin."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Annotated

import typer

SCRIPTS = Path(__file__).with_name("demo_scripts")


def demo(
    folder: Annotated[
        Path | None, typer.Option("--dir", help="Project folder that keeps the runs.", show_default=".unstuck")
    ] = None,
) -> None:
    """Train a stuck network on scikit-learn's digits, then its mended twin, and show both diagnoses.

    Takes about a minute on one core. Needs scikit-learn (`pip install unstuck[lab]`).
    """
    from unstuck.cli.conclude import conclude
    from unstuck.core.errors import BadInput
    from unstuck.launch import parent
    from unstuck.record.runs import new_run

    for needed in ("sklearn", "torch"):
        if importlib.util.find_spec(needed) is None:
            raise BadInput("demo", got=f"no {needed}", want="scikit-learn and torch", hint="pip install 'unstuck[lab]'")
    base = (folder or Path(".unstuck")).absolute()
    written: list[Path] = []
    for number, (script, says) in enumerate(
        (
            ("digits_stuck.py", "A network that should read handwritten digits, and does not learn to."),
            ("digits_mended.py", "The same script with the first finding's advice followed: one line less."),
        ),
        start=1,
    ):
        path = SCRIPTS / script
        print(f"\n── {number} of 2 ── {says}\n   $ unstuck run {script}\n", file=sys.stderr, flush=True)
        place = new_run(base, script).path
        outcome = parent.run(
            str(path),
            attendant="unstuck.live.attendant:start",
            settings={"run": place.name, "folder": str(place), "overhead": 0.03, "allowance": 1.0},
        )
        if outcome.status != 0:
            print(f"unstuck: the demo's script ended with {outcome.status}", file=sys.stderr)
            raise typer.Exit(1)
        conclude(place, status=0)
        written.append(place)
    print("\nWritten:", file=sys.stderr)
    for place in written:
        for name in ("report.html", "report.json"):
            print(f"  {place / name}", file=sys.stderr)
    print("\nNow your own script: unstuck run train.py", file=sys.stderr)

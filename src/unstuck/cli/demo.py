"""``unstuck demo``: a really stuck network on real data, diagnosed, then cured."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Annotated

import typer

SCRIPTS = Path(__file__).with_name("demo_scripts")
TRIALS, SEEDS = 5, 3  # enough to show every part of a trial within a minute


def demo(
    folder: Annotated[
        Path | None, typer.Option("--dir", help="Project folder that keeps the runs.", show_default=".unstuck")
    ] = None,
) -> None:
    """Train a stuck network on scikit-learn's digits, show its diagnosis, then try remedies on replays of it.

    Takes one to two minutes on one core. Needs scikit-learn (`pip install unstuck[lab]`).
    """
    from unstuck.cli.conclude import conclude
    from unstuck.cli.cure import conclude_cure
    from unstuck.core.errors import BadInput
    from unstuck.launch import parent
    from unstuck.record.runs import new_run
    from unstuck.treatment.cure import cure_script

    for needed in ("sklearn", "torch"):
        if importlib.util.find_spec(needed) is None:
            raise BadInput("demo", got=f"no {needed}", want="scikit-learn and torch", hint="pip install 'unstuck[lab]'")
    base = (folder or Path(".unstuck")).absolute()
    path = SCRIPTS / "digits_stuck.py"
    _say(1, "A network that should read handwritten digits, and does not learn to.", f"unstuck run {path.name}")
    place = new_run(base, path.name).path
    outcome = parent.run(
        str(path),
        attendant="unstuck.live.attendant:start",
        settings={"run": place.name, "folder": str(place), "overhead": 0.03, "allowance": 1.0},
    )
    if outcome.status != 0:
        print(f"unstuck: the demo's script ended with {outcome.status}", file=sys.stderr)
        raise typer.Exit(1)
    document = conclude(place, status=0)
    _say(2, "The same script replayed with one change at a time, against controls.", f"unstuck cure {path.name}")
    made = cure_script(str(path), base=base, trials=TRIALS, seeds=SEEDS, diagnosis=document)
    written = [place / "report.html", *conclude_cure(made).values()]
    print("\nWritten:", file=sys.stderr)
    for file in written:
        print(f"  {file}", file=sys.stderr)
    print("\nNow your own script: unstuck run train.py, and if it is stuck: unstuck cure train.py", file=sys.stderr)


def _say(number: int, text: str, command: str) -> None:
    print(f"\n── {number} of 2 ── {text}\n   $ {command}\n", file=sys.stderr, flush=True)

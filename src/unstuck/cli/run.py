"""``unstuck run``: watch an unmodified training script."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unstuck.cli.conclude import Files

if TYPE_CHECKING:
    from unstuck.launch.parent import Outcome


def run(
    command: Annotated[
        list[str],
        typer.Argument(
            metavar="SCRIPT [ARGUMENTS]...", help="A Python script (or, with -m, a module) and its own arguments."
        ),
    ],
    module: Annotated[
        bool, typer.Option("--module", "-m", help="SCRIPT is a module, as in `python -m module`.")
    ] = False,
    overhead: Annotated[
        float, typer.Option(help="Share of the step time that watching may cost after the first twenty steps.")
    ] = 0.03,
    allowance: Annotated[
        float, typer.Option(help="Seconds that the first twenty full samples may cost in all; they tell causes apart.")
    ] = 1.0,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the report as JSON to this file too.")] = None,
    html_file: Annotated[Path | None, typer.Option("--html", help="Write the report as HTML to this file too.")] = None,
    sarif_file: Annotated[
        Path | None, typer.Option("--sarif", help="Write the findings in SARIF 2.1.0 to this file too.")
    ] = None,
    probe: Annotated[
        bool,
        typer.Option(
            "--probe", help="After the script has ended, also try fresh copies of the model; up to half a minute."
        ),
    ] = False,
    fail_on: Annotated[
        str,
        typer.Option(help="Exit with 1 when the script succeeds but a finding is this grave: never, warning or error."),
    ] = "never",
    folder: Annotated[
        Path | None, typer.Option("--dir", help="Project folder that keeps the runs.", show_default=".unstuck")
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print nothing; the files are written all the same.")
    ] = False,
) -> None:
    """Watch an unmodified PyTorch training script; verdict and findings at the end.

    The script runs as it always does: its own arguments, output, working directory and exit status. The report goes to
    standard error and to files in .unstuck/runs/.

    Examples:

        unstuck run train.py --epochs 5

        unstuck run --html report.html train.py

        unstuck run -m package.train --lr 0.1

        torchrun --nproc-per-node 2 -m unstuck run train.py
    """
    from unstuck.core.errors import BadInput
    from unstuck.launch import parent

    if not 0.0 < overhead <= 1.0:
        raise BadInput("--overhead", got=overhead, want="a share of the step time in (0, 1]", hint="3 % is 0.03")
    if not 0.0 <= allowance <= 3600.0:
        raise BadInput("--allowance", got=allowance, want="seconds from 0 to 3600")
    if fail_on not in ("never", "warning", "error"):
        raise BadInput("--fail-on", got=fail_on, want="never, warning or error")
    for name, file in (("--json", json_file), ("--html", html_file), ("--sarif", sarif_file)):
        if file is not None and not file.absolute().parent.is_dir():
            raise BadInput(name, got=str(file), want="a file in a folder that exists")
    json_file = json_file.absolute() if json_file else None
    html_file = html_file.absolute() if html_file else None
    sarif_file = sarif_file.absolute() if sarif_file else None

    target, arguments = command[0], command[1:]
    place = _run_folder(folder, target)
    settings = {
        "run": place.name,
        "folder": str(place),
        "overhead": overhead,
        "allowance": allowance,
        "probe": probe,
    }
    outcome = parent.run(target, arguments, module=module, attendant="unstuck.live.attendant:start", settings=settings)
    if outcome.not_started is not None:
        _remove_if_empty(place)
        print(f"unstuck: the script could not be started: {outcome.not_started}", file=sys.stderr)
        raise typer.Exit(2)
    grave = False
    if int(os.environ.get("RANK", "0") or 0) == 0:  # of several processes the first one reports
        grave = _report(place, outcome, Files(json_file, html_file, sarif_file), fail_on, quiet)
    status = outcome.status
    if status == 0 and grave:
        status = 1
    raise typer.Exit(parent.leave_like(status))


def _run_folder(folder: Path | None, target: str) -> Path:
    from unstuck.record.runs import new_run, shared_run

    base = (folder or Path(".unstuck")).absolute()
    elastic = os.environ.get("TORCHELASTIC_RUN_ID")
    if elastic is not None:  # the processes of one torchrun share a folder without speaking to each other
        name = f"torchrun-{elastic}-{os.environ.get('MASTER_PORT', '0')}-{os.getppid()}"
        return shared_run(base, name).path
    return new_run(base, target).path


def _remove_if_empty(place: Path) -> None:
    if place.is_dir() and not any(place.iterdir()):
        place.rmdir()


def _report(place: Path, outcome: Outcome, files: Files, fail_on: str, quiet: bool) -> bool:
    """Judge the journals, write the files, print the report; True when a finding is as grave as ``fail_on``."""
    from unstuck.cli.conclude import conclude

    try:
        document: dict[str, Any] = conclude(place, status=outcome.status, files=files, quiet=quiet)
    except Exception as problem:  # the script's status must get through whatever happens here
        print(
            f"unstuck: the report failed ({type(problem).__name__}: {problem}); the journal is in {place}",
            file=sys.stderr,
        )
        if os.environ.get("UNSTUCK_DEBUG"):
            raise
        return False
    grave = {"never": (), "warning": ("warning", "error"), "error": ("error",)}[fail_on]
    return any(f["severity"] in grave for f in document["findings"])

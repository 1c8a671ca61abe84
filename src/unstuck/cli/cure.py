"""``unstuck cure``: replay a script with one change at a time, against controls; rank the remedies that helped."""

from __future__ import annotations

import json
import re
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from unstuck.treatment.cure import Cure


def cure(
    command: Annotated[
        list[str],
        typer.Argument(
            metavar="SCRIPT [ARGUMENTS]...", help="A Python script (or, with -m, a module) and its own arguments."
        ),
    ],
    module: Annotated[
        bool, typer.Option("--module", "-m", help="SCRIPT is a module, as in `python -m module`.")
    ] = False,
    budget: Annotated[str, typer.Option(help="Time for everything: 90s, 10m or 2h.")] = "10m",
    steps: Annotated[int | None, typer.Option(help="Cut every replay after so many backward passes.")] = None,
    trials: Annotated[int, typer.Option(help="Replays of remedies; those of the controls are counted apart.")] = 10,
    seeds: Annotated[int, typer.Option(help="Seeds on which controls and the best remedies are replayed.")] = 3,
    jobs: Annotated[int | None, typer.Option(help="Replays at a time.", show_default="all cores")] = None,
    only: Annotated[list[str] | None, typer.Option(help="Try this remedy only; may be given several times.")] = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Write SCRIPT.cured.py next to the script and run it once to confirm.")
    ] = False,
    network: Annotated[bool, typer.Option("--network", help="Let replays connect to other machines.")] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the report as JSON to this file too.")] = None,
    html_file: Annotated[Path | None, typer.Option("--html", help="Write the report as HTML to this file too.")] = None,
    folder: Annotated[
        Path | None, typer.Option("--dir", help="Project folder that keeps the runs.", show_default=".unstuck")
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print nothing; the files are written all the same.")
    ] = False,
) -> None:
    """Replay a training script with one change at a time, against controls, and rank the remedies that helped.

    Every replay is a process of its own in a copy of the working folder, without standard input and without network;
    the first one is cut where it takes more than its share of the budget, and then all others at the same step.
    Interrupted and started again the same command goes on where it stopped. Ends with 0 when a remedy helped, with 1
    when none did.

    Examples:

        unstuck cure train.py --epochs 5

        unstuck cure --budget 5m --apply train.py

        unstuck cure --only learning-rate --only clipping train.py
    """
    from unstuck.core.errors import BadInput
    from unstuck.treatment.cure import cure_script

    for name, file in (("--json", json_file), ("--html", html_file)):
        if file is not None and not file.absolute().parent.is_dir():
            raise BadInput(name, got=str(file), want="a file in a folder that exists")
    target, arguments = command[0], command[1:]
    if apply and module:
        raise BadInput("--apply", got="a module", want="a script", hint="give the module's file")
    if apply:
        from unstuck.treatment.prescription import cured_path

        if cured_path(Path(target)).exists():
            raise BadInput(
                "--apply",
                got=str(cured_path(Path(target))),
                want="a name that is free",
                hint="move the file away first",
            )
    seconds = seconds_of(budget)

    def warn(text: str) -> None:
        if not quiet:
            print(f"unstuck: {text}", file=sys.stderr)

    with _progress(quiet) as tell:
        made = cure_script(
            target,
            arguments,
            module=module,
            base=folder,
            budget=seconds,
            steps=steps,
            trials=trials,
            seeds=seeds,
            jobs=jobs,
            only=only or (),
            network=network,
            tell=tell,
            warn=warn,
        )
    if apply and made.recommended is not None:
        made.report["treatment"]["applied"] = _apply(Path(target), made)
    written = conclude_cure(made, json_file=json_file, html_file=html_file, quiet=quiet)
    assert written
    raise typer.Exit(0 if made.recommended is not None else 1)


def seconds_of(text: str) -> float:
    """A time as a person writes it, in seconds.

    >>> seconds_of("10m"), seconds_of("90"), seconds_of("1.5h")
    (600.0, 90.0, 5400.0)
    """
    from unstuck.core.errors import BadInput

    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(s|m|min|h)?\s*", text)
    if match is None or float(match[1]) <= 0:
        raise BadInput("--budget", got=text, want="a time", hint="90s, 10m or 2h")
    return float(match[1]) * {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, None: 1.0}[match[2]]


def conclude_cure(
    made: Cure, *, json_file: Path | None = None, html_file: Path | None = None, quiet: bool = False
) -> dict[str, Path]:
    """Write a cure's report beside its journal and where it was asked for, and print it."""
    from rich.console import Console

    from unstuck.cli.conclude import enter
    from unstuck.report.document import plain, write_document, write_whole
    from unstuck.report.html import write_html
    from unstuck.report.treatment import print_treatment

    paths = {"html": made.folder / "report.html", "json": made.folder / "report.json"}
    # Beside the report, which `unstuck report` would make anew from the journal alone.
    section = json.dumps(plain(made.report["treatment"]), allow_nan=False)
    write_whole(section + "\n", made.folder / "treatment.json")
    write_document(made.report, paths["json"])
    write_html(made.report, paths["html"])
    enter(made.folder, made.report)
    if json_file is not None:
        write_document(made.report, json_file)
    if html_file is not None:
        write_html(made.report, html_file)
    if not quiet:
        shown = {"Report": html_file or paths["html"], "Data": json_file or paths["json"]}
        print_treatment(made.report, Console(file=sys.stderr), paths=shown)
    return paths


def _apply(script: Path, made: Cure) -> dict[str, Any]:
    """Write the cured copy and run it once; what it reached beside what the trial had."""
    from unstuck.treatment.confirm import apply_best

    return apply_best(script, made)


def _progress(quiet: bool) -> AbstractContextManager[Any]:
    """A line that says what is being run, on terminals only: something to call with (what, done, planned)."""
    from rich.console import Console

    console = Console(file=sys.stderr)
    if quiet or not console.is_terminal:
        return nullcontext(lambda text, done, planned: None)
    return _Bar(console)


class _Bar(AbstractContextManager[Any]):
    def __init__(self, console: Any) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:.0f} of at most {task.total:.0f} replays"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self.task = self.progress.add_task("the script, watched", total=1)

    def __enter__(self) -> Any:
        self.progress.start()
        return self.tell

    def __exit__(self, *details: object) -> None:
        self.progress.stop()

    def tell(self, what: str, done: int, planned: int) -> None:
        self.progress.update(self.task, description=what, completed=done, total=max(planned, done, 1))

"""The command line: one file a command, each imported only when it is asked for."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from unstuck import __version__
from unstuck.cli.clinic import clinic
from unstuck.cli.cure import cure
from unstuck.cli.demo import demo
from unstuck.cli.examine import examine
from unstuck.cli.explain import explain
from unstuck.cli.gradcheck import gradcheck
from unstuck.cli.lab import lab
from unstuck.cli.report import report
from unstuck.cli.run import run
from unstuck.core.errors import UnstuckError

app = typer.Typer(
    name="unstuck",
    help="Finds out why a neural network stopped learning, and gets it moving again.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"unstuck {__version__}")
        raise typer.Exit()


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


app.command(
    "run",
    context_settings={"allow_interspersed_args": False, "help_option_names": ["-h", "--help"]},
    short_help="Watch an unmodified training script; verdict and findings at the end.",
)(run)
app.command(
    "cure",
    context_settings={"allow_interspersed_args": False, "help_option_names": ["-h", "--help"]},
    short_help="Replay a script with one change at a time, against controls; rank the remedies that helped.",
)(cure)
app.command("report", short_help="Judge a recorded run again and write its report.")(report)
app.command("explain", short_help="What a finding means, why it hurts, how it is judged, what to do.")(explain)
app.command("examine", short_help="Where a (model, loss, data) stands: critical point, curvature, the way out.")(
    examine
)
app.command("gradcheck", short_help="Is backpropagation right? Which parameter is not?")(gradcheck)
app.command("clinic", short_help="The watcher against a corpus of scripts with known sicknesses, scored.")(clinic)
app.command("lab", short_help="The lectures' experiments: run one, or write the whole book.")(lab)
app.command("demo", short_help="A minute or two: a really stuck network on real data, diagnosed, then cured.")(demo)


def main() -> None:
    """Entry point of ``unstuck`` and ``python -m unstuck``."""
    try:
        app()
    except UnstuckError as problem:
        print(f"unstuck: {problem}", file=sys.stderr)
        sys.exit(2)

"""``unstuck gradcheck``: is backpropagation right, and if not, in which parameter?"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

MOST_ROWS = 30


def gradcheck(
    factory: Annotated[
        str,
        typer.Argument(
            metavar="MODULE:FACTORY",
            help="A function without arguments that returns (model, loss_fn, data): package.module:name or file.py:name.",
        ),
    ],
    mode: Annotated[str, typer.Option(help="eval, or train with dropout's mask fixed.")] = "eval",
    seed: Annotated[int, typer.Option(help="Of the entries and directions that are drawn.")] = 0,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the check as JSON to this file.")] = None,
) -> None:
    """Compare every parameter's gradient with two-sided differences in float64. Exit status 1 when one is wrong.

    Examples:

        unstuck gradcheck train.py:make

        unstuck gradcheck package.module:factory --mode train --json check.json
    """
    from unstuck.core.errors import BadInput

    if mode not in ("eval", "train"):
        raise BadInput("--mode", got=mode, want="eval or train")
    from unstuck.examine import check_gradient, load_factory

    found = check_gradient(**{**load_factory(factory), "mode": mode, "seed": seed})
    typer.echo(found.sentence)
    width = max((len(p.name) for p in found.parameters), default=4)
    for entry in found.parameters[:MOST_ROWS]:
        typer.echo(
            f"  {entry.name:{width}s}  {entry.verdict:8s}  error {entry.error:.2g} over {entry.compared} compared"
        )
    if len(found.parameters) > MOST_ROWS:
        typer.echo(f"  … and {len(found.parameters) - MOST_ROWS} more")
    if json_file is not None:
        from unstuck.report.document import plain, write_whole

        write_whole(json.dumps(plain(found.as_json()), indent=1, allow_nan=False) + "\n", json_file)
        print(f"Data: {json_file}", file=sys.stderr)
    if not found.right:
        raise typer.Exit(1)

"""``unstuck examine``: where a (model, loss, data) stands on its loss surface."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer


def examine(
    factory: Annotated[
        str,
        typer.Argument(
            metavar="MODULE:FACTORY",
            help="A function without arguments that returns (model, loss_fn, data): package.module:name or file.py:name.",
        ),
    ],
    learning_rate: Annotated[
        float | None, typer.Option("--lr", help="The run's learning rate, to tell bouncing.")
    ] = None,
    mode: Annotated[str, typer.Option(help="eval, or train with dropout frozen.")] = "eval",
    max_batches: Annotated[int | None, typer.Option(help="Use no more than so many batches of the data.")] = None,
    max_vectors: Annotated[
        int | None, typer.Option(help="Keep no more than so many vectors of the parameters' size: bounds the memory.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the random probes.")] = 0,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the examination as JSON to this file.")
    ] = None,
    html_file: Annotated[Path | None, typer.Option("--html", help="Write it as one HTML page to this file.")] = None,
) -> None:
    """Critical point or not, and of which kind: eigenvalues with bounds, the way out of a saddle, slices of the loss.

    The function's code runs in this process; the model, its modes and its gradients are left as they were.

    Examples:

        unstuck examine train.py:make --lr 0.1

        unstuck examine package.module:factory --html page.html
    """
    from unstuck.core.errors import BadInput

    if mode not in ("eval", "train"):
        raise BadInput("--mode", got=mode, want="eval or train")
    from unstuck.examine import examine as look
    from unstuck.examine import load_factory

    found = look(
        **{
            **load_factory(factory),
            "lr": learning_rate,
            "mode": mode,
            "max_batches": max_batches,
            "max_vectors": max_vectors,
            "seed": seed,
        }
    )
    typer.echo(found.text())
    if json_file is not None:
        from unstuck.report.document import plain, write_whole

        write_whole(json.dumps(plain(found.as_json()), indent=1, allow_nan=False) + "\n", json_file)
        print(f"Data: {json_file}", file=sys.stderr)
    if html_file is not None:
        from unstuck.report.document import write_whole
        from unstuck.report.examination import examination_page

        page = examination_page(factory, verdict=found.verdict, text=found.text(), charts=found.charts())
        write_whole(page, html_file)
        print(f"Report: {html_file}", file=sys.stderr)

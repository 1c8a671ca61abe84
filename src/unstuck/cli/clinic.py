"""``unstuck clinic``: the watcher against a corpus of scripts with known sicknesses."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from unstuck.clinic.runner import Outcome


def clinic(
    words: Annotated[
        list[str] | None,
        typer.Argument(help="Only scripts whose path contains one of these words, such as sick/digits."),
    ] = None,
    corpus: Annotated[
        Path, typer.Option("--corpus", help="Folder with truth.json, sick/, mended/ and healthy/.")
    ] = Path("clinic"),
    seeds: Annotated[str, typer.Option(help="Seeds, separated by commas.")] = "0",
    jobs: Annotated[int, typer.Option(help="Runs at a time, one thread each. 0: one for each core.")] = 0,
    half: Annotated[str, typer.Option(help="Which half: all, tuning or held-out.")] = "all",
    sample: Annotated[int | None, typer.Option(help="Only so many pairs and healthy scripts, spread evenly.")] = None,
    keep: Annotated[
        Path | None,
        typer.Option(help="Folder that keeps reports and recordings; an interrupted clinic goes on from there."),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Judge the kept recordings with the rules of this version.")
    ] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the scores and every run as JSON.")] = None,
    html_file: Annotated[Path | None, typer.Option("--html", help="Write them as one HTML page.")] = None,
    markdown_file: Annotated[
        Path | None, typer.Option("--markdown", help="Write the table of codes for the docs.")
    ] = None,
    stood: Annotated[bool, typer.Option(help="Also find the step from which the right finding stood.")] = True,
) -> None:
    """Run a corpus of sick, mended and healthy scripts under the watcher and score the diagnoses.

    Examples:

        unstuck clinic --keep clinic-reports --html clinic.html

        unstuck clinic --half tuning sick/digits mended/digits

        unstuck clinic --corpus my-scripts --seeds 0,1,2

        unstuck clinic --keep clinic-reports --again        with changed rules
    """
    import json
    import os

    from rich.console import Console
    from rich.markup import escape

    from unstuck import __version__
    from unstuck.clinic.corpus import read_corpus
    from unstuck.clinic.page import markdown, render
    from unstuck.clinic.runner import run_cases
    from unstuck.clinic.score import parts, plain
    from unstuck.clinic.tables import line, print_scores
    from unstuck.core.errors import BadInput
    from unstuck.findings import catalog
    from unstuck.report.document import write_whole

    try:
        numbers = [int(part) for part in seeds.split(",")]
    except ValueError:
        raise BadInput("--seeds", got=seeds, want="whole numbers separated by commas, such as 0,1,2") from None
    if half not in ("all", "tuning", "held-out"):
        raise BadInput("--half", got=half, want="all, tuning or held-out")
    if again and keep is None:
        raise BadInput("--again", got="no --keep", want="the folder of kept recordings", hint="add --keep DIR")
    if jobs < 0 or (sample is not None and sample < 1):
        raise BadInput("--jobs, --sample", got=(jobs, sample), want="at least 1")
    cases = [
        case
        for case in read_corpus(corpus).chosen(words or (), sample=sample)
        if half == "all" or case.held_out == (half == "held-out")
    ]
    if not cases:
        raise BadInput(
            "words", got=" ".join(words or ()), want="words that stand in the path of a script of the corpus"
        )
    console = Console(stderr=True)
    total, seen = len(cases) * len(numbers), 0

    def tell(outcome: Outcome) -> None:
        nonlocal seen
        seen += 1
        console.print(f"[dim]{seen}/{total}[/dim] {escape(line(outcome))}", soft_wrap=True, highlight=False)

    outcomes = run_cases(
        cases,
        seeds=numbers,
        jobs=jobs or os.cpu_count() or 1,
        keep=keep.absolute() if keep else None,
        stood=stood,
        again=again,
        done=tell,
    )
    scores = parts(outcomes)
    print_scores(scores, Console(width=max(console.width, 150)))
    names = {code: rule.NAME for code, rule in catalog.rules().items()}
    if json_file is not None:
        data = {"schema": "unstuck.clinic/1", "version": __version__, "seeds": numbers,
                "scores": [s.as_json() for s in scores], "runs": [plain(o) for o in outcomes]}  # fmt: skip
        write_whole(json.dumps(data, indent=1) + "\n", json_file)
    if html_file is not None:
        write_whole(render(scores, outcomes, names=names, version=__version__), html_file)
    if markdown_file is not None:
        write_whole(markdown(scores, names=names), markdown_file)
    if any(outcome.report is None for outcome in outcomes):
        raise typer.Exit(1)

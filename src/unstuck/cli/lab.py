"""``unstuck lab``: the lectures' experiments, run here; each with its picture, its numbers and its lesson."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from unstuck.lab.contract import Experiment
    from unstuck.lab.page import Ran
    from unstuck.lab.words import Language

HERE = Path("unstuck-lab")


def lab(
    name: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME | DIR]", help="An experiment; with --all the book's folder; without either the list."
        ),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Run all of them; write the whole book to DIR, else to unstuck-lab.")
    ] = False,
    full: Annotated[bool, typer.Option("--full", help="The full form instead of the quick one.")] = False,
    seed: Annotated[int, typer.Option(help="Of everything that is drawn at random.")] = 0,
    jobs: Annotated[
        int, typer.Option(help="Experiments at a time with --all, one thread each. 0: one for each core.")
    ] = 0,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Where the page goes; else unstuck-lab/NAME.html.")
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write numbers and criteria as JSON.")
    ] = None,
    lang: Annotated[str, typer.Option("--lang", help="en, or zh for Simplified Chinese.")] = "en",
) -> None:
    """Run one experiment of the lectures: what was expected, what was measured, what holds. Exit status 1 when a
    demand does not hold.

    Writes a page that reads as a short lesson, and the figures as PNG, light and dark.

    Examples:

        unstuck lab

        unstuck lab worst-network

        unstuck lab adagrad-burst --full --html burst.html --lang zh

        unstuck lab --all

        unstuck lab --all book
    """
    from unstuck.core.errors import BadInput

    if lang not in ("en", "zh"):
        raise BadInput("--lang", got=lang, want="en or zh")
    if jobs < 0:
        raise BadInput("--jobs", got=jobs, want="0 or more")
    names = name or []
    if len(names) > 1:
        raise BadInput("lab", got=" ".join(names), want="one experiment, or --all and one folder")
    if html is not None and (every or not names):
        raise BadInput("--html", got=str(html), want="the name of an experiment beside it", hint="or --all DIR")
    if every and names and _is_experiment(names[0]):
        hint = f"a folder of that name is ./{names[0]}"
        raise BadInput("lab", got=f"{names[0]} and --all", want="one of the two", hint=hint)
    language: Language = "zh" if lang == "zh" else "en"
    from rich.console import Console

    console = Console(highlight=False)
    if every:
        passed = _book(Path(names[0]) if names else HERE, full, seed, jobs, language, console)
    elif names:
        passed = _one(names[0], full, seed, html, json_file, language, console)
    else:
        _list(language, console)
        return
    if not passed:
        raise typer.Exit(1)


def _is_experiment(name: str) -> bool:
    from unstuck.lab import catalog

    return name.replace("_", "-") in catalog.names()


def _list(language: Language, console: Console) -> None:
    from rich.text import Text

    from unstuck.lab import catalog

    for experiment in catalog.experiments():
        console.print(Text.assemble((f"{experiment.order:3d}  ", "dim"), (experiment.name, "bold")))
        console.print(Text("     " + experiment.text[language].question))
    console.print()
    console.print(
        Text("unstuck lab NAME 运行一个；unstuck lab --all [DIR] 写成整本书。")
        if language == "zh"
        else Text("`unstuck lab NAME` runs one; `unstuck lab --all [DIR]` writes the whole book."),
        style="dim",
    )


def _one(
    name: str, full: bool, seed: int, html: Path | None, json_file: Path | None, language: Language, console: Console
) -> bool:
    from rich.console import Console as Errors
    from rich.progress import Progress

    from unstuck.lab import catalog
    from unstuck.lab.book import run_timed, write_figures
    from unstuck.lab.page import as_json, render
    from unstuck.report.document import plain, write_whole

    experiment = catalog.load(name)
    with Progress(console=Errors(stderr=True), transient=True) as bar:
        task = bar.add_task(experiment.name, total=1.0)
        ran = run_timed(
            experiment,
            full=full,
            seed=seed,
            progress=lambda share, what="": bar.update(
                task, completed=share, description=f"{experiment.name}: {what}" if what else experiment.name
            ),
        )
    _tell(ran, language, console)
    page = html or HERE / f"{experiment.name}.html"
    write_whole(render(ran, language=language), page)
    figures = write_figures(ran, page.parent, language=language)
    for path in (page, *figures):
        console.print(str(path), style="dim", soft_wrap=True)
    if json_file is not None:
        text = json.dumps(plain(as_json(ran)), indent=1, allow_nan=False, ensure_ascii=False)
        console.print(str(write_whole(text + "\n", json_file)), style="dim", soft_wrap=True)
    return ran.result.passed


def _tell(ran: Ran, language: Language, console: Console) -> None:
    """Question, expectation, numbers, verdict."""
    from rich.table import Table
    from rich.text import Text

    from unstuck.lab.page import expected, filled, shown
    from unstuck.lab.page_words import WORDS

    page = filled(ran.experiment.text[language], ran.result.numbers)
    words = {key: both.said(language) for key, both in WORDS.items()}
    console.print(Text(page.title, style="bold"))
    console.print(Text(page.question))
    console.print(Text.assemble((words["expectation"] + ": ", "dim"), page.expectation))
    console.print()
    numbers = Table(show_header=False, box=None, pad_edge=False)
    for number in ran.result.numbers.values():
        numbers.add_row(
            Text(number.label.said(language)), Text(f"{shown(number.value, language)} {number.unit}".strip(), "bold")
        )
    console.print(numbers)
    console.print()
    for criterion in ran.result.criteria:
        mark = ("✓ ", "green") if criterion.passed else ("✗ ", "bold red")
        note = f" [{words['corrects']}]" if criterion.ruling is not None else ""
        console.print(Text.assemble(mark, criterion.says.said(language), (note, "yellow")))
        if not criterion.passed:
            found, wanted = shown(criterion.measured, language), expected(criterion, language)
            console.print(Text(f"    {words['measured']} {found}, {words['expected']} {wanted}"))
    console.print()
    for head, text, style in (("holds", page.holds, "green"), ("fails", page.fails, "yellow")):
        if text:
            console.print(Text.assemble((words[head] + ": ", style), text))
    console.print()


def _book(folder: Path, full: bool, seed: int, jobs: int, language: Language, console: Console) -> bool:
    from rich.console import Console as Errors
    from rich.progress import Progress

    from unstuck.lab import catalog
    from unstuck.lab.book import write_book

    chosen = catalog.experiments()
    with Progress(console=Errors(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=float(len(chosen)))

        def told(index: int, experiment: Experiment, share: float, what: str) -> None:
            words = f"{index + 1}/{len(chosen)} {experiment.name}"
            bar.update(task, completed=index + share, description=f"{words}: {what}" if what else words)

        all_ran = write_book(chosen, folder, full=full, seed=seed, jobs=jobs or os.cpu_count() or 1, progress=told)
    failed = [ran.experiment.name for ran in all_ran if not ran.result.passed]
    took = sum(ran.seconds for ran in all_ran)
    console.print(f"{len(all_ran)} experiments in {took:.0f} s, {len(all_ran) - len(failed)} hold.")
    for name in failed:
        console.print(f"✗ {name}", style="red")
    console.print(str(folder / ("zh/index.html" if language == "zh" else "index.html")), style="dim", soft_wrap=True)
    return not failed

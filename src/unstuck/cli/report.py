"""``unstuck report``: judge a recorded run again and write its report; without a run, list the runs there are."""

from __future__ import annotations

import time
import webbrowser
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unstuck.cli.conclude import Files
from unstuck.core.errors import BadInput

if TYPE_CHECKING:
    from unstuck.record.index import IndexedRun


def report(
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="[RUN]",
            help="A run: its id or part of it, `last`, the path of its folder, a journal, or a report.json.",
        ),
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the report as JSON to this file too.")] = None,
    html_file: Annotated[Path | None, typer.Option("--html", help="Write the report as HTML to this file too.")] = None,
    sarif_file: Annotated[
        Path | None, typer.Option("--sarif", help="Write the findings in SARIF 2.1.0 to this file too.")
    ] = None,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    folder: Annotated[
        Path | None, typer.Option("--dir", help="Project folder that keeps the runs.", show_default=".unstuck")
    ] = None,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Make the index of runs anew from their folders.")] = False,
) -> None:
    """Judge a recorded run again and write its report. Without a run: the latest runs.

    Examples:

        unstuck report

        unstuck report last --open

        unstuck report 2026-11-21-113755-train-4f2a --html report.html
    """
    base = project(folder)
    if rebuild:
        from unstuck.record.index import Index

        with Index(base) as index:
            typer.echo(f"{index.rebuild()} runs in {index.path}")
        if run is None:
            return
    if run is None:
        if json_file or html_file or sarif_file or open_page:
            raise BadInput("report", got="no run", want="a run to write a report on", hint="unstuck report last")
        _list(base)
        return
    document, page = _document(base, run, Files(json_file, html_file, sarif_file))
    _print(document, page, json_file)
    if open_page:
        if page is None:
            raise BadInput("--open", got="a report without a page", want="--html FILE with it")
        webbrowser.open(page.absolute().as_uri())


def project(folder: Path | None) -> Path:
    """The project folder: the one named, or the nearest ``.unstuck`` in this directory or above it."""
    from unstuck.record.runs import project_folder

    if folder is not None:
        return folder.absolute()
    here = Path.cwd()
    for directory in (here, *here.parents):
        if (project_folder(directory) / "runs").is_dir():
            return project_folder(directory)
    return project_folder(here)


def _document(base: Path, wanted: str, files: Files) -> tuple[Mapping[str, Any], Path | None]:
    """The report on a run, judged anew, and the path of its page."""
    from unstuck.cli.conclude import conclude, write_findings
    from unstuck.record.reader import journals
    from unstuck.record.runs import find_run
    from unstuck.report.document import read_document, write_document
    from unstuck.report.html import write_html

    loose = Path(wanted)
    if loose.suffix == ".json" and loose.is_file() and not journals(loose.absolute().parent):
        # A report that was handed on without its journals: it cannot be judged again, but it can be shown.
        document = read_document(loose)
        if files.json is not None:
            write_document(document, files.json)
        if files.sarif is not None:
            write_findings(document, files.sarif)
        return document, None if files.html is None else write_html(document, files.html)
    place = find_run(base, wanted)
    if not journals(place.path):
        raise BadInput("run", got=str(place.path), want="a run with a journal", hint="its script never started")
    document = conclude(place.path, status=_former_status(place.report_json), files=files, quiet=True)
    return document, files.html or place.report_html


def _former_status(path: Path) -> int | None:
    """The exit status that an earlier report tells: of a run that was killed only its parent knew it."""
    from unstuck.report.document import read_document

    try:
        status = read_document(path)["run"]["exit"]["status"]
    except BadInput:
        return None
    return int(status) if status is not None else None


def _print(document: Mapping[str, Any], page: Path | None, json_file: Path | None) -> None:
    from rich.console import Console

    from unstuck.report.terminal import print_report

    paths = {kind: path for kind, path in (("html", page), ("json", json_file)) if path is not None}
    print_report(document, Console(), paths=paths)


def _list(base: Path) -> None:
    from rich.console import Console

    from unstuck.record.index import Index
    from unstuck.report.terminal import print_runs

    if not (base / "runs").is_dir():
        raise BadInput("report", got=f"no runs in {base}", want="a run", hint="unstuck run train.py")
    with Index(base) as index:
        runs = index.runs()
    print_runs([_row(run) for run in runs], Console())


def _row(run: IndexedRun) -> dict[str, Any]:
    first = run.findings[0] if run.findings else None
    started = "" if run.started is None else time.strftime("%Y-%m-%d %H:%M", time.localtime(run.started))
    return {
        "id": run.id,
        "started": started,
        "steps": run.steps,
        "seconds": run.seconds,
        "state": run.verdict,
        "finding": f"{first.code} {first.name}" if first else "",
        "severity": first.severity if first else "",
        "more": max(len(run.findings) - 1, 0),
    }

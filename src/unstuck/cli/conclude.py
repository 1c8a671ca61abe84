"""From the journals of a run to its report: judge, write the files, print, index."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def conclude(
    place: Path,
    *,
    status: int | None = None,
    json_file: Path | None = None,
    html_file: Path | None = None,
    quiet: bool = False,
) -> dict[str, Any]:
    """Judge a run's journals and write ``report.json`` and ``report.html`` beside them; return the document.

    ``status`` is the script's exit status as its parent saw it, for a run that could not write its own end.
    """
    from unstuck.findings.judge import judge
    from unstuck.live.assemble import assemble
    from unstuck.record.reader import read_run
    from unstuck.record.recording import Recording
    from unstuck.report.document import write_document
    from unstuck.report.html import write_html

    recordings = read_run(place) or [Recording(complete=False)]
    if status is not None:
        for recording in recordings:
            if recording.end is None:
                recording.extras["status"] = status
    document = assemble(recordings, judge(recordings[0]), source=place)
    paths = {"json": place / "report.json", "html": place / "report.html"}
    write_document(document, paths["json"])
    write_html(document, paths["html"])
    if json_file is not None:
        write_document(document, json_file)
    if html_file is not None:
        write_html(document, html_file)
    _index(place, document)
    if not quiet:
        tell(document, {"html": html_file or paths["html"], "json": json_file or paths["json"]})
    return document


def tell(document: Mapping[str, Any], paths: Mapping[str, Path]) -> None:
    """Print a report to standard error."""
    from rich.console import Console

    from unstuck.report.terminal import print_report

    print_report(document, Console(file=sys.stderr), paths=paths)


def _index(place: Path, document: Mapping[str, Any]) -> None:
    from unstuck.record.index import Index

    if place.parent.name != "runs":
        return
    try:
        with Index(place.parent.parent) as index:
            index.add(place, document)
    except Exception as problem:  # the index can be rebuilt; the report stands
        print(
            f"unstuck: the index could not be written ({problem}); `unstuck report --rebuild` makes it anew",
            file=sys.stderr,
        )

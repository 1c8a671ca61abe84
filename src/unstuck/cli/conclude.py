"""From the journals of a run to its report: judge, write the files, print, index."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Files:
    """Where the report shall be written beside the run's own folder."""

    json: Path | None = None
    html: Path | None = None
    sarif: Path | None = None


def conclude(
    place: Path,
    *,
    status: int | None = None,
    files: Files | None = None,
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

    files = files or Files()
    recordings = read_run(place) or [Recording(complete=False)]
    if status is not None:
        for recording in recordings:
            if recording.end is None:
                recording.extras["status"] = status
    document = _with_cure(place, assemble(recordings, judge(recordings[0]), source=place))
    paths = {"json": place / "report.json", "html": place / "report.html"}
    write_document(document, paths["json"])
    write_html(document, paths["html"])
    if files.json is not None:
        write_document(document, files.json)
    if files.html is not None:
        write_html(document, files.html)
    if files.sarif is not None:
        write_findings(document, files.sarif)
    enter(place, document)
    if not quiet:
        tell(document, {"html": files.html or paths["html"], "json": files.json or paths["json"]})
    return document


def write_findings(document: Mapping[str, Any], path: Path) -> None:
    """Write a report's findings in SARIF, with every rule there is."""
    from unstuck import __version__
    from unstuck.findings import catalog
    from unstuck.report.sarif import RuleText, write_sarif

    texts = []
    for code, rule in catalog.rules().items():
        page = catalog.page(code)
        body = "\n\n".join([page.lead, *(f"## {head}\n\n{text}" for head, text in page.sections.items())])
        texts.append(RuleText(code, rule.NAME, rule.CLAIM, body, rule.ENABLED))
    write_sarif(document, path, texts, version=__version__, root=Path.cwd())


def tell(document: Mapping[str, Any], paths: Mapping[str, Path]) -> None:
    """Print a report to standard error."""
    from rich.console import Console

    from unstuck.report.terminal import print_report

    print_report(document, Console(file=sys.stderr), paths=paths)


def _with_cure(place: Path, document: dict[str, Any]) -> dict[str, Any]:
    """What a cure of this run found out stays in its report, and goes on weighing its findings."""
    from unstuck.core.errors import BadInput
    from unstuck.report.document import plain, with_treatment

    path = place / "treatment.json"
    if not path.is_file():
        return document
    from unstuck.treatment.diagnosis import weigh

    try:
        treated = dict(with_treatment(plain(document), path))
    except BadInput as problem:
        print(f"unstuck: the cure's results are left out ({problem})", file=sys.stderr)
        return document
    weigh(treated, treated["treatment"])
    return treated


def enter(place: Path, document: Mapping[str, Any]) -> None:
    """Put a run into the index of its project."""
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

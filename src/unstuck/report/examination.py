"""The page of an examination: the verdict, its numbers and its figures, in one file that makes no request."""

from __future__ import annotations

from collections.abc import Mapping

from jinja2 import Environment, PackageLoader, select_autoescape
from markupsafe import Markup


def examination_page(subject: str, *, verdict: str, text: str, charts: Mapping[str, str]) -> str:
    """One self-contained HTML page without scripts.

    ``charts`` are figures as SVG text, by title, drawn by Unstuck itself: they go in as they are; everything else is
    escaped.

    >>> page = examination_page("<b>", verdict="saddle", text="saddle: 1 < 2", charts={})
    >>> "&lt;b&gt;" in page, "1 &lt; 2" in page, "<script" in page
    (True, True, False)
    """
    environment = Environment(
        loader=PackageLoader("unstuck.report", "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
    )
    template = environment.get_template("examination.html.j2")
    sentence, _, numbers = text.partition("\n")
    figures = {title: Markup(svg) for title, svg in charts.items()}
    return template.render(
        subject=subject, verdict=verdict, sentence=sentence.partition(": ")[2], numbers=numbers, figures=figures
    )

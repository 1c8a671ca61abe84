"""The clinic's result as one HTML page, and as the docs' page of precision and recall."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from unstuck.clinic.runner import Outcome
from unstuck.clinic.score import Score
from unstuck.clinic.tables import ROWS, line, shown


def render(scores: Sequence[Score], outcomes: Sequence[Outcome], *, names: Mapping[str, str], version: str) -> str:
    """A page that makes no request: the parts side by side, every code, every run. Everything named is escaped."""
    environment = Environment(
        loader=PackageLoader("unstuck.clinic"), autoescape=select_autoescape(default=True), undefined=StrictUndefined
    )
    style = resources.files("unstuck.report").joinpath("assets/report.css").read_text(encoding="utf-8")
    text: str = environment.get_template("clinic.html.j2").render(
        style=Markup(style), scores=scores, rows=ROWS, shown=shown, names=names, version=version,
        lines=[(o, line(o)) for o in outcomes], codes=_codes(scores),
    )  # fmt: skip
    return text


def markdown(scores: Sequence[Score], *, names: Mapping[str, str]) -> str:
    """The docs page: each rule's precision and recall on the held-out half and on the other."""
    out = ["# The findings, measured", "", "Made by `unstuck clinic --markdown`; the corpus stands in `clinic/`.", ""]
    out += ["| | " + " | ".join(s.part for s in scores) + " |", "|---" * (len(scores) + 1) + "|"]
    out += [f"| {text} | " + " | ".join(shown(getattr(s, key)) for s in scores) + " |" for key, text in ROWS]
    out += ["", "| code | name | " + " | ".join(f"precision, {s.part} | recall, {s.part}" for s in scores) + " |"]
    out += ["|---" * (2 + 2 * len(scores)) + "|"]
    for code, cells in _codes(scores):
        shares = " | ".join(f"{shown(c.precision)} | {shown(c.recall)}" if c else "— | —" for c in cells)
        out.append(f"| {code} | {names.get(code, '')} | {shares} |")
    return "\n".join(out) + "\n"


def _codes(scores: Sequence[Score]) -> list[tuple[str, list[Any]]]:
    every = sorted({c.code for s in scores for c in s.codes})
    return [(code, [next((c for c in s.codes if c.code == code), None) for s in scores]) for code in every]

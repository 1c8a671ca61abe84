"""The report as one HTML file for people: it makes no request, and everything in it that a person named stays text."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from unstuck.report import wording
from unstuck.report.cause_graph import cause_graph
from unstuck.report.charts import charts, layers
from unstuck.report.curvature import section as curvature_section
from unstuck.report.document import number, plain, write_whole
from unstuck.report.facts import facts
from unstuck.report.page import blocks, spans
from unstuck.report.sparkline import sparkline
from unstuck.report.treatment import section as treatment_section
from unstuck.report.wording import SPACE

# What a reader of a card wants beside it, and what can stay folded.
OPEN_HEADINGS = {"Why it hurts": "Why it hurts", "When it is wrong": "When this is wrong"}
ANSWERED_HEADINGS = {"What to do"}  # the card's own remedies are more to the point

SCRIPTS = ("uPlot.iife.min.js", "figures.js", "curves.js", "layers.js", "page.js")

STATUS_WORDS = {
    "fired": "found",
    "crashed": "failed",
    "skipped": "not checked",
    "passed": "passed",
    "not-applicable": "not applicable",
}


def render(report: Mapping[str, Any], *, pages: Mapping[str, Mapping[str, str]] | None = None) -> str:
    """The whole page as a text. ``pages`` are findings' explanations by code and heading, beside the report's own.

    Cost: linear in the report; a run of 4000 points and 100 layers makes a page of about 1 MB.
    """
    explained = {**report.get("pages", {}), **(pages or {})}
    style = _asset("uPlot.min.css") + "\n" + _asset("report.css")
    script = "/*\n" + _asset("uPlot.LICENSE.txt") + "*/\n" + "\n".join(map(_asset, SCRIPTS))
    early = _asset("theme.js")
    policy = (
        "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; "
        f"style-src '{_digest(style)}'; script-src '{_digest(early)}' '{_digest(script)}'"
    )
    run = report["run"]
    base = run.get("cwd")
    drawn = {"curves": charts(report), "layers": layers(report)}
    text: str = _template().render(
        policy=policy,
        style=Markup(style),
        early=Markup(early),
        script=Markup(script),
        data=embed(drawn),
        report=report,
        run=run,
        script_name=re.split(r"[/\\]", run["script"])[-1] or run["script"],
        verdict=report["verdict"],
        verdict_title=wording.heading(report["verdict"]),
        tone=wording.tone(report),
        spark=sparkline(_judged_loss(report)),
        findings=[_finding(finding, explained, base) for finding in report["findings"]],
        causes=cause_graph(report),
        curvature=curvature_section(report),
        treatment=treatment_section(report),
        charts=drawn["curves"],
        layers=drawn["layers"],
        checks=_checks(report["checks"]),
        counts=_counts(report["checks"]),
        quiet=_quiet(report["checks"]),
        facts=facts(run),
        cost=wording.cost(run, space=SPACE),
        ending=_ending(run),
        next_command=report["verdict"].get("next_command", ""),
    )
    return text


def _judged_loss(report: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The loss of the stream that the verdict is about; the first one where that is not told."""
    losses = [curve for curve in report.get("curves", ()) if curve["name"] == "loss"]
    stream = (report.get("run") or {}).get("stream")
    return next((c for c in losses if c.get("stream") == stream), losses[0] if losses else None)


def write_html(
    report: Mapping[str, Any], path: Path | str, *, pages: Mapping[str, Mapping[str, str]] | None = None
) -> Path:
    """Write the page; a browser sees the old file or the whole new one. Returns the path."""
    return write_whole(render(report, pages=pages), path)


def embed(value: object) -> Markup:
    r"""A value as JSON that can stand inside a script element: nothing in it can end the element or open another.

    >>> str(embed({"name": "</script>"}))
    '{"name":"\\u003c/script\\u003e"}'
    """
    text = json.dumps(plain(value), allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)


@cache
def _asset(name: str) -> str:
    return resources.files("unstuck.report").joinpath("assets", name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _template() -> Any:
    environment = Environment(
        loader=PackageLoader("unstuck.report", "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["figure"] = lambda value: wording.figure(value, space=SPACE)
    environment.filters["percent"] = wording.percent
    environment.filters["duration"] = lambda value: wording.duration(number(value))
    environment.filters["visible"] = wording.visible
    environment.filters["blocks"] = blocks
    environment.filters["spans"] = spans
    environment.globals["plural"] = lambda *words: wording.plural(*words, space=SPACE)
    return environment.get_template("report.html.j2")


# ---- findings


def _finding(finding: Mapping[str, Any], pages: Mapping[str, Mapping[str, str]], base: str | None) -> dict[str, Any]:
    page = pages.get(finding["code"], {})
    return {
        **finding,
        "tone": wording.SEVERITY_TONES[finding["severity"]],
        "place": wording.place(finding.get("line"), base=base),
        "source": _source(finding.get("line")),
        "evidence": [
            (wording.label(key), wording.measured(key, value, space=SPACE))
            for key, value in finding["evidence"].items()
            if value is not None and value != ""
        ],
        "remedies": [
            {
                **remedy,
                "place": wording.place(remedy.get("line"), base=base),
                "source": _source(remedy.get("line")),
                "elsewhere": bool(remedy.get("line")) and remedy.get("line") != finding.get("line"),
            }
            for remedy in finding["remedies"]
        ],
        "symptoms": [_finding(symptom, pages, base) for symptom in finding.get("symptoms", ())],
        "open_pages": [(shown, page[heading]) for heading, shown in OPEN_HEADINGS.items() if page.get(heading)],
        "folded_pages": [
            (heading, text)
            for heading, text in page.items()
            if heading not in OPEN_HEADINGS and heading not in ANSWERED_HEADINGS and text
        ],
    }


def _source(line: Mapping[str, Any] | None) -> str:
    return ((line or {}).get("text") or "").strip("\n")


# ---- checks


def _checks(checks: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What was found and what could not be judged first; within that by code."""
    ordered = sorted(checks, key=lambda check: (wording.STATUS_ORDER[check["status"]], check["code"]))
    return [{**check, "word": STATUS_WORDS[check["status"]], "name": check.get("name", "")} for check in ordered]


def _counts(checks: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, int]]:
    counted = [(status, STATUS_WORDS[status], sum(c["status"] == status for c in checks)) for status in STATUS_WORDS]
    return [entry for entry in counted if entry[2]]


def _quiet(checks: Sequence[Mapping[str, Any]]) -> str:
    """What it is worth that nothing was found."""
    passed = sum(check["status"] == "passed" for check in checks)
    open_ = sum(check["status"] in ("skipped", "crashed") for check in checks)
    if not passed:
        return "Nothing could be checked; the reasons are listed below." if open_ else "No checks were made."
    text = f"No sickness was found: {wording.plural(passed, 'check')} passed"
    return text + (f", {open_} could not be made; the reasons are listed below." if open_ else ".")


def _ending(run: Mapping[str, Any]) -> dict[str, str] | None:
    """How the script ended, if not well."""
    exception = run["exit"]["exception"]
    if exception is not None:
        message = (exception.get("message") or "").strip()
        return {
            "text": f"The script ended with {exception['type']}" + (f": {message}" if message else ""),
            "place": wording.place(exception.get("line"), base=run.get("cwd")),
            "source": _source(exception.get("line")),
        }
    if not run["complete"]:
        return {
            "text": "The run was cut off; this report judges what was recorded until then.",
            "place": "",
            "source": "",
        }
    if run["exit"]["status"]:
        return {"text": f"The script ended with exit status {run['exit']['status']}.", "place": "", "source": ""}
    return None

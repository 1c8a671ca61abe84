"""An experiment as a lesson: one HTML file that makes no request, in English or Chinese; and the book of them all."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from unstuck.lab.charts import Playground
from unstuck.lab.contract import Experiment, Number, Page, Result
from unstuck.lab.criteria import Criterion
from unstuck.lab.figures import draw_svg
from unstuck.lab.page_words import VALUES, WORDS
from unstuck.lab.palette import DARK, HEAT, LIGHT
from unstuck.lab.words import Both, Language
from unstuck.report.html import embed

FILLED = ("title", "question", "lecture", "expectation", "change_mind", "lesson", "holds", "fails")


@dataclasses.dataclass(frozen=True)
class Ran:
    """An experiment with what came out of it."""

    experiment: Experiment
    result: Result
    full: bool
    seed: int
    seconds: float


def render(
    ran: Ran, *, language: Language = "en", book: Sequence[Experiment] = (), links: Mapping[str, str] | None = None
) -> str:
    """The lesson's page. ``book``: the neighbors, linked when they lie beside it; ``links``: ``index`` and ``other``
    (the same page in the other language).

    *Cost*: about 0.2 s a figure.
    """
    experiment, result = ran.experiment, ran.result
    words = {key: both.said(language) for key, both in WORDS.items()}
    text = filled(experiment.text[language], result.numbers)
    script, figures = _figures(result, language, words)
    names = [other.name for other in book]
    place = names.index(experiment.name) if experiment.name in names else -1
    neighbors = {
        "previous": book[place - 1] if place > 0 else None,
        "next": book[place + 1] if 0 <= place < len(book) - 1 else None,
    }
    return _page(
        "lesson.html.j2",
        script,
        language=language,
        words=words,
        experiment=experiment,
        text=text,
        formula=unbroken(text.formula),
        paragraphs=lambda part: [piece for piece in part.split("\n\n") if piece.strip()],
        figures=figures,
        numbers=[
            (number.label.said(language), shown(number.value, language), number.unit)
            for number in result.numbers.values()
        ],
        tables=[_table(table, language) for table in result.tables],
        criteria=[_criterion(criterion, language) for criterion in result.criteria],
        passed=result.passed,
        ran=ran,
        settings=", ".join(f"{k} = {v}" for k, v in _settings(ran).items()),
        neighbors={key: (other.name, other.text[language].title) for key, other in neighbors.items() if other},
        links=links or {},
    )


def render_index(all_ran: Sequence[Ran], *, language: Language = "en", links: Mapping[str, str] | None = None) -> str:
    """The book's first page: every experiment by its question, with its verdict."""
    words = {key: both.said(language) for key, both in WORDS.items()}
    return _page(
        "book.html.j2",
        "",
        language=language,
        words=words,
        entries=[
            {
                "name": ran.experiment.name,
                "number": ran.experiment.order,
                "text": filled(ran.experiment.text[language], ran.result.numbers),
                "passed": ran.result.passed,
                "demands": len(ran.result.criteria),
                "corrects": sum(criterion.ruling is not None for criterion in ran.result.criteria),
                "covers": ", ".join(ran.experiment.covers),
            }
            for ran in all_ran
        ],
        links=links or {},
    )


def as_json(ran: Ran) -> dict[str, Any]:
    """Everything measured, as plain values."""
    return {
        "schema": "unstuck.lab/1",
        "experiment": ran.experiment.name,
        "form": "full" if ran.full else "quick",
        "seed": ran.seed,
        "seconds": round(ran.seconds, 3),
        "settings": {k: v if isinstance(v, (int, float, str)) else str(v) for k, v in _settings(ran).items()},
        "passed": ran.result.passed,
        "numbers": {name: number.value for name, number in ran.result.numbers.items()},
        "criteria": [
            {
                "name": c.name,
                "says": c.says.en,
                "relation": c.relation,
                "measured": c.measured,
                "expected": c.expected,
                "tolerance": c.tolerance,
                "ruling": c.ruling,
                "passed": c.passed,
            }
            for c in ran.result.criteria
        ],
    }


def filled(page: Page, numbers: Mapping[str, Number]) -> Page:
    """The page with the measured numbers in its sentences."""
    values = {name: number.value for name, number in numbers.items()}
    return dataclasses.replace(page, **{part: getattr(page, part).format(**values) for part in FILLED})


def shown(value: object, language: Language = "en") -> str:
    """A number as people read it; the fixed words of verdicts and rules in the page's language.

    >>> shown(313418.2), shown(1e-12), shown(0.25), shown(12), shown(True)
    ('313,418', '1e-12', '0.25', '12', 'yes')
    >>> shown(("saddle", True), "zh")
    '鞍点、是'
    """
    if isinstance(value, bool):
        return VALUES["yes" if value else "no"].said(language)
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        if value != 0 and (abs(value) < 1e-4 or abs(value) >= 1e9):
            return f"{value:.4g}"
        return f"{value:,.0f}" if abs(value) >= 1e5 else f"{value:.6g}"
    if isinstance(value, tuple):
        return ("、" if language == "zh" else ", ").join(shown(part, language) for part in value)
    return VALUES[value].said(language) if isinstance(value, str) and value in VALUES else str(value)


def unbroken(formula: str) -> Markup:
    """The formula's lines, to be broken at a space only: outside of parentheses, and before an operator.

    >>> unbroken("w = w − (a − b) g")
    Markup('<span>w</span> <span>= w</span> <span>− (a − b)</span> <span>g</span>')
    """

    def held(term: re.Match[str]) -> str:
        text = str(escape(term[0]))
        return text if _CHINESE.search(text) or len(term[0]) > _WIDEST else f"<span>{text}</span>"

    return Markup(_TERM.sub(held, formula))


# An operator stays with what follows it, and so does what stands in parentheses (one pair within another at most).
# Chinese words, and what is wider than half a page, may be broken at every space.
_WIDEST = 44
_INNER = r"\([^()\n]*\)"
_TERM = re.compile(rf"(?:[=+−·×<>≤≥≈∝←→] )?(?:\((?:[^()\n]|{_INNER})*\)|\S)+")
_CHINESE = re.compile("[\u4e00-\u9fff]")


def expected(criterion: Criterion, language: Language = "en") -> str:
    """What is demanded, with its relation.

    >>> from unstuck.lab.criteria import near
    >>> expected(near("loss", 0.2, 0.25, 0.1, "a", "b"))
    '0.25 ± 0.1'
    """
    if criterion.relation == "near":
        return f"{shown(criterion.expected)} ± {shown(criterion.tolerance)}"
    if criterion.relation == "between":
        assert isinstance(criterion.expected, tuple)
        return f"{shown(criterion.expected[0])} … {shown(criterion.expected[1])}"
    return {"below": "< ", "above": "> ", "same": ""}[criterion.relation] + shown(criterion.expected, language)


def _criterion(criterion: Criterion, language: Language) -> dict[str, Any]:
    return {
        "says": criterion.says.said(language),
        "measured": shown(criterion.measured, language),
        "expected": expected(criterion, language),
        "passed": criterion.passed,
        "corrects": criterion.ruling is not None,
    }


def _table(table: Any, language: Language) -> dict[str, Any]:
    def cell(value: object) -> str:
        return value.said(language) if isinstance(value, Both) else "–" if value is None else shown(value, language)

    return {
        "caption": table.caption.said(language),
        "head": [head.said(language) for head in table.head],
        "rows": [[cell(value) for value in row] for row in table.rows],
    }


def _settings(ran: Ran) -> dict[str, Any]:
    config = ran.experiment.full if ran.full else ran.experiment.quick
    return {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}


def _figures(result: Result, language: Language, words: Mapping[str, str]) -> tuple[str, list[dict[str, Any]]]:
    """The script's data, and what the template shows."""
    grounds, drawn = [], []
    for index, figure in enumerate(result.figures):
        entry: dict[str, Any] = {
            "name": figure.name,
            "title": figure.title.said(language),
            "caption": figure.caption.said(language),
            "kind": "ground" if isinstance(figure, Playground) else "chart",
            "id": f"figure-{index}",
        }
        if isinstance(figure, Playground):
            grounds.append(_ground(figure, f"figure-{index}", language, words))
        elif figure.frames:
            entry["frames"] = [
                (frame.label.said(language), Markup(draw_svg(figure, language=language, frame=frame)))
                for frame in figure.frames
            ]
            label = figure.frames_label
            entry["frames_label"] = label.said(language) if label else words["time"]
        else:
            entry["svg"] = Markup(draw_svg(figure, language=language))
        drawn.append(entry)
    return "\n".join(grounds), drawn


def _ground(figure: Playground, name: str, language: Language, words: Mapping[str, str]) -> str:
    surface = figure.surface
    names = "x, y" if surface.dimensions == 2 else "x"
    slopes = [surface.slope_x] + ([surface.slope_y] if surface.slope_y is not None else [])
    settings = {
        "id": name,
        "dimensions": surface.dimensions,
        "window": figure.window,
        "start": figure.start,
        "stepSize": dataclasses.asdict(figure.step_size),
        "momentum": dataclasses.asdict(figure.momentum),
        "rules": [(rule, words[f"rule.{rule}"]) for rule in figure.rules],
        "steps": figure.steps,
        "log": figure.log,
        "labels": [label.said(language) for label in figure.labels],
        "marked": [(place, label.said(language)) for place, label in figure.marked],
        "racers": [
            {"label": racer.label.said(language), "points": [list(p) for p in racer.points], "color": racer.color}
            for racer in figure.racers
        ],
        "words": dict(words),
        "heat": HEAT,
        "light": dataclasses.asdict(LIGHT),
        "dark": dataclasses.asdict(DARK),
    }
    # The surface's text is plain arithmetic (checked when it was made), so it may stand in the script as it is.
    return (
        f"grounds.push(Object.assign({embed(settings)}, "
        f"{{value: ({names}) => {surface.formula}, slope: ({names}) => [{', '.join(slopes)}]}}));"
    )


def _page(template: str, script: str, **values: Any) -> str:
    style = _report_asset("report.css") + "\n" + _asset("lab.css")
    early = _report_asset("theme.js")
    script = _asset("playground.js").replace("/*grounds*/", script) + "\n" + _asset("lesson.js")
    # Figures carry inline styles of their own; scripts are named by their digests, and nothing is fetched.
    policy = (
        "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; style-src 'unsafe-inline'; "
        f"script-src '{_digest(early)}' '{_digest(script)}'"
    )
    text: str = _environment().get_template(template).render(
        policy=policy, style=Markup(style), early=Markup(early), script=Markup(script), **values
    )  # fmt: skip
    return text


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _asset(name: str) -> str:
    return resources.files("unstuck.lab").joinpath("templates", name).read_text(encoding="utf-8")


@cache
def _report_asset(name: str) -> str:
    return resources.files("unstuck.report").joinpath("assets", name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("unstuck.lab", "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

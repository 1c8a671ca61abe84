"""The page as text: complete in itself, strict about what may run, and nothing that a person named becomes markup."""

from __future__ import annotations

import base64
import copy
import hashlib
import html.parser
import json
import re
from pathlib import Path

import pytest
import synthetic_reports

from unstuck.report import wording
from unstuck.report.html import embed, render, write_html

VOID = {"meta", "link", "br", "input", "img", "hr"}


class Outline(html.parser.HTMLParser):
    """Elements with their attributes, text by element, and whether everything opened was closed."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"{tag} at {self.getpos()}")

    def handle_data(self, data: str) -> None:
        if self.open:
            self.texts.setdefault(self.open[-1], []).append(data)

    def text(self) -> str:
        return " ".join(piece for tag, found in self.texts.items() if tag not in ("script", "style") for piece in found)


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return {name: render(make()) for name, make in synthetic_reports.ALL.items()}


@pytest.mark.parametrize("name", synthetic_reports.ALL)
def test_the_page_is_whole_and_asks_for_nothing(pages: dict[str, str], name: str) -> None:
    outline = Outline(pages[name])
    assert outline.open == [] and outline.wrong == []
    for tag, attributes in outline.elements:
        assert tag not in ("img", "iframe", "object", "embed", "base", "form", "audio", "video")
        for key, value in attributes.items():
            assert not key.startswith("on") and key not in ("style", "srcset", "background", "action"), (tag, key)
            if key in ("src", "href"):
                assert value is not None and (value.startswith("#") or value == "data:,"), (tag, key, value)
    styles = "".join(outline.texts["style"])
    assert "url(" not in styles and "@import" not in styles


@pytest.mark.parametrize("name", synthetic_reports.ALL)
def test_only_our_own_scripts_and_styles_may_run(pages: dict[str, str], name: str) -> None:
    page = pages[name]
    policy = html.unescape(re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)[1])  # type: ignore[index]
    rules = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert rules.pop("default-src") == "'none'" and rules.pop("img-src") == "data:"
    assert rules.pop("base-uri") == "'none'" and rules.pop("form-action") == "'none'"
    for element, rule in (("style", "style-src"), ("script", "script-src")):
        contents = re.findall(rf"<{element}>(.*?)</{element}>", page, re.DOTALL)
        digests = {f"'sha256-{base64.b64encode(hashlib.sha256(c.encode()).digest()).decode()}'" for c in contents}
        assert digests == set(rules.pop(rule).split())
    assert rules == {}
    # The policy stands before anything that it governs.
    assert page.index("Content-Security-Policy") < min(page.index("<script"), page.index("<style"))


@pytest.mark.parametrize("name", synthetic_reports.ALL)
def test_no_two_elements_share_a_name(pages: dict[str, str], name: str) -> None:
    outline = Outline(pages[name])
    ids = [a["id"] for _, a in outline.elements if "id" in a]
    assert len(ids) == len(set(ids))
    for _, attributes in outline.elements:
        if "aria-labelledby" in attributes:
            assert attributes["aria-labelledby"] in ids
        if (attributes.get("href") or "").startswith("#"):
            assert (attributes["href"] or "")[1:] in ids


def test_names_stay_text(pages: dict[str, str]) -> None:
    outline = Outline(pages["hostile"])
    scripts = [attributes for tag, attributes in outline.elements if tag == "script"]
    assert scripts == [{}, {"type": "application/json", "id": "data"}, {}]
    shown = synthetic_reports.EVIL.replace("\u2028", "\\u2028").replace("\x1b", "\\x1b")
    assert outline.text().count(shown) > 20
    assert synthetic_reports.EVIL not in pages["hostile"] and "\x1b" not in pages["hostile"]


def test_embedded_data_cannot_end_its_element() -> None:
    value = {"</script><script>": "<!-- & \u2028\u2029 -->", "x": float("nan")}
    text = str(embed(value))
    assert not set("<>&\u2028\u2029") & set(text)
    assert json.loads(text) == {"</script><script>": "<!-- & \u2028\u2029 -->", "x": "nan"}


def test_the_data_is_the_reports(pages: dict[str, str]) -> None:
    data = json.loads(re.search(r'id="data">(.*?)</script>', pages["large"], re.DOTALL)[1])  # type: ignore[index]
    report = synthetic_reports.large()
    loss = data["curves"][0]["series"][0]
    assert loss["values"] == report["curves"][0]["values"] and 97.5 in loss["values"] and len(loss["values"]) <= 4000
    first = data["layers"][0]["statistics"][0]
    assert len(first["rows"]) == 100 and len(first["matrix"]) == 100
    assert {s["name"] for s in data["layers"][0]["statistics"]} >= {
        "gradient_norm",
        "update_ratio",
        "dead_share",
        "saturated_share",
    }


def test_a_card_has_all_its_parts(pages: dict[str, str]) -> None:
    text = re.sub(r"\s+", " ", Outline(pages["stuck"]).text().replace("\u202f", " "))
    for part in (
        "Bouncing",
        "The loss has stood at 1.48 since step 610",
        "unstuck explain L201",
        "Watched 1 860 steps in 12.3 s; Unstuck took 2.1 % (0.25 s).",
        "double-softmax",
        "99 % sure",
        "train.py:43",
        "loss = F.cross_entropy(F.softmax(net(x), dim=1), y)",
        "softmax before cross_entropy",
        "What to do",
        "Remove the softmax: cross_entropy wants raw scores.",
        "loss = F.cross_entropy(net(x), y)",
        "Or keep probabilities",
        "lowest reachable loss",
        "1.461",
        "Why it hurts",
        "Probabilities lie between 0 and 1",
        "When this is wrong",
        "If the loss is meant to be a distance",
        "1 symptom of it",
        "The gradient is 3 100 times weaker",
        "How it is judged",
        "no evaluation was seen",
        "ZeroDivisionError: division by zero",
        "custom function RoundSTE: its graph node saves nothing",
        "net (Net): 85 706 parameters",
        "SGD: 1 860 steps",
        "at the start, then 1.2 % (budget 3.0 %)",
    ):
        assert part in text, part
    assert text.index("double-softmax") < text.index("step-too-long") < text.index("batch-too-large")


def test_pages_given_beside_the_report_win(pages: dict[str, str]) -> None:
    page = render(synthetic_reports.stuck(), pages={"L201": {"Why it hurts": "Because of ``this``."}})
    assert "Because of <code>this</code>." in page and "Probabilities lie between" not in page


def test_converged_on_nothing_is_no_good_news() -> None:
    report = synthetic_reports.stuck()
    report["findings"], report["verdict"] = [], {"state": "converged", "sentence": "It stands.", "evidence": {}}
    assert wording.tone(report) == "good"
    report["verdict"]["evidence"] = {"learned_nothing": True}
    assert wording.tone(report) == "warn"


def test_the_small_curve_is_of_the_training_that_the_verdict_is_about() -> None:
    report = synthetic_reports.stuck()
    loss = next(curve for curve in report["curves"] if curve["name"] == "loss")
    first, second = copy.deepcopy(loss), copy.deepcopy(loss)
    del first["smooth"], second["smooth"]
    first.update(stream=0, values=[0.75] * len(loss["values"]))
    second.update(stream=1, values=[0.5] * len(loss["values"]))
    report["curves"] = [first, second]
    told = {0: "0.75 → 0.75", 1: "0.5 → 0.5", 7: "0.75 → 0.75"}  # 7: of no loss, so the first one is drawn
    for stream, caption in told.items():
        report["run"]["stream"] = stream
        assert f"<figcaption>loss {caption}</figcaption>" in render(report)


def test_a_report_without_the_optional_parts_is_a_page() -> None:
    report = synthetic_reports.stuck()
    for key in ("curves", "layers", "pages"):
        del report[key]
    for key in ("streams", "models", "unseen", "processes", "time", "device", "seed", "cwd", "source", "python"):
        del report["run"][key]
    report["run"]["overhead"] = {}
    report["run"]["seconds"] = None
    report["verdict"].pop("next_command")
    for finding in report["findings"]:
        finding.pop("line")
        finding.pop("symptoms")
    report["checks"] = [{k: v for k, v in check.items() if k != "name"} for check in report["checks"]]
    outline = Outline(render(report))
    assert outline.wrong == [] and "double-softmax" in outline.text()
    report["checks"], report["findings"] = [], []
    assert "No checks were made." in Outline(render(report)).text()


def test_nothing_checked_is_not_called_healthy(pages: dict[str, str]) -> None:
    assert "Nothing could be checked" in pages["nothing"] and "No sickness was found" not in pages["nothing"]
    assert "No sickness was found: 14 checks passed, 3 could not be made" in pages["healthy"]


def test_the_worst_colors_the_banner() -> None:
    report = copy.deepcopy(synthetic_reports.healthy())
    assert 'class="verdict tone-good"' in render(report)
    report["findings"] = synthetic_reports.two_optimizers()["findings"]
    assert 'class="verdict tone-warn"' in render(report)


def test_the_same_report_makes_the_same_page(pages: dict[str, str], tmp_path: Path) -> None:
    path = write_html(synthetic_reports.stuck(), tmp_path / "report.html")
    assert path.read_text(encoding="utf-8") == pages["stuck"]


def test_the_licence_of_the_plotting_code_goes_with_it(pages: dict[str, str]) -> None:
    assert "Copyright (c) 2022 Leon Sorokin" in pages["stuck"] and "uPlot (v1.6.32)" in pages["stuck"]


@pytest.mark.parametrize(("name", "most"), [("nothing", 120_000), ("stuck", 300_000), ("large", 1_000_000)])
def test_the_page_is_small(pages: dict[str, str], name: str, most: int) -> None:
    assert len(pages[name].encode()) < most

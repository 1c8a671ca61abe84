"""Pages and figures: complete, offline, the same in both languages; the walk in the browser is the walk in Python."""

import html
import re
import shutil
from functools import cache

import pytest

from unstuck.lab import catalog
from unstuck.lab.book import run_timed, write_book, write_figures
from unstuck.lab.charts import Axis, Band, Bars, Chart, Field, Frame, Level, Line, Note, Scatter
from unstuck.lab.contract import Number, Result
from unstuck.lab.criteria import near
from unstuck.lab.figures import draw_png, draw_svg
from unstuck.lab.page import Ran, as_json, render
from unstuck.lab.walks import walk
from unstuck.lab.words import Both, alike

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
WORDS = Both("measured <b>", "测得 <b>")
EVERY_MARK = (
    Band([0, 1], [0, 0], [1, 2], WORDS),
    Line([0, 1], [1, float("nan")], WORDS, dashed=True, marked=True),
    Scatter([0.5], [0.5], WORDS, shape="x"),
    Bars([0, 1], [1, 2], WORDS),
    Bars([0, 1], [2, 1], WORDS, color=2),
    Note(0.5, 0.5, WORDS),
    Level(y=1.0, label=WORDS),
)


@cache
def ran():
    return run_timed(catalog.load("worst-network"))


def chart(**options):
    axis = Axis(WORDS, "ms", limits=(0, 2))
    return Chart("every mark", WORDS, axis, axis, **{"marks": EVERY_MARK, "caption": WORDS, **options})


def test_every_mark_is_drawn_in_the_pages_own_colors():
    text = draw_svg(chart(), language="zh")
    assert text.startswith("<svg") and "测得 &lt;b&gt;" in text and "(ms)" in text
    assert {"var(--series-1)", "var(--series-2)", "var(--text)", "var(--panel)"} <= set(
        re.findall(r"var\([\w-]+\)", text)
    )
    assert not re.findall(r"#0102\w\w", text), "a marked color was not replaced"
    assert draw_svg(chart(), language="zh") == text


def test_light_and_dark_differ_and_are_pictures():
    field = Field([0, 1, 2], [0, 1], [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], WORDS, log=True, levels=(2.0, 4.0))
    light, dark = (draw_png(chart(marks=(field,)), theme=theme, dpi=40) for theme in ("light", "dark"))
    assert light[:8] == dark[:8] == b"\x89PNG\r\n\x1a\n" and light != dark


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_lesson_asks_for_nothing_and_says_everything(language):
    text = render(ran(), language=language)
    assert not re.search(r"""(src|href)=["'](?!data:|#)""", text), "the page would fetch something"
    text = html.unescape(text)
    assert "default-src 'none'" in text and "{" not in ran().experiment.text[language].title
    for criterion in ran().result.criteria:
        assert criterion.says.said(language) in text
    assert ran().experiment.text[language].question in text
    assert ('lang="zh-Hans"' in text) == (language == "zh")


def test_a_demand_that_fails_is_shown_as_failed():
    told = Result({"x": Number(2, alike("x"))}, (near("x", 2.0, 1.0, 0.1, "x is one", "x 为一"),))
    page = catalog.load("worst-network")
    numbers = {**ran().result.numbers, **told.numbers}
    text = render(Ran(page, Result(numbers, told.criteria), False, 0, 1.0))
    assert "does not hold" in text and "tone-bad" in text and "Every demand holds" not in text
    assert as_json(Ran(page, told, False, 0, 1.0))["passed"] is False


def test_frames_become_a_slider():
    frames = (Frame(Both("one", "一"), (Line([0, 1], [0, 1]),)), Frame(Both("two", "二"), (Line([0, 1], [1, 0]),)))
    result = Result(ran().result.numbers, ran().result.criteria, (chart(frames=frames),))
    text = render(Ran(ran().experiment, result, False, 0, 1.0))
    assert text.count('class="frame"') == 2 and 'type="range"' in text


def test_the_book_links_its_pages(tmp_path):
    chosen = [catalog.load("worst-network"), catalog.load("momentum-ball")]
    told = []
    write_book(chosen, tmp_path, progress=lambda index, experiment, share, what: told.append(index + share))
    for page in [*tmp_path.glob("*.html"), *tmp_path.glob("zh/*.html")]:
        for link in re.findall(r'href="([^"#:]+)"', page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name} links {link}"
    assert len(list(tmp_path.rglob("*.html"))) == 6 and told == sorted(told)


@pytest.mark.slow
def test_the_book_is_the_same_whatever_runs_at_a_time(tmp_path):
    chosen = [catalog.load(name) for name in ("worst-network", "momentum-ball", "feature-scaling")]
    alone, together = (write_book(chosen, tmp_path / str(jobs), jobs=jobs) for jobs in (1, 2))
    for one, other in zip(alone, together, strict=True):
        assert one.experiment.name == other.experiment.name
        assert {k: n.value for k, n in one.result.numbers.items()} == {
            k: n.value for k, n in other.result.numbers.items()
        }
    assert sorted(p.name for p in (tmp_path / "1").rglob("*.html")) == sorted(
        p.name for p in (tmp_path / "2").rglob("*.html")
    )


def test_figures_are_written_light_and_dark(tmp_path):
    names = {path.name for path in write_figures(ran(), tmp_path)}
    assert {"worst-network-surface-light.png", "worst-network-surface-dark.png"} <= names


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_the_browser_walks_as_python_does(tmp_path):
    sync_api = pytest.importorskip("playwright.sync_api")
    file = tmp_path / "lesson.html"
    file.write_text(render(ran()), encoding="utf-8")
    ground = next(figure for figure in ran().result.figures if figure.name == "walk")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        page = browser.new_page()
        wrong = []
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(file.as_uri())
        for rule in ("gradient", "momentum", "nesterov", "adagrad", "adagrad-mean", "rmsprop", "adam"):
            there = page.evaluate(
                f"walk(grounds[0], '{rule}', [0.5, -0.4], {ground.step_size.value}, {ground.momentum.value}, 40).points"
            )
            moved = type(ground)(**{**vars(ground), "start": (0.5, -0.4), "steps": 40})
            for ours, theirs in zip(walk(moved, rule).points, there, strict=True):
                assert tuple(theirs) == pytest.approx(ours, rel=1e-9, abs=1e-12)
        before = page.inner_text(".reading-line")
        page.locator(".ground canvas").click(position={"x": 200, "y": 120})
        after = page.inner_text(".reading-line")
        page.locator(".ground input").first.fill("900")
        assert len({before, after, page.inner_text(".reading-line")}) == 3, "moving changes nothing"
        browser.close()
    assert not wrong

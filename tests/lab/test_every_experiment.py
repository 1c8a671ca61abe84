"""What must be true of every experiment, found by its folder.

All that is asked of one result stands in one test, so that each quick form runs twice here and no more.
"""

import html
import re
import string

import pytest
import torch

from unstuck.lab import catalog
from unstuck.lab.charts import Bars, Chart, Field, Level, Note, Playground
from unstuck.lab.page import FILLED, Ran, render, shown
from unstuck.lab.words import LANGUAGES, Both

CHINESE = re.compile("[\u4e00-\u9fff]")
PARAMETER = re.compile(r"\b\d+\.(weight|bias)\b")
NAMES = {"AdaGrad", "Adadelta", "RMSProp", "Adam"}  # names of rules, alike in both
TIMES = ("s", "ms", "µs", "× time")


@pytest.mark.parametrize("name", catalog.names())
def test_every_experiment(name):
    experiment = catalog.load(name)
    state = torch.get_rng_state()
    first, second = experiment.run(seed=0), experiment.run(seed=0)
    assert torch.equal(torch.get_rng_state(), state), "the global random numbers were drawn from"
    failed = [(c.name, c.measured, c.expected) for c in first.criteria if not c.passed]
    assert not failed
    same_numbers(first, second)
    names_of_their_own(first)
    lesson_in_both_languages(experiment, first)
    words_in_both_languages(first)
    for figure in first.figures:
        slopes(figure) if isinstance(figure, Playground) else series(figure)
    measured_words_in_both_languages(first)
    page_is_drawn(experiment, first)


def measured_words_in_both_languages(result):
    """What is measured or tabled as a word (a verdict, yes, the name of a rule) stands in Chinese on a Chinese page."""
    values = [value for c in result.criteria for value in (c.measured, c.expected)]
    values += [cell for table in result.tables for row in table.rows for cell in row]
    words = [word for value in values for word in (value if isinstance(value, tuple) else (value,))]
    for word in words:
        if isinstance(word, (str, bool)):
            told = shown(word, "zh")
            named = PARAMETER.sub("", told)
            assert CHINESE.search(told) or not re.search("[A-Za-z]{3,}", named) or told in NAMES, told


def page_is_drawn(experiment, result):
    """The page can be made and shows every demand."""
    text = html.unescape(render(Ran(experiment, result, False, 0, 1.0), language="zh"))
    assert all(criterion.says.zh in text for criterion in result.criteria)
    assert text.count("<figure") == len(result.figures)


def same_numbers(first, second):
    """Same seed, same numbers; clock readings apart."""

    def untimed(result):
        return {name: number.value for name, number in result.numbers.items() if number.unit not in TIMES}

    assert untimed(first) == untimed(second)


def names_of_their_own(result):
    for things in (result.criteria, result.figures):
        assert len({thing.name for thing in things}) == len(things) > 0


def lesson_in_both_languages(experiment, result):
    assert experiment.covers and experiment.sources and experiment.subject and experiment.planted
    for language in LANGUAGES:
        page = experiment.text[language]
        for section in FILLED:
            text = getattr(page, section)
            assert text.strip() or section == "fails", f"{section} is empty in {language}"
            named = {field for _, field, _, _ in string.Formatter().parse(text) if field is not None}
            assert named <= set(result.numbers), f"{section} ({language}) names numbers that the result lacks"
            assert not text or bool(CHINESE.search(text)) == (language == "zh"), f"{section} is not in {language}"
        assert page.formula.strip()
    assert experiment.text["en"].question.endswith("?") and experiment.text["zh"].question.endswith("？")
    assert bool(experiment.text["en"].fails) == bool(experiment.text["zh"].fails)


def words_in_both_languages(result):
    for words in said(result):
        assert words.en.strip() and words.zh.strip()
        assert not CHINESE.search(words.en), words.en
        # What reads alike is signs, formulas and names; a sentence is not.
        assert words.en != words.zh or len(re.findall("[a-z]{3,}", words.en)) <= 3, words.en


def said(thing):
    if isinstance(thing, Both):
        yield thing
    elif isinstance(thing, (list, tuple)):
        if not (thing and isinstance(thing[0], float)):  # long series
            for part in thing:
                yield from said(part)
    elif isinstance(thing, dict):
        yield from said(list(thing.values()))
    elif hasattr(thing, "__dataclass_fields__"):
        for field in thing.__dataclass_fields__:
            yield from said(getattr(thing, field))


def slopes(ground):
    """A playground walks along the true slope of its surface."""
    place = tuple(low + 0.37 * (high - low) for low, high in ground.window[: ground.surface.dimensions])
    for axis, slope in enumerate(ground.surface.slope(*place)):
        up, down = list(place), list(place)
        reach = 1e-6 * max(1.0, abs(place[axis]))
        up[axis] += reach
        down[axis] -= reach
        measured = (ground.surface.value(*up) - ground.surface.value(*down)) / (2 * reach)
        assert measured == pytest.approx(slope, rel=1e-4, abs=1e-6 * abs(ground.surface.value(*place)) + 1e-8)


def series(chart):
    assert isinstance(chart, Chart) and (chart.marks or chart.frames)
    for mark in (*chart.marks, *(mark for frame in chart.frames for mark in frame.marks)):
        if isinstance(mark, (Note, Level)):
            continue
        if isinstance(mark, Field):
            assert len(mark.values) == len(mark.y) and {len(row) for row in mark.values} == {len(mark.x)}
            continue
        heights = mark.heights if isinstance(mark, Bars) else getattr(mark, "y", getattr(mark, "low", None))
        assert len(mark.x) == len(heights) > 0
    if chart.frames:
        assert chart.x.limits and chart.y.limits, "a slider needs axes that stand still"

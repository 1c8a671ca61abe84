"""What must be true of every experiment, found by its folder."""

import re
import string
from functools import cache

import pytest

from unstuck.lab import catalog
from unstuck.lab.charts import Chart, Playground
from unstuck.lab.words import LANGUAGES, Both

NAMES = catalog.names()
CHINESE = re.compile("[\u4e00-\u9fff]")
SECTIONS = ("title", "question", "lecture", "formula", "expectation", "change_mind", "lesson", "holds")


@cache
def quick(name):
    return catalog.load(name).run(seed=0)


@pytest.mark.parametrize("name", NAMES)
def test_the_quick_form_passes_its_criteria(name):
    failed = [(c.name, c.measured, c.expected) for c in quick(name).criteria if not c.passed]
    assert not failed


@pytest.mark.parametrize("name", NAMES)
def test_criteria_and_figures_have_names_of_their_own(name):
    result = quick(name)
    for things in (result.criteria, result.figures):
        assert len({thing.name for thing in things}) == len(things) > 0


@pytest.mark.parametrize("name", NAMES)
def test_the_lesson_is_complete_in_both_languages(name):
    experiment, numbers = catalog.load(name), quick(name).numbers
    assert experiment.covers and experiment.sources and experiment.subject and experiment.planted
    for language in LANGUAGES:
        page = experiment.text[language]
        for section in SECTIONS:
            text = getattr(page, section)
            assert text.strip(), f"{section} is empty in {language}"
            named = {field.split(":")[0] for _, field, _, _ in string.Formatter().parse(text) if field}
            assert named <= set(numbers), f"{section} ({language}) names numbers that the result lacks"
            if section != "formula":
                assert bool(CHINESE.search(text)) == (language == "zh"), f"{section} is not in {language}"
    assert experiment.text["en"].question.endswith("?") and experiment.text["zh"].question.endswith("？")
    assert bool(experiment.text["en"].fails) == bool(experiment.text["zh"].fails)


@pytest.mark.parametrize("name", NAMES)
def test_every_word_on_the_page_is_there_in_both_languages(name):
    for words in _words(quick(name)):
        assert words.en.strip() and words.zh.strip()
        assert not CHINESE.search(words.en), words.en
        # What reads alike is signs, formulas and names; a sentence is not.
        assert words.en != words.zh or len(re.findall("[a-z]{3,}", words.en)) <= 3, words.en


@pytest.mark.parametrize("name", NAMES)
def test_playgrounds_have_the_slope_of_their_surface(name):
    for figure in quick(name).figures:
        if isinstance(figure, Playground):
            place = tuple(low + 0.37 * (high - low) for low, high in figure.window[: figure.surface.dimensions])
            for axis, slope in enumerate(figure.surface.slope(*place)):
                up, down = list(place), list(place)
                reach = 1e-6 * max(1.0, abs(place[axis]))
                up[axis] += reach
                down[axis] -= reach
                measured = (figure.surface.value(*up) - figure.surface.value(*down)) / (2 * reach)
                assert measured == pytest.approx(slope, rel=1e-4, abs=1e-6 * abs(figure.surface.value(*place)) + 1e-8)


@pytest.mark.parametrize("name", NAMES)
def test_charts_have_series_as_long_as_their_axis(name):
    for figure in quick(name).figures:
        if isinstance(figure, Chart):
            assert figure.marks or figure.frames
            for mark in (*figure.marks, *(mark for frame in figure.frames for mark in frame.marks)):
                columns = [
                    getattr(mark, field) for field in ("x", "y", "heights", "low", "high") if hasattr(mark, field)
                ]
                if not hasattr(mark, "values"):
                    assert len({len(column) for column in columns if hasattr(column, "__len__")}) <= 1


def _words(thing):
    if isinstance(thing, Both):
        yield thing
    elif isinstance(thing, (list, tuple)):
        for part in thing:
            yield from _words(part)
    elif isinstance(thing, dict):
        yield from _words(list(thing.values()))
    elif hasattr(thing, "__dataclass_fields__"):
        for field in thing.__dataclass_fields__:
            yield from _words(getattr(thing, field))

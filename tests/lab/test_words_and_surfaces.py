"""The small parts: criteria compute their verdict, surfaces are plain arithmetic, walks end when they run away."""

import math

import pytest

from unstuck.core.errors import BadInput
from unstuck.lab import catalog
from unstuck.lab.charts import Playground, Slider
from unstuck.lab.contract import replaced
from unstuck.lab.criteria import above, below, between, near, same
from unstuck.lab.walks import walk
from unstuck.lab.words import Both, alike
from unstuck.problems import Surface


def test_a_criterion_is_judged_by_its_relation():
    assert near("a", 1.05, 1.0, 0.05 + 1e-9, "a", "b").passed and not near("a", 1.06, 1.0, 0.05, "a", "b").passed
    assert below("a", 1.0, 2.0, "a", "b").passed and not below("a", 2.0, 2.0, "a", "b").passed
    assert above("a", 3.0, 2.0, "a", "b").passed and not above("a", 2.0, 2.0, "a", "b").passed
    assert between("a", 2.0, 2.0, 3.0, "a", "b").passed and not between("a", 3.1, 2.0, 3.0, "a", "b").passed
    assert same("a", ("x", 1), ("x", 1), "a", "b").passed and not same("a", "saddle", "minimum", "a", "b").passed


@pytest.mark.parametrize("make", [near, below, above])
def test_what_is_not_a_number_never_passes(make):
    arguments = (math.nan, 1.0, 1e9, "a", "b") if make is near else (math.nan, 1.0, "a", "b")
    assert not make("a", *arguments).passed
    assert not between("a", math.nan, -math.inf, math.inf, "a", "b").passed


@pytest.mark.parametrize("text", ["__import__('os')", "x.real", "-x**2", "[x]", "z + 1", "lambda: x", "x if x else 1"])
def test_a_surface_takes_plain_arithmetic_only(text):
    with pytest.raises(BadInput):
        Surface(text, "1")


def bowl(**options):
    chosen = {"step_size": Slider(0, 2, 0.1), "momentum": Slider(0, 1, 0.9), "steps": 300, **options}
    return Playground(
        "bowl",
        alike("L"),
        Surface("x**2 + 10*y**2", "2*x", "20*y"),
        ((-2, 2), (-2, 2)),
        (1.0, 1.0),
        caption=Both("a", "甲"),
        **chosen,
    )


@pytest.mark.parametrize("rule", ["momentum", "nesterov", "adagrad", "adam"])
def test_every_rule_comes_to_the_bottom(rule):
    rate = {"momentum": 0.02, "nesterov": 0.02, "adagrad": 0.5, "adam": 0.1}[rule]
    end = walk(bowl(step_size=Slider(0, 2, rate)), rule).points[-1]
    assert max(map(abs, end)) < 0.05


def test_a_walk_that_runs_away_says_so():
    found = walk(bowl(step_size=Slider(0, 2, 0.2)), "gradient")
    assert found.diverged and len(found.points) < 301


def test_what_was_replaced_is_put_back_even_after_an_error():
    from unstuck.signal import standardize

    before = vars(standardize.Standardize)["fitted"]
    with pytest.raises(ZeroDivisionError), replaced("unstuck.signal.standardize:Standardize", "fitted", None):
        assert standardize.Standardize.fitted is None
        raise ZeroDivisionError
    assert vars(standardize.Standardize)["fitted"] is before


def test_a_misspelled_name_is_answered_with_the_nearest():
    with pytest.raises(BadInput, match="worst-network"):
        catalog.load("worst-netwrk")

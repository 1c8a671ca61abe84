"""The minimum next to a place, and whether other starts lead lower."""

import math

import pytest
import torch

from unstuck.landscape.critical_point import classify
from unstuck.landscape.descent import descend
from unstuck.landscape.elsewhere import search_elsewhere
from unstuck.landscape.nearby import nearby_minimum
from unstuck.objective import FormulaObjective
from unstuck.problems import exclusive_or


def _at(formula, *point):
    return FormulaObjective(formula, torch.tensor(point, dtype=torch.float64))


TIME = torch.arange(200, dtype=torch.float64) / 100


def tone(w):
    return (
        (w[0] * torch.sin(2 * math.pi * w[1] * TIME + w[2]) - 1.4 * torch.sin(2 * math.pi * 5.3 * TIME + 0.4))
        .pow(2)
        .mean()
    )


def trained(formula, point, *, rate, steps):
    place = torch.tensor(point, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([place], lr=rate)
    for _ in range(steps):
        optimizer.zero_grad()
        formula(place).backward()
        optimizer.step()
    return FormulaObjective(formula, place.detach())


def test_a_fit_that_crawls_next_to_a_wrong_frequency_is_at_a_minimum():
    objective = trained(tone, [0.9, 9.0, 0.3], rate=0.01, steps=3000)
    standing = classify(objective)
    found = nearby_minimum(objective, standing)
    assert standing.state == "descending" and found is not None and found.state == "minimum"
    assert found.evidence["smallest_eigenvalue_there"] > 0
    assert 0 < found.evidence["gain_left"] < 1e-3 * found.evidence["loss"]


def test_a_minimum_on_a_kink():
    objective = _at(lambda w: 1 + (w[0] - 1e-4).abs() + w[1] ** 2, 0.0, 1e-3)
    found = nearby_minimum(objective, classify(objective))
    assert found is not None and found.evidence["kinked"]


@pytest.mark.parametrize(
    "formula",
    [
        lambda w: 1 + 0.1 * w[0] ** 2 + 0.001 * w[1] ** 2,  # 0.1 of 1.1 is left to gain, however slow
        lambda w: 1 + 1e-3 * (w[0] - 1) - 1e-3 * w[1] ** 2 + w[1] ** 4 / 4,  # falls for ever
    ],
)
def test_where_more_is_left_to_gain_there_is_none(formula):
    objective = _at(formula, 1.0, 0.01)
    assert nearby_minimum(objective, classify(objective)) is None


def test_a_saddle_next_to_the_place_is_no_minimum():
    objective = _at(lambda w: 1 + w[0] ** 2 - 1e-4 * w[1] ** 2 + 1e-4 * w[1] ** 4, 0.01, 1e-9)
    assert nearby_minimum(objective, classify(objective)) is None


def test_exclusive_or_on_its_plateau_is_no_minimum():
    objective = exclusive_or()
    standing = classify(objective)
    assert nearby_minimum(objective, standing) is None


def test_other_starts_find_the_tone():
    objective = trained(tone, [0.9, 9.0, 0.3], rate=0.01, steps=1000)
    source = torch.Generator().manual_seed(0)
    here = objective.start()
    found = search_elsewhere(
        objective,
        here,
        lambda: here + 9 * torch.randn(3, generator=source, dtype=torch.float64),
        enough=0.1,
        starts=200,
    )
    assert found is not None and found.lowest < 0.1 and found.lower >= 1
    assert objective.value(found.place) == pytest.approx(found.lowest)


def test_from_the_best_minimum_no_start_leads_lower():
    bowl = _at(lambda w: 1 + w.pow(2).sum(), 0.0, 0.0)
    found = search_elsewhere(bowl, bowl.start(), lambda: torch.ones(2, dtype=torch.float64), starts=3)
    assert found is not None and (found.starts, found.lower) == (3, 0)


def test_without_time_nothing_is_claimed():
    bowl = _at(lambda w: 1 + w.pow(2).sum(), 1.0, 1.0)
    assert search_elsewhere(bowl, bowl.start(), bowl.start, going=lambda: False) is None
    assert descend(bowl, bowl.start(), going=lambda: False)[1] == math.inf

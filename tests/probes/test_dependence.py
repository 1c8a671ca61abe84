"""Targets that depend on their inputs are told from shuffled ones, whatever form the likeness takes."""

from __future__ import annotations

import math

import pytest
import torch

from unstuck.probes.dependence import FEWEST_EXAMPLES, MOST_EXAMPLES, dependence


def drawn(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def clusters():
    y = torch.randint(0, 4, (300,), generator=drawn(0))
    return 2.0 * torch.randn(4, 12, generator=drawn(1))[y] + torch.randn(300, 12, generator=drawn(2)), y


def rings():
    x = torch.rand(300, 2, generator=drawn(0)) * 4 - 2
    return x, (x.norm(dim=1) > 1.2).long()


def waves_of_any_phase():
    y = torch.randint(0, 3, (300,), generator=drawn(0))
    phase = 2 * math.pi * torch.rand(300, 1, generator=drawn(1))
    time = torch.linspace(0, 6 * math.pi, 64)
    return torch.sin(time * (1 + 0.3 * y[:, None]) + phase) + 0.3 * torch.randn(300, 64, generator=drawn(2)), y


def a_word_that_decides():
    tokens = torch.randint(0, 30, (300, 12), generator=drawn(0))
    y = torch.arange(300) % 2
    tokens[y == 1, 5] = 7
    tokens[(tokens == 7) & (y == 0)[:, None]] = 8
    return tokens, y


def a_line():
    x = torch.randn(300, 6, generator=drawn(0))
    return x, x @ torch.linspace(-1, 1, 6) + torch.randn(300, generator=drawn(1))


ALL = (clusters, rings, waves_of_any_phase, a_word_that_decides, a_line)


@pytest.mark.parametrize("data", ALL)
def test_a_tie_is_seen_and_shuffled_targets_have_none(data):
    x, y = data()
    found = dependence(x, y)
    assert found is not None and found.strongest > 8
    without = [dependence(x, y[torch.randperm(len(y), generator=drawn(s))]).strongest for s in range(8)]
    assert sorted(without)[4] < 3 and max(without) < 8


def test_what_neighbors_answer():
    """From a constant answer (0) to all right (1), each example left out of its own answer."""
    assert dependence(*clusters()).neighbors_skill > 0.9
    assert dependence(*rings()).neighbors_skill > 0.7
    x, y = a_line()
    assert 0.2 < dependence(x, y).neighbors_skill < 0.8  # explained variance
    found = dependence(x, torch.randn(300, generator=drawn(3)))
    assert found.neighbors_skill < 0.1


def test_copies_do_not_vouch_for_each_other():
    rows = torch.arange(300) % 50
    base = torch.randn(50, 6, generator=drawn(0))
    x = base[rows] + 0.01 * torch.randn(300, 6, generator=drawn(1))
    assert dependence(x, torch.randint(0, 2, (50,), generator=drawn(2))[rows]).neighbors_skill is None


def test_images_and_sequences_of_vectors():
    y = torch.randint(0, 2, (200,), generator=drawn(0))
    images = torch.randn(200, 1, 8, 8, generator=drawn(1))
    images[y == 1, :, 3, :] += 1.0
    assert dependence(images, y).strongest > 8
    assert dependence(images.reshape(200, 8, 8), y).strongest > 8


def test_a_copy_does_not_vouch_for_its_own_label():
    x, y = torch.randn(80, 5, generator=drawn(0)), torch.randint(0, 3, (80,), generator=drawn(1))
    found = dependence(x.repeat(3, 1), y.repeat(3))
    assert found.examples == 80 and found.strongest < 4


def test_the_same_again_gives_the_same_and_draws_from_no_global_generator():
    x, y = clusters()
    torch.manual_seed(5)
    before = torch.get_rng_state()
    assert dependence(x, y) == dependence(x, y)
    assert torch.equal(before, torch.get_rng_state())


def test_many_sorted_rows_are_seen_from_end_to_end():
    y = torch.arange(20_000) // 10_000
    x = torch.randn(20_000, 4, generator=drawn(0)) + 2.0 * y[:, None]
    found = dependence(x, y)
    assert found.examples == MOST_EXAMPLES and found.strongest > 8


def test_what_cannot_be_tested():
    x, y = clusters()
    assert dependence(x[: FEWEST_EXAMPLES - 1], y[: FEWEST_EXAMPLES - 1]) is None
    assert dependence(torch.ones(200, 4), torch.arange(200) % 2) is None  # all alike: one example
    assert dependence(x, torch.ones(300)) is None
    assert dependence(x, torch.randn(300, 60)) is None
    spoiled = x.clone()
    spoiled[:200] = float("nan")
    assert dependence(spoiled, y).examples == 100
    assert (
        dependence(x.repeat(2, 1) + 0.01 * torch.randn(600, 12, generator=drawn(3)), y.repeat(2)).examples
        == MOST_EXAMPLES
    )

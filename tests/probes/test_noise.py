"""Gradient noise from consecutive gradients."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from unstuck.probes.noise import GradientNoise


def _parameters(sizes, gradient):
    listed = []
    at = 0
    for i, size in enumerate(sizes):
        p = nn.Parameter(torch.zeros(size))
        p.grad = gradient[at : at + size].clone()
        at += size
        listed.append((f"p{i}", p))
    return listed


@pytest.mark.parametrize("noise_level", [0.0, 1.0, 3.0])
def test_share_of_signal(noise_level):
    generator = torch.Generator().manual_seed(0)
    mean = torch.randn(3000, generator=generator)
    noise = GradientNoise(pairs=100)
    for step in range(60):
        gradient = mean + noise_level * torch.randn(3000, generator=generator)
        found = noise.update(_parameters([2000, 1000], gradient), step=step)
    wanted = 1 / (1 + noise_level**2)
    assert found["share"] == pytest.approx(wanted, abs=0.03)
    assert found["cos"] == pytest.approx(wanted, abs=0.1)
    assert found["pairs"] == 59


def test_last_eight_pairs():
    noise = GradientNoise()
    for step in range(20):
        found = noise.update(_parameters([4], torch.ones(4)), step=step)
    assert found["pairs"] == 8


def test_small_gradients_are_taken_whole():
    gradient = torch.randn(100)
    noise = GradientNoise()
    noise.update(_parameters([60, 40], gradient), step=0)
    other = torch.randn(100)
    found = noise.update(_parameters([60, 40], other), step=1)
    assert found["norm"] == pytest.approx(float(other.norm()), rel=1e-6)
    assert found["cos"] == pytest.approx(float(torch.nn.functional.cosine_similarity(gradient, other, dim=0)), rel=1e-5)


def test_large_gradients_are_met_in_proportion():
    sizes = [100_000, 10, 50_000, 10_000, 7]
    noise = GradientNoise()
    gradient = torch.cat([torch.full((s,), float(i)) for i, s in enumerate(sizes)])
    noise.update(_parameters(sizes, gradient), step=0)
    met = noise._previous
    assert met.numel() <= 4096
    assert float((met == 0).double().mean()) == pytest.approx(100_000 / sum(sizes), abs=0.01)
    assert float((met == 3).double().mean()) == pytest.approx(10_000 / sum(sizes), abs=0.01)


def test_steps_that_do_not_follow_make_no_pair():
    noise = GradientNoise()
    noise.update(_parameters([4], torch.ones(4)), step=0)
    assert noise.update(_parameters([4], torch.ones(4)), step=2)["pairs"] == 0
    assert noise.update(_parameters([4], torch.ones(4)), step=3)["pairs"] == 1


def test_a_changed_set_of_parameters_starts_again():
    noise = GradientNoise()
    for step in range(3):
        found = noise.update(_parameters([4, 4], torch.ones(8)), step=step)
    assert found["pairs"] == 2
    found = noise.update(_parameters([4], torch.ones(4)), step=3)
    assert found["pairs"] == 0 and found["cos"] is None and found["share"] is None


def test_zero_missing_and_broken_gradients():
    noise = GradientNoise()
    assert noise.update([("p", nn.Parameter(torch.ones(3)))], step=0) == {
        "cos": None,
        "norm": None,
        "share": None,
        "pairs": 0,
    }
    noise = GradientNoise()
    noise.update(_parameters([3], torch.zeros(3)), step=0)
    found = noise.update(_parameters([3], torch.zeros(3)), step=1)
    assert found["norm"] == 0.0 and found["cos"] is None and found["share"] is None
    found = noise.update(_parameters([3], torch.tensor([1.0, math.nan, 1.0])), step=2)
    assert math.isnan(found["norm"]) and found["cos"] is None
    found = noise.update(_parameters([3], torch.ones(3)), step=3)
    assert found["cos"] is None and found["norm"] == pytest.approx(math.sqrt(3))


def test_scale_layout_and_dtype():
    noise = GradientNoise()
    p = nn.Parameter(torch.zeros(2, 3, 4, 4).contiguous(memory_format=torch.channels_last))
    p.grad = torch.full_like(p, 512.0)
    q = nn.Parameter(torch.zeros(4, dtype=torch.bfloat16))
    q.grad = torch.full_like(q, 512.0)
    found = noise.update([("p", p), ("q", q)], step=0, scale=512.0)
    assert found["norm"] == pytest.approx(10.0)


def test_pairs_hold_no_gradient():
    noise = GradientNoise()
    listed = _parameters([8], torch.ones(8))
    noise.update(listed, step=0)
    listed[0][1].grad.zero_()
    assert float(noise._previous.sum()) == 8.0

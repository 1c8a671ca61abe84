"""Equal rows, against comparing all pairs."""

from __future__ import annotations

import pytest
import torch

from unstuck.probes.equal_rows import equal_rows


def _all_pairs(m):
    rows = m.reshape(m.shape[0], -1)
    same = (rows[:, None] == rows[None]).all(-1)
    return float((same.sum(1) > 1).double().mean())


@pytest.mark.parametrize("shape", [(2, 3), (9, 1), (30, 40), (12, 3, 5, 5), (200, 17)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
def test_against_all_pairs(shape, dtype):
    generator = torch.Generator().manual_seed(sum(shape))
    m = torch.randn(shape, generator=generator).to(dtype)
    assert equal_rows(m) == pytest.approx(_all_pairs(m))
    m[1] = m[0]
    assert equal_rows(m) == pytest.approx(_all_pairs(m))
    m[shape[0] // 2 :] = m[0]
    assert equal_rows(m) == pytest.approx(_all_pairs(m))


def test_rows_that_differ_in_one_entry_are_not_equal():
    m = torch.zeros(40, 1000)
    m[torch.arange(40), torch.arange(40) + 37] = 1.0
    assert equal_rows(m) == 0.0


def test_signed_zeros_are_equal():
    assert equal_rows(torch.tensor([[0.0, 1.0], [-0.0, 1.0]])) == 1.0


def test_rows_of_zeros_can_be_left_out():
    m = torch.randn(6, 4)
    m[2:5] = 0
    assert equal_rows(m) == pytest.approx(0.5)
    assert equal_rows(m, skip_zero=True) == 0.0
    m[0] = m[1]
    assert equal_rows(m, skip_zero=True) == pytest.approx(2 / 6)


def test_nothing_to_compare():
    assert equal_rows(torch.ones(1, 5)) is None
    assert equal_rows(torch.ones(5)) is None
    assert equal_rows(torch.ones(5, 0)) is None
    assert equal_rows(torch.ones(20, 20), limit=100) is None


def test_wide_rows_beyond_the_table_of_multipliers():
    m = torch.randn(3, 9001)
    assert equal_rows(m) == 0.0
    m[2] = m[0]
    assert equal_rows(m) == pytest.approx(2 / 3)

"""Numbers of a tensor, against direct computation in float64."""

from __future__ import annotations

import math

import pytest
import torch

from unstuck.probes.plain import piece, plain, strides_for, thinned
from unstuck.probes.statistics import count_nonfinite, describe


@pytest.mark.parametrize(
    "dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int32, torch.uint8, torch.bool]
)
def test_any_dtype(dtype):
    x = (torch.arange(24).reshape(4, 6) % 7).to(dtype)
    wide = x.double()
    found = describe(x)
    assert found["mean"] == pytest.approx(float(wide.mean()))
    assert found["std"] == pytest.approx(float(wide.std(correction=0)))
    assert (found["min"], found["max"]) == (float(wide.min()), float(wide.max()))
    assert found["rms"] == pytest.approx(float(wide.pow(2).mean().sqrt()))
    assert found["shape"] == [4, 6] and found["nonfinite"] == 0


def test_far_off_mean_keeps_its_deviation():
    x = torch.tensor([1e6, 1e6 + 1, 1e6 + 2, 1e6 + 3])
    assert describe(x)["std"] == pytest.approx(math.sqrt(1.25), rel=1e-9)


def test_a_constant_does_not_vary():
    assert describe(torch.full((1000,), 0.1))["std"] == 0.0


def test_not_finite_entries_are_left_out():
    found = describe(torch.tensor([1.0, math.nan, 3.0, math.inf]))
    assert (found["nonfinite"], found["mean"], found["max"]) == (2, 2.0, 3.0)
    assert math.isnan(describe(torch.tensor([math.nan]))["mean"])
    assert math.isnan(describe(torch.zeros(0))["mean"])


def test_overflow_of_the_sum_is_not_a_bad_entry():
    assert count_nonfinite(torch.full((10,), 3e38)) == 0
    assert count_nonfinite(torch.full((10,), 60000.0, dtype=torch.float16)) == 0
    assert count_nonfinite(torch.tensor([3e38, 3e38, math.nan])) == 1


def test_large_tensors_are_looked_at_in_part():
    x = torch.randn(1000, 1000, generator=torch.Generator().manual_seed(0))
    x[777, 333] = math.nan
    found = describe(x, limit=10_000)
    assert found["nonfinite"] == 1 and found["std"] == pytest.approx(1.0, abs=0.05)


def test_sparse_complex_quantized_and_nested():
    assert describe(torch.eye(3).to_sparse())["mean"] == 1.0
    assert describe(torch.eye(3).to_sparse_csr())["max"] == 1.0
    assert describe(torch.tensor([3 + 4j]))["max"] == 4.0
    assert describe(torch.tensor([3 + 4j]).conj())["min"] == -4.0
    assert plain(torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8)).dtype == torch.float32


@pytest.mark.parametrize("shape", [(10,), (1000,), (100, 100), (3, 500, 7), (1, 1, 10_000), ()])
@pytest.mark.parametrize("limit", [1, 50, 5_000])
def test_thinning_keeps_to_its_limit(shape, limit):
    x = torch.arange(math.prod(shape)).reshape(shape)
    part = piece(x, limit)
    assert part.numel() <= max(limit, 1)
    assert torch.equal(part, piece(x, limit))
    assert part.numel() >= min(x.numel(), limit) / 2 ** len(shape) / 2


def test_thinning_keeps_a_dimension_whole():
    steps = strides_for((64, 10, 28, 28), 5_000, keep=(1,))
    part = thinned(torch.zeros(64, 10, 28, 28), steps)
    assert part.shape[1] == 10 and part.numel() <= 5_000 and part.shape[0] > 1


def test_shapes_and_rare_dtypes_are_plain_numbers():
    ragged = torch.nested.nested_tensor([torch.ones(2, 3), torch.ones(4, 3)], layout=torch.jagged)
    assert describe(ragged)["shape"] == [2, None, 3] and describe(ragged)["mean"] == 1.0
    assert describe(torch.ones(4, 4).to(torch.float8_e4m3fn))["mean"] == 1.0
    assert describe(torch.tensor([1, 2, 3]).to(torch.uint16))["max"] == 3.0


def test_a_distributed_tensor_gives_its_local_part():
    class Distributed:
        """Stands in for a DTensor, whose own methods would communicate."""

        _local_tensor = torch.tensor([1.0, 2.0])
        shape = torch.Size([4])

    assert describe(Distributed())["mean"] == 1.5

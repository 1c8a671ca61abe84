"""Statistics of inputs, one batch and all batches, against direct computation in float64."""

from __future__ import annotations

import math
from collections import namedtuple
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence

from unstuck.probes.inputs import InputStatistics, flattened


def test_features_over_many_batches():
    generator = torch.Generator().manual_seed(0)
    scale = torch.tensor([1.0, 1000.0, 0.001, 0.0])
    shift = torch.tensor([0.0, 5000.0, 1.0, 7.0])
    batches = [torch.randn(n, 4, generator=generator) * scale + shift for n in (10, 33, 1, 20)]
    seen = InputStatistics()
    for batch in batches:
        (found,) = seen.update("model", (batch,))
    whole = torch.cat(batches).double()
    std = whole.std(0, correction=0)
    assert found["features"] == 4 and found["examples"] == 64
    assert found["constant_share"] == 0.25
    assert found["feature_std_min"] == pytest.approx(float(std[:3].min()), rel=1e-9)
    assert found["feature_std_max"] == pytest.approx(float(std.max()), rel=1e-9)
    assert found["feature_std_median"] == pytest.approx(float(std[:3].median()), rel=1e-9)
    assert found["feature_mean_max"] == pytest.approx(float(whole.mean(0).abs().max()), rel=1e-12)
    ratio = math.sqrt(float((whole.mean(0) ** 2).mean())) / math.sqrt(float((std**2).mean()))
    assert found["mean_to_std"] == pytest.approx(ratio, rel=1e-9)
    assert found["mean"] == pytest.approx(float(batches[-1].double().mean()), rel=1e-9)


def test_far_off_means_keep_their_deviation():
    seen = InputStatistics()
    for i in range(5):
        (found,) = seen.update("m", (torch.tensor([[1e8 + i], [1e8 + i + 2]], dtype=torch.float64),))
    direct = np.std([1e8 + i + d for i in range(5) for d in (0, 2)])
    assert found["feature_std_max"] == pytest.approx(direct, rel=1e-7)


@pytest.mark.parametrize(
    ("shape", "features"), [((6, 3, 8, 8), 3), ((6, 10), 10), ((6, 7, 10), 10), ((6, 2, 4, 4, 4), 2), ((6,), None)]
)
def test_what_a_feature_is(shape, features):
    (found,) = InputStatistics().update("m", (torch.randn(shape),))
    assert found["features"] == features and found["shape"] == list(shape)


def test_integers_give_their_range_and_sum():
    (found,) = InputStatistics().update("m", (torch.tensor([[3, 9], [1, 2]]),))
    assert found == {"model": "m", "name": "0", "shape": [2, 2], "dtype": "int64", "min": 1, "max": 9, "sum": 15}
    (found,) = InputStatistics().update("m", (torch.tensor([True, False]),))
    assert (found["min"], found["max"], found["dtype"]) == (0, 1, "bool")


def test_constant_and_equal_examples():
    (found,) = InputStatistics().update("m", (torch.ones(5, 3) * 0.1,))
    assert found["batch_equal"] is True and found["constant_share"] == 1.0 and found["std"] == 0.0
    assert found["mean_to_std"] == math.inf and found["feature_std_max"] is None
    (found,) = InputStatistics().update("m", (torch.rand(1, 3),))
    assert found["batch_equal"] is None


def test_not_finite_entries_are_counted_and_left_out():
    x = torch.ones(4, 2)
    x[1, 0] = float("nan")
    x[2, 1] = float("inf")
    (found,) = InputStatistics().update("m", (x,))
    assert found["nonfinite"] == 2 and found["mean"] == 1.0 and found["features"] == 2


def test_zero_share_of_sparse_data():
    x = torch.zeros(10, 10)
    x[0] = 1
    (found,) = InputStatistics().update("m", (x,))
    assert found["zero_share"] == pytest.approx(0.9)


def test_images_by_channel():
    x = torch.randint(0, 256, (8, 3, 20, 20)).float()
    x[:, 1] /= 255
    (found,) = InputStatistics().update("m", (x,))
    assert found["feature_std_max"] > 60 and found["feature_std_min"] < 0.4


def test_nested_arguments():
    @dataclass
    class Batch:
        pixels: torch.Tensor
        label: str

    Point = namedtuple("Point", "a b")
    found = InputStatistics().update(
        "m", (Point(torch.ones(2, 2), 3), {"ids": torch.ones(2, 2, dtype=torch.long)}, [Batch(torch.ones(2), "x")])
    )
    assert [f["name"] for f in found] == ["0.a", "1.ids", "2.0.pixels"]
    assert dict(flattened({"x": torch.ones(1)})).keys() == {"x"}


def test_at_most_four_and_no_endless_nesting():
    found = InputStatistics().update("m", tuple(torch.ones(2, 2) for _ in range(9)))
    assert len(found) == 4
    endless: list = []
    endless.append(endless)
    assert InputStatistics().update("m", endless) == []


def test_packed_sequences_and_sparse_tensors():
    packed = pack_padded_sequence(torch.randn(2, 3, 4), [3, 2], batch_first=True)
    assert InputStatistics().update("m", (packed,))[0]["shape"] == [5, 4]
    (found,) = InputStatistics().update("m", (torch.eye(3).to_sparse(),))
    assert found["shape"] == [3, 3] and found["mean"] == 1.0


def test_one_model_does_not_mix_with_another():
    seen = InputStatistics()
    seen.update("a", (torch.zeros(3, 2),))
    (found,) = seen.update("b", (torch.ones(3, 2),))
    assert found["examples"] == 3
    (found,) = seen.update("a", (torch.zeros(3, 5),))  # another width starts again
    assert found["examples"] == 3 and found["features"] == 5


def test_large_batches_are_thinned():
    x = torch.randn(100_000, 8)
    (found,) = InputStatistics().update("m", (x,))
    assert found["features"] == 8 and found["feature_std_max"] == pytest.approx(1.0, abs=0.05)
    assert found["examples"] == 100_000


def test_half_and_complex():
    (found,) = InputStatistics().update("m", (torch.full((4, 2), 60000.0, dtype=torch.float16),))
    assert found["mean"] == 60000.0 - 60000.0 % 32 or found["mean"] == pytest.approx(60000.0, rel=1e-3)
    (found,) = InputStatistics().update("m", (torch.ones(4, 2, dtype=torch.complex64),))
    assert found["max"] == 1.0


def test_two_sets_compared_feature_by_feature():
    generator = torch.Generator().manual_seed(0)
    raw = torch.randn(400, 3, generator=generator) * torch.tensor([1.0, 20.0, 300.0]) + torch.tensor([5.0, 0.0, 900.0])
    mean, std = raw[:200].mean(0), raw[:200].std(0, correction=0)
    training, same, other = InputStatistics(), InputStatistics(), InputStatistics()
    training.update("net", {"x": (raw[:200] - mean) / std})
    same.update("net", {"x": (raw[200:] - mean) / std})
    other.update("net", {"x": raw[200:]})
    alike, apart = same.compared_with(training, "net", "x"), other.compared_with(training, "net", "x")
    assert alike["shift"] < 0.2 and 0.8 < alike["scale"] < 1.25 and alike["apart"] == 0
    assert apart["scale"] == pytest.approx(20, rel=0.15) and apart["apart"] == 1.0
    assert apart["examples"] == [200, 200]
    assert same.compared_with(training, "net", "y") is None
    constant = InputStatistics()
    constant.update("net", {"x": torch.ones(5, 3)})
    assert same.compared_with(constant, "net", "x") is None


def test_what_another_network_puts_out_is_told_from_data():
    layer = torch.nn.Linear(3, 2)
    x = torch.randn(5, 3)
    hidden, given = InputStatistics().update("head", {"h": layer(x), "x": x})
    assert hidden["live"] is True and "live" not in given

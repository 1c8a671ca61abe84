import io

import pytest
import torch
from torch import nn

from unstuck.core.errors import BadInput
from unstuck.signal import Standardize


@pytest.fixture
def table():
    source = torch.Generator().manual_seed(0)
    return torch.randn(200, 5, generator=source, dtype=torch.float64) * torch.tensor([1, 1e3, 1e-3, 5, 2.0]) + 1e4


def test_mean_zero_and_variance_one(table):
    out = Standardize(5).double().fit(table)(table)
    assert float(out.mean(dim=0).abs().max()) < 1e-9
    assert out.var(dim=0, correction=0).tolist() == pytest.approx([1.0] * 5, abs=1e-8)


def test_batches_join_to_the_numbers_of_the_whole(table):
    whole, parts = Standardize(5).double().fit(table), Standardize(5).double().fit(table.split(37))
    assert torch.allclose(whole.mean, parts.mean, rtol=1e-13) and torch.allclose(whole.std, parts.std, rtol=1e-10)


def test_a_generator_of_batches_is_used_whole(table):
    assert torch.equal(
        Standardize.fitted(batch for batch in table.split(50)).mean, Standardize.fitted(list(table.split(50))).mean
    )


@pytest.mark.parametrize("value", [0.0, 0.1, 1e8, -3.3e-7])
def test_a_constant_column_becomes_zero_never_nan(value):
    data = torch.full((1001, 2), value)
    data[:, 1] = torch.arange(1001)
    out = Standardize.fitted(data)(data)
    assert torch.equal(out[:, 0], torch.zeros(1001)) and bool(torch.isfinite(out).all())


def test_a_small_spread_around_a_large_mean_is_no_constant():
    data = 1.0 + 1e-6 * torch.randn(500, 1, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    scale = Standardize(1).double().fit(data)
    assert not bool(scale.constant.any()) and float(scale(data).std(correction=0)) == pytest.approx(1.0, rel=1e-6)


def test_the_test_set_is_scaled_by_the_training_sets_numbers(table):
    scale = Standardize(5).double().fit(table[:100])
    shifted = table[100:] + 3 * table[:100].std(dim=0, correction=0)
    assert (scale(shifted).mean(dim=0) > 2.5).all()  # its own numbers would hide the shift


def test_channels_of_images():
    images = torch.rand(8, 3, 5, 5, generator=torch.Generator().manual_seed(0)) * 255
    out = Standardize.fitted(images)(images)
    assert out.mean(dim=(0, 2, 3)).tolist() == pytest.approx([0, 0, 0], abs=1e-5)
    assert out.shape == images.shape


def test_it_travels_with_the_model(table):
    model = nn.Sequential(Standardize.fitted(table.float()), nn.Linear(5, 1))
    file = io.BytesIO()
    torch.save(model.state_dict(), file)
    file.seek(0)
    other = nn.Sequential(Standardize(5), nn.Linear(5, 1))
    other.load_state_dict(torch.load(file, weights_only=True))
    assert torch.equal(other(table.float()), model(table.float()))


def test_back_again(table):
    scale = Standardize(5).double().fit(table)
    assert torch.allclose(scale.inverse(scale(table)), table, rtol=1e-12)


def test_what_cannot_be_used_is_refused(table):
    with pytest.raises(BadInput, match="fit"):
        Standardize(5)(table.float())
    with pytest.raises(BadInput, match="NaN"):
        Standardize(1).fit(torch.tensor([[float("nan")]]))
    with pytest.raises(BadInput, match="5 features"):
        Standardize(5).double().fit(table)(table[:, :4])
    with pytest.raises(BadInput):
        Standardize.fitted([])
    with pytest.raises(BadInput):
        Standardize(2).fit([])


def test_double_precision_stays_double_precision(table):
    scale = Standardize.fitted(table)
    out = scale(table)
    assert scale.mean.dtype == out.dtype == torch.float64
    assert float((out.mean(dim=0) * scale.std).abs().max()) < 2e-12  # one unit of the last place of 1e4
    assert scale(table.float()).dtype == torch.float32


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.int64])
def test_coarse_data_are_fitted_in_single_precision(dtype):
    data = torch.arange(2000).reshape(1000, 2).to(dtype)
    scale = Standardize.fitted(data)
    assert scale.mean.dtype == torch.float32 and bool(torch.isfinite(scale(data)).all())


def test_a_spread_below_the_modules_precision_is_no_division_by_zero():
    data = 1e-50 * torch.randn(50, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert float(Standardize.fitted(data)(data).std(correction=0)) == pytest.approx(1.0)
    single = Standardize(1).fit(data)
    assert bool(single.constant.all()) and bool(torch.isfinite(single(data)).all())
    with pytest.raises(BadInput, match="float32"):
        Standardize(1).fit(1e200 * data / data.abs().max())

import math
import warnings

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from unstuck.core.errors import BadInput
from unstuck.signal import initialize, initialize_from_data, kept_gain, profile, weight_std
from unstuck.signal.gains import ACTIVATIONS, fans


def deep(activation, depth=20, width=200, seed=0, **options):
    layers = [part for _ in range(depth) for part in (nn.Linear(width, width), activation())]
    model = nn.Sequential(*layers)
    initialize(model, seed=seed, **options)
    return model, torch.randn(128, width, generator=torch.Generator().manual_seed(9))


class Called(nn.Module):
    """Its activation is made before its layers, or called as a function: the modules do not show where it stands."""

    def __init__(self):
        super().__init__()
        self.act = nn.ReLU()
        self.first, self.second, self.last = nn.Linear(50, 50), nn.Linear(50, 50), nn.Linear(50, 2)

    def forward(self, x):
        return self.last(F.relu(self.second(self.act(self.first(x)))))


def test_an_activation_that_modules_do_not_show_is_warned_of_and_can_be_named():
    with pytest.warns(UserWarning, match="first, second"):
        initialize(Called())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        done = initialize(Called(), activation="relu")
        initialize(nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3)))  # nothing stands between, and it shows
    assert [d.std for d in done] == pytest.approx([0.2, 0.2, 50**-0.5])
    done = initialize(Called(), activation={"second": "tanh"})
    assert [d.activation for d in done] == ["identity", "tanh", "identity"]
    with pytest.raises(BadInput, match="third"):
        initialize(Called(), activation={"third": "relu"})
    with pytest.raises(BadInput, match="rellu"):
        initialize(Called(), activation="rellu")


def test_one_activation_used_behind_every_layer():
    act = nn.ReLU()
    done = initialize(nn.Sequential(nn.Linear(8, 8), act, nn.Linear(8, 8), act, nn.Linear(8, 1)))
    assert [d.activation for d in done] == ["relu", "relu", "identity"]


@pytest.mark.parametrize("slope", [0.25, 0.01, 0.7])
def test_a_leaky_slope_is_the_modules_own(slope):
    for act in (nn.PReLU(init=slope), nn.PReLU(12, init=slope), nn.LeakyReLU(slope)):
        std = initialize(nn.Sequential(nn.Linear(30, 12), act))[0].std
        assert std == pytest.approx(math.sqrt(2 / (1 + slope**2) / 30), rel=1e-6)


def test_transposed_convolutions_keep_the_variance():
    model = nn.Sequential(nn.ConvTranspose2d(32, 32, 4, stride=2, bias=False), nn.ReLU())
    assert initialize(model)[0].fan_in == 32 * 4
    out = profile(model, torch.randn(4, 32, 16, 16, generator=torch.Generator().manual_seed(4))).rows[0]
    assert out.std == pytest.approx(math.sqrt(2), rel=0.1)  # the rim has fewer entries
    fits = initialize_from_data(model, torch.randn(4, 32, 16, 16, generator=torch.Generator().manual_seed(4)))
    assert fits[0].after == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("name", list(ACTIVATIONS))
def test_the_kept_gain_agrees_with_drawing(name):
    z = torch.randn(400_000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert kept_gain(name) == pytest.approx(float(ACTIVATIONS[name](z).pow(2).mean()) ** -0.5, rel=0.01)


def test_known_gains():
    assert kept_gain("relu") == pytest.approx(math.sqrt(2), rel=1e-10)
    assert kept_gain("leaky_relu") == pytest.approx(math.sqrt(2 / (1 + 0.01**2)), rel=1e-10)
    assert kept_gain("selu") == pytest.approx(1.0, abs=1e-6)


def test_variance_through_depth_by_rule():
    he, batch = deep(nn.ReLU)
    lecun, _ = deep(nn.ReLU, rule="lecun")
    assert profile(he, batch).signal_ratio == pytest.approx(1.0, abs=0.08)
    assert profile(lecun, batch).signal_ratio == pytest.approx(0.5, abs=0.05)
    # Each tanh takes a little: the variance q goes to q − 2q², so it is about 1/(2·depth), not constant.
    tanh, _ = deep(nn.Tanh)
    assert profile(tanh, batch).rows[-1].std == pytest.approx((1 / 40) ** 0.5, rel=0.1)
    kept, _ = deep(nn.Tanh, rule="kept")
    assert profile(kept, batch).rows[-2].std == pytest.approx(1.0, abs=0.1)
    small, _ = deep(nn.Tanh, gain=0.1)
    assert profile(small, batch).rows[-1].std < 1e-15


def test_glorot_balances_forward_and_backward():
    wide = weight_std(100, 400, rule="glorot") ** 2
    assert wide * 100 * wide * 400 == pytest.approx((2 / 500) ** 2 * 100 * 400)
    assert weight_std(100, 100, rule="glorot") == pytest.approx(weight_std(100, 100, rule="lecun"))


def test_the_last_layer_has_no_activation_and_gains_multiply():
    model = nn.Sequential(nn.Linear(50, 50), nn.Linear(50, 50), nn.Tanh(), nn.Linear(50, 2))
    done = initialize(model, gain=2.0)
    assert [d.activation for d in done] == ["identity", "tanh", "identity"]
    assert [d.std for d in done] == pytest.approx([2 / math.sqrt(50)] * 3)
    assert float(model[0].weight.detach().std()) == pytest.approx(2 / math.sqrt(50), rel=0.1)
    assert not model[0].bias.any()


def test_grouped_convolutions_count_what_really_enters():
    layer = nn.Conv2d(8, 16, 3, groups=4, bias=False)
    assert fans(layer) == (2 * 9, 4 * 9)
    model = nn.Sequential(layer, nn.ReLU())
    assert initialize(model)[0].std == pytest.approx(math.sqrt(2 / 18))


def test_same_seed_same_weights_and_no_global_draw():
    state = torch.get_rng_state()
    first, _ = deep(nn.ReLU, depth=2)
    torch.set_rng_state(state)
    second, _ = deep(nn.ReLU, depth=2)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    model = nn.Linear(3, 3)
    state = torch.get_rng_state()
    initialize(model)
    assert torch.equal(torch.get_rng_state(), state)


class Shortcut(nn.Module):
    def __init__(self):
        super().__init__()
        self.second, self.first = nn.Linear(30, 30), nn.Linear(30, 30)  # declared in the wrong order

    def forward(self, x):
        return self.second(x + torch.sigmoid(self.first(x)))


def test_data_driven_gives_every_layer_variance_one():
    batch = 7 * torch.randn(256, 30, generator=torch.Generator().manual_seed(2)) + 3
    model = Shortcut()
    fits = initialize_from_data(model, batch)
    assert [fit.name for fit in fits] == ["first", "second"]
    for layer in profile(model, batch).rows:
        assert layer.std == pytest.approx(1.0, abs=0.03)


def test_data_driven_centers_convolutions():
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 4, 3))
    batch = torch.rand(32, 3, 9, 9, generator=torch.Generator().manual_seed(3))
    initialize_from_data(model, batch, center=True)
    out = model(batch).detach()
    assert out.mean(dim=(0, 2, 3)).abs().max() < 1e-5 and float(out.std()) == pytest.approx(1, abs=0.03)


def test_a_layer_whose_outputs_are_constant_is_left():
    fits = initialize_from_data(nn.Sequential(nn.Linear(4, 4), nn.ReLU()), torch.zeros(8, 4))
    assert fits[0].after == 0 and fits[0].passes == 1


def test_refused():
    with pytest.raises(BadInput):
        initialize(nn.ReLU())
    with pytest.raises(BadInput):
        initialize_from_data(nn.Linear(2, 2), torch.ones(1, 2))
    with pytest.raises(BadInput):
        weight_std(3, 3, gain=0)
    with pytest.raises(BadInput):
        weight_std(3, 3, rule="best")
    with pytest.raises(BadInput, match="slope"):
        kept_gain("tanh", slope=0.1)

"""Which layers have nothing nonlinear between them, on graphs of many kinds."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unstuck.probes.activations import layers
from unstuck.probes.graph import walk
from unstuck.probes.linear_chains import linear_sources

N, D = 6, 5


class Two(nn.Module):
    """Two layers with a function of what the first puts out between them."""

    def __init__(self, between: Callable[[Tensor], Tensor], width: int = D) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(D, D), nn.Linear(width, 3)
        self.between = between

    def forward(self, x: Tensor) -> Tensor:
        return self.b(self.between(self.a(x)))


def chain(model: nn.Module, *inputs: Tensor) -> dict[str, str]:
    out = model(*(inputs or (torch.randn(N, D),)))
    names = {id(p): name for name, p in model.named_parameters()}
    found = linear_sources(walk((out**2).mean(), names=names))
    return {name: source for name, source in found.items() if source}


def _written_into(h: Tensor) -> Tensor:
    h = h.clone()
    h[h < 0] = 0
    return h


AFFINE: dict[str, Callable[[Tensor], Tensor]] = {
    "nothing": lambda h: h,
    "view": lambda h: h.view(-1, 1, D).transpose(0, 1).reshape(N, D).contiguous(),
    "half precision": lambda h: h.double().float(),
    "dropout": lambda h: F.dropout(h, 0.3),
    "dropout that drops nothing": lambda h: F.dropout(h, 0.0),
    "dropout of channels": lambda h: F.dropout2d(h[:, :, None, None], 0.4).flatten(1),
    "constant factor": lambda h: 0.5 * h / 3,
    "factors of each unit": lambda h: h * torch.arange(1.0, D + 1),
    "one minus": lambda h: 1 - h,
    "both halves": lambda h: torch.cat([h, h], 1)[:, :D],
    "sum with itself turned": lambda h: h + h.flip(1),
    "less its mean": lambda h: h - h.mean(0),
    "padding": lambda h: F.pad(h, (1, 0))[:, 1:],
}
BENT: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "relu in place": lambda h: F.relu_(h),
    "tanh": torch.tanh,
    "swish by hand": lambda h: h * torch.sigmoid(h),
    "swish with a gate that has no graph": lambda h: h * torch.sigmoid(h).detach(),
    "relu by hand": lambda h: h * (h > 0),
    "relu by hand in floats": lambda h: h * (h > 0).float(),
    "leaky relu by hand": lambda h: h * torch.where(h > 0, 1.0, 0.1),
    "where": lambda h: torch.where(h > 0, h, torch.zeros_like(h)),
    "masked": lambda h: h.masked_fill(h < 0, 0.0),
    "written into": _written_into,
    "square": lambda h: h**2,
    "product": lambda h: h * h,
    "absolute": torch.abs,
    "clamp": lambda h: h.clamp(-1, 1),
    "maximum": lambda h: torch.maximum(h, -h),
    "maxout": lambda h: torch.stack([h, h.flip(1)], 2).amax(2),
    "divided by its norm": lambda h: h / h.norm(dim=1, keepdim=True),
    "layer normalization": lambda h: F.layer_norm(h, (D,)),
    "rounding past the graph": lambda h: h + (h.round() - h).detach(),
    "sine": torch.sin,
    "sorted": lambda h: h.sort(1).values,
}


@pytest.mark.parametrize("between", AFFINE)
def test_affine_operations(between: str) -> None:
    assert chain(Two(AFFINE[between])) == {"b": "a"}


@pytest.mark.parametrize("between", BENT)
def test_anything_else(between: str) -> None:
    assert chain(Two(BENT[between])) == {}


def test_a_function_of_the_script_s_own() -> None:
    class Mine(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):  # type: ignore[no-untyped-def]
            return x.clamp(min=0)

        @staticmethod
        def backward(ctx, g):  # type: ignore[no-untyped-def]
            return g

    assert chain(Two(Mine.apply)) == {}


def test_products_by_hand() -> None:
    class Hand(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w1, self.b1 = nn.Parameter(torch.randn(D, 8)), nn.Parameter(torch.zeros(8))
            self.w2, self.scale = nn.Parameter(torch.randn(8, 3)), nn.Parameter(torch.ones(8))

        def forward(self, x: Tensor) -> Tensor:
            return ((x @ self.w1 + self.b1) * self.scale) @ self.w2

    assert chain(Hand()) == {"w2": "w1"}


@pytest.mark.parametrize("pooling", [nn.AvgPool2d(2), nn.MaxPool2d(2)])
def test_convolutions(pooling: nn.Module) -> None:
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 3), pooling, nn.Flatten(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 3)
    )
    found = chain(model, torch.randn(N, 1, 8, 8))
    assert found == ({"1": "0", "4": "1"} if isinstance(pooling, nn.AvgPool2d) else {"1": "0"})


class Residual(nn.Module):
    def __init__(self, bend: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.inp, self.a, self.b, self.out = nn.Linear(D, D), nn.Linear(D, D), nn.Linear(D, D), nn.Linear(D, 3)
        self.bend = bend

    def forward(self, x: Tensor) -> Tensor:
        x = self.inp(x)
        return self.out(x + self.b(self.bend(self.a(x))))


def test_residual_sums() -> None:
    assert chain(Residual(lambda h: h)) == {"a": "inp", "b": "a", "out": "b"}
    # From the branch's last layer to the output nothing is bent, but on the way into that layer something is.
    assert chain(Residual(torch.relu)) == {"a": "inp", "out": "b"}
    model = Residual(lambda h: h)
    model.b = nn.Sequential(nn.Linear(D, D), nn.ReLU())  # type: ignore[assignment]
    assert "out" not in chain(model)  # one of the two streams is bent


def test_batch_normalization() -> None:
    model = nn.Sequential(nn.Linear(D, 8), nn.BatchNorm1d(8), nn.Linear(8, 3))
    assert chain(model) == {}
    assert chain(model.eval()) == {"2": "0"}


def test_recurrent_nets() -> None:
    class Recurrent(nn.Module):
        def __init__(self, kind: type[nn.Module]) -> None:
            super().__init__()
            self.inp, self.cell, self.out = nn.Linear(D, D), kind(D, 8), nn.Linear(8, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.out(self.cell(self.inp(x))[0])

    for kind in (nn.GRU, nn.LSTM, nn.RNN):
        assert "out" not in chain(Recurrent(kind), torch.randn(4, N, D))


def test_a_linear_recurrence_is_no_stack() -> None:
    class Loop(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w = nn.Linear(D, D)

        def forward(self, x: Tensor) -> Tensor:
            for _ in range(3):
                x = self.w(x)
            return x

    assert chain(Loop()) == {}


def test_attention() -> None:
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    model = nn.Sequential(nn.Linear(D, 8), layer, nn.Linear(8, 3))
    found = chain(model, torch.randn(N, 4, D))
    assert "2" not in found and not any("out_proj" in name or "linear" in name for name in found)


def test_two_towers_share_a_layer() -> None:
    class Towers(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(D, D), nn.Linear(D, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.b(self.a(x)) - self.b(torch.relu(self.a(x)) if bent else self.a(x.flip(0)))

    bent = False
    assert chain(Towers()) == {"b": "a"}
    bent = True
    assert chain(Towers()) == {}  # linear in one use, not in the other


def test_weights_that_another_network_makes() -> None:
    class Hyper(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.make, self.a, self.b = nn.Linear(D, D * D), nn.Linear(D, D), nn.Linear(D, 3)

        def forward(self, x: Tensor) -> Tensor:
            made = self.make(x.mean(0)).view(D, D)
            return self.b(self.a(x) @ made)

    assert "b" not in chain(Hyper())


def test_the_entries_of_layers() -> None:
    model = Two(AFFINE["dropout"])
    names = {id(p): name for name, p in model.named_parameters()}
    found = {e["name"]: e for e in layers(walk(model(torch.randn(N, D)).mean(), names=names))}
    assert found["a"]["after_linear"] == "" and found["b"]["after_linear"] == "a"


@pytest.mark.parametrize(
    ("before", "data_itself"),
    [
        (nn.BatchNorm1d(D), True),
        (nn.Flatten(), True),
        (nn.LayerNorm(D), False),
        (nn.PReLU(), False),
    ],
)
def test_what_enters_the_first_layer(before: nn.Module, data_itself: bool) -> None:
    model = nn.Sequential(before, nn.Linear(D, D), nn.Linear(D, 3))
    names = {id(p): name for name, p in model.named_parameters()}
    found = linear_sources(walk(model(torch.randn(N, D)).mean(), names=names))
    assert found.get("1") == ("" if data_itself else None)


def test_a_part_that_is_hidden_comes_first() -> None:
    from torch.utils.checkpoint import checkpoint

    inner, a, b = nn.Sequential(nn.Linear(D, D), nn.ReLU()), nn.Linear(D, D), nn.Linear(D, 3)
    names = {id(a.weight): "a.weight", id(b.weight): "b.weight"}
    for reentrant in (True, False):
        x = torch.randn(N, D, requires_grad=True)
        found = linear_sources(walk(b(a(checkpoint(inner, x, use_reentrant=reentrant))).mean(), names=names))
        assert found == {"b": "a"}


def test_a_first_layer_after_a_learned_function_of_the_data() -> None:
    frequencies = nn.Parameter(torch.randn(D))
    a, b = nn.Linear(D, D), nn.Linear(D, 3)
    names = {id(frequencies): "f", id(a.weight): "a.weight", id(b.weight): "b.weight"}
    found = linear_sources(walk(b(a(torch.sin(torch.randn(N, D) * frequencies))).mean(), names=names))
    assert found.get("a") is None

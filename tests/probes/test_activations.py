"""Activations and layers read from the graph, against direct computation."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from unstuck.probes.activations import DeadUnits, activations, layers
from unstuck.probes.graph import walk
from unstuck.probes.loss_terms import loss_terms

N = 16

FUNCTIONS = {
    "relu": F.relu,
    "leaky_relu": lambda x: F.leaky_relu(x, 0.2),
    "gelu": F.gelu,
    "elu": lambda x: F.elu(x, 0.7),
    "selu": F.selu,
    "celu": lambda x: F.celu(x, 1.3),
    "silu": F.silu,
    "mish": F.mish,
    "hardtanh": lambda x: F.hardtanh(x, -0.4, 0.3),
    "relu6": F.relu6,
    "hardsigmoid": F.hardsigmoid,
    "hardswish": F.hardswish,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "softplus": lambda x: F.softplus(x, beta=2),
    "log_sigmoid": F.logsigmoid,
    "softmax": lambda x: F.softmax(x, 1),
    "log_softmax": lambda x: F.log_softmax(x, -1),
    "threshold": lambda x: F.threshold(x, 0.1, 0.0),
    "hardshrink": F.hardshrink,
    "softshrink": F.softshrink,
}
IN_PLACE = {
    "relu": F.relu_,
    "leaky_relu": lambda x: F.leaky_relu_(x, 0.2),
    "elu": F.elu_,
    "selu": F.selu_,
    "celu": lambda x: F.celu(x, inplace=True),
    "silu": lambda x: F.silu(x, inplace=True),
    "mish": lambda x: F.mish(x, inplace=True),
    "hardtanh": F.hardtanh_,
    "relu6": lambda x: F.relu6(x, inplace=True),
    "hardsigmoid": lambda x: F.hardsigmoid(x, inplace=True),
    "hardswish": lambda x: F.hardswish(x, inplace=True),
    "sigmoid": torch.sigmoid_,
    "tanh": torch.tanh_,
    "threshold": lambda x: F.threshold_(x, 0.1, 0.0),
}


def _read(loss, module, **options):
    graph = walk(loss, names={id(p): n for n, p in module.named_parameters()})
    loss_terms(graph)
    return activations(graph, **options)


class Two(nn.Module):
    def __init__(self, activation, width=6):
        super().__init__()
        self.first, self.second, self.activation = nn.Linear(4, width), nn.Linear(width, 3), activation
        self.seen = None

    def forward(self, x):
        self.seen = self.activation(self.first(x))
        return self.second(self.seen)


@pytest.mark.parametrize(("name", "in_place"), [*((n, False) for n in FUNCTIONS), *((n, True) for n in IN_PLACE)])
def test_numbers_of_each_function(name, in_place):
    torch.manual_seed(0)
    model = Two((IN_PLACE if in_place else FUNCTIONS)[name]).double()
    loss = F.mse_loss(model(torch.randn(N, 4).double()), torch.zeros(N, 3).double())
    (entry,) = _read(loss, model)
    value = model.seen.detach()
    assert (entry["name"], entry["kind"], entry["after"]) == (f"{name} after first", name, "first")
    assert entry["hidden"] and entry["shape"] == [N, 6] and entry["units"] == 6
    assert entry["mean"] == pytest.approx(float(value.mean()), rel=1e-5, abs=1e-6)
    assert entry["std"] == pytest.approx(float(value.std(correction=0)), rel=1e-5)
    assert entry["zero"] == pytest.approx(float((value == 0).double().mean()), abs=1e-6)
    assert entry["vary"] == pytest.approx(float((value.amax(0) > value.amin(0)).double().mean()))
    assert entry["nonfinite"] == 0
    if name not in ("softmax", "log_softmax"):
        assert entry["dead"] == pytest.approx(float((value == 0).all(0).double().mean()))


@pytest.mark.parametrize(
    "write", [lambda x: x.clamp(min=0), lambda x: torch.clamp_min(x, 0), lambda x: F.threshold(x, 0, 0)]
)
def test_relu_by_hand(write):
    model = Two(write)
    (entry,) = _read(model(torch.randn(N, 4)).mean(), model)
    assert entry["kind"] == "relu"


@pytest.mark.parametrize("module", [nn.PReLU(), nn.PReLU(6)])
def test_prelu(module):
    model = Two(module)
    (entry,) = _read(model(torch.randn(N, 4)).mean(), model)
    assert entry["kind"] == "prelu"
    assert entry["mean"] == pytest.approx(float(model.seen.detach().mean()), rel=1e-4, abs=1e-6)


def test_saturation():
    model = Two(torch.tanh).double()
    x = torch.linspace(-1, 1, N * 4).reshape(N, 4).double() * 12
    (entry,) = _read(model(x).mean(), model)
    assert entry["saturated"] == pytest.approx(float((model.seen.detach().abs() > 0.999).double().mean()))
    assert 0 < entry["saturated"] < 1
    model = Two(torch.sigmoid).double()
    (entry,) = _read(model(x * 2).mean(), model)
    seen = model.seen.detach()
    assert entry["saturated"] == pytest.approx(float(((seen < 0.001) | (seen > 0.999)).double().mean()))
    model = Two(lambda h: F.softmax(h * 5, 1)).double()
    (entry,) = _read(model(x).mean(), model)
    assert entry["saturated"] == pytest.approx(float((model.seen.detach().amax(1) > 0.9999).double().mean()))
    assert entry["dead"] is None


def _with_dead_channels(dead):
    conv = nn.Conv2d(3, 8, 3)
    with torch.no_grad():
        conv.bias[dead] = -1000.0
    return nn.Sequential(conv, nn.ReLU(), nn.Flatten(), nn.LazyLinear(2))


@pytest.mark.parametrize("size", [6, 60])
def test_dead_channels_are_exact(size):
    model = _with_dead_channels([1, 4, 5])
    x = torch.randn(12, 3, size, size)
    model(x)
    with torch.no_grad():  # one channel lives in a single place that no stride meets
        model[0].weight[7] = 0
        model[0].bias[7] = -1000.0
        model[0].weight[7, 0, 1, 1] = 1.0
        x[:, 0] = 0
        x[5, 0, 4, 4] = 2000.0
    loss = model(x).pow(2).mean()
    (entry,) = _read(loss, model)
    assert entry["dead"] == pytest.approx(3 / 8)
    assert entry["units"] == 8 and entry["hidden"]


def test_dead_so_far_is_an_intersection():
    model = Two(F.relu, width=4)
    dead = DeadUnits()
    with torch.no_grad():
        model.first.weight.zero_()
    shares = []
    for bias in ([-1, -1, 1, 1], [1, -1, -1, 1], [-1, -1, -1, -1]):
        with torch.no_grad():
            model.first.bias.copy_(torch.tensor(bias))
        (entry,) = _read(model(torch.randn(N, 4)).mean(), model, dead_units=dead)
        shares.append((entry["dead"], entry["dead_so_far"]))
    assert shares == [(0.5, 0.5), (0.5, 0.25), (1.0, 0.25)]


def test_dead_units_are_bounded():
    dead = DeadUnits(limit=10)
    mask = torch.ones(8, dtype=torch.bool)
    assert bool(dead.update("a", mask).all())
    dead.update("b", mask)
    assert list(dead.zero) == ["a"]


def test_units_and_variation():
    model = Two(F.relu)
    (entry,) = _read(model(torch.ones(N, 4)).mean(), model)
    assert entry["vary"] == 0.0
    (entry,) = _read(model(torch.randn(1, 4)).mean(), model)
    assert entry["vary"] is None


def test_sequences_and_one_dimensional_convolutions():
    model = nn.Sequential(nn.Conv1d(2, 5, 3), nn.ReLU())
    (entry,) = _read(model(torch.randn(4, 2, 9)).mean(), model)
    assert entry["units"] == 5 and entry["shape"] == [4, 5, 7]
    model = Two(F.relu)
    (entry,) = _read(model(torch.randn(4, 9, 4)).mean(), model)
    assert entry["units"] == 6 and entry["shape"] == [4, 9, 6]
    (entry,) = _read(model(torch.randn(4, 3, 9, 4)).mean(), model)
    assert entry["units"] == 6 and entry["shape"] == [4, 3, 9, 6]
    model = nn.Sequential(nn.Conv1d(2, 5, 3), nn.BatchNorm1d(5), nn.ReLU())
    (entry,) = _read(model(torch.randn(4, 2, 9)).mean(), model)
    assert entry["units"] == 5 and entry["after"] == "1"


def test_one_example_and_one_unit():
    model = Two(F.relu)
    (entry,) = _read(model(torch.randn(4)).mean(), model)
    assert entry["units"] == 6 and entry["shape"] == [6] and entry["vary"] is None
    layer = nn.Linear(4, 1)
    (entry,) = _read(torch.sigmoid(layer(torch.randn(N, 4)).squeeze(1)).mean(), layer)
    assert entry["units"] == 1 and entry["vary"] == 1.0


def test_repeated_and_recurrent_names():
    class Again(nn.Module):
        def __init__(self):
            super().__init__()
            self.f = nn.Linear(4, 4)

        def forward(self, x):
            for _ in range(10):
                x = torch.tanh(self.f(x))
            return x

    model = Again()
    found = _read(model(torch.randn(3, 4)).mean(), model)
    assert [a["name"] for a in found] == ["tanh after f", "tanh after f (2)", "tanh after f (3)"]
    assert [a["hidden"] for a in found] == [True, True, True]
    assert len(_read(model(torch.randn(3, 4)).mean(), model, repeats=20)) == 10
    assert not _read(model(torch.randn(3, 4)).mean(), model, repeats=20)[-1]["hidden"]


def test_attention_softmax_is_hidden():
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    q = nn.Linear(8, 8)

    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.q, self.k, self.v, self.o = (nn.Linear(8, 8) for _ in range(4))

        def forward(self, x):
            return self.o(F.softmax(self.q(x) @ self.k(x).transpose(1, 2) / 8**0.5, -1) @ self.v(x))

    model = Attention()
    (entry,) = _read(model(torch.randn(3, 5, 8)).mean(), model)
    assert entry["kind"] == "softmax" and entry["hidden"] and entry["dead"] is None
    assert entry["mean"] == pytest.approx(0.2, abs=1e-5)
    del layer, q


def test_own_activations_of_the_loss_are_left_out():
    model = nn.Linear(4, 3)
    out = model(torch.randn(N, 4))
    y = torch.zeros(N, dtype=torch.long)
    assert _read(F.cross_entropy(out, y), model) == []
    assert _read(F.multilabel_soft_margin_loss(model(torch.randn(N, 4)), torch.ones(N, 3)), model) == []
    found = _read(F.cross_entropy(F.softmax(model(torch.randn(N, 4)), 1), y), model)
    assert [(a["kind"], a["hidden"]) for a in found] == [("softmax", False)]


def test_activations_of_parameters_are_left_out():
    scale = nn.Parameter(torch.zeros(3))
    model = nn.Linear(4, 3)
    graph = walk(
        (model(torch.randn(N, 4)) * F.softplus(scale)).mean(), names={id(scale): "scale", id(model.weight): "f.weight"}
    )
    assert activations(graph) == []


def test_nonfinite_entries_are_counted():
    model = Two(F.relu)
    x = torch.randn(N, 4)
    x[2] = float("inf")
    x[3] = float("nan")
    (entry,) = _read(model(x).mean(), model)
    assert entry["nonfinite"] == int((~torch.isfinite(model.seen)).sum()) > 0


def test_half_precision():
    model = Two(F.relu).bfloat16()
    (entry,) = _read(model(torch.randn(N, 4).bfloat16()).mean(), model)
    assert entry["mean"] == pytest.approx(float(model.seen.detach().float().mean()), rel=1e-5)


def test_large_activations_are_thinned():
    model = Two(F.relu, width=32)
    x = torch.randn(20_000, 4)
    (entry,) = _read(model(x).mean(), model)
    assert entry["mean"] == pytest.approx(float(model.seen.detach().mean()), rel=0.05)
    assert entry["shape"] == [20_000, 32]


def test_layers_and_what_enters_them():
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(2, 4, 3),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(64, 8),
        nn.LayerNorm(8),
        nn.Linear(8, 2, bias=False),
    )
    x = torch.randn(5, 2, 6, 6) * 3 + 7
    graph = walk(model(x).mean(), names={id(p): n for n, p in model.named_parameters()})
    found = layers(graph)
    assert [(e["name"], e["kind"]) for e in found] == [
        ("0", "conv"), ("1", "batch_norm"), ("4", "linear"), ("5", "layer_norm"), ("6", "linear"),
    ]  # fmt: skip
    assert [e["fan_in"] for e in found] == [18, None, 64, None, 8]
    assert [e["order"] for e in found] == sorted(e["order"] for e in found)
    assert found[0]["in_shape"] == [5, 2, 6, 6]
    assert found[0]["in_mean"] == pytest.approx(float(x.mean()), rel=1e-4)
    assert found[0]["in_std"] == pytest.approx(float(x.std(correction=0)), rel=1e-4)
    assert found[0]["in_rms"] == pytest.approx(float(x.pow(2).mean().sqrt()), rel=1e-4)
    assert found[4]["in_rms"] == pytest.approx(1.0, abs=0.01)


def test_layers_written_by_hand_and_embeddings():
    w, e = nn.Parameter(torch.randn(4, 3)), nn.Embedding(7, 4)
    names = {id(w): "w", id(e.weight): "embed.weight"}
    found = layers(walk((e(torch.tensor([1, 2, 3])) @ w).mean(), names=names))
    assert [(f["name"], f["kind"], f["fan_in"]) for f in found] == [("embed", "embedding", None), ("w", "linear", 4)]
    assert found[0]["in_std"] is None


def test_reparametrized_layers_keep_their_names():
    for wrap in (nn.utils.parametrizations.weight_norm, nn.utils.parametrizations.spectral_norm):
        model = nn.Sequential(wrap(nn.Linear(4, 3)), nn.ReLU(), nn.Linear(3, 1))
        graph = walk(model(torch.randn(5, 4)).mean(), names={id(p): n for n, p in model.named_parameters()})
        assert [f["name"] for f in layers(graph)] == ["0", "2"]
        assert activations(graph)[0]["name"] == "relu after 0"


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
def test_recurrent_layers(kind):
    model = kind(4, 6, batch_first=True)
    head = nn.Linear(6, 2)
    names = {id(p): f"rnn.{n}" for n, p in model.named_parameters()} | {
        id(p): f"head.{n}" for n, p in head.named_parameters()
    }
    graph = walk(head(model(torch.randn(3, 50, 4))[0][:, -1]).mean(), names=names)
    found = layers(graph)
    assert [f["name"] for f in found] == ["rnn", "head"]
    assert len(activations(graph)) <= 10


def names_of(model: nn.Module) -> dict[int, str]:
    return {id(p): name for name, p in model.named_parameters()}


def graph_of(model: nn.Module, loss: torch.Tensor):
    graph = walk(loss, names=names_of(model))
    loss_terms(graph, value=loss)
    return graph


def test_what_an_activation_feeds():
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(0.5), nn.Linear(4 * 9, 8), nn.Softmax(1),
        nn.Linear(8, 3),
    )  # fmt: skip
    found = activations(graph_of(model, F.cross_entropy(model(torch.randn(N, 1, 8, 8)), torch.zeros(N).long())))
    assert [(act["kind"], act["feeds"]) for act in found] == [("relu", "5"), ("softmax", "7")]


def test_attention_and_gates_feed_no_layer():
    torch.manual_seed(0)
    model = nn.ModuleDict({name: nn.Linear(6, 6) for name in ("q", "k", "v", "out", "gate")})
    x = torch.randn(2, 5, 6)
    weights = (model["q"](x) @ model["k"](x).transpose(1, 2)).softmax(-1)
    mixed = weights @ model["v"](x) * model["gate"](x).softmax(-1)
    found = activations(graph_of(model, model["out"](mixed).square().mean()))
    assert [act["kind"] for act in found] == ["softmax", "softmax"]
    assert [act["feeds"] for act in found] == [None, None]


def test_zeros_that_enter_a_layer():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 200), nn.ReLU(), nn.Dropout(0.8), nn.Linear(200, 2))
    graph = graph_of(model, F.cross_entropy(model(torch.randn(64, 8)), torch.zeros(64).long()))
    act, entering = activations(graph)[0], layers(graph)[1]
    dropped = 1 - (1 - entering["in_zero"]) / (1 - act["zero"])
    assert dropped == pytest.approx(0.8, abs=0.02)


@pytest.mark.parametrize("momentum", [0.1, 0.01, 1.0])
def test_running_statistics_against_the_batch(momentum):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 5), nn.BatchNorm1d(5, momentum=momentum), nn.Linear(5, 1))
    x = torch.randn(N, 6) * 4 + 9
    for _ in range(3):
        loss = model(x).square().mean()
    norm = layers(graph_of(model, loss))[1]
    entering = model[0](x).detach()
    bn = model[1]
    std = entering.std(0, correction=0)
    assert norm["training"] is True and norm["values_per_channel"] == N
    shift = ((bn.running_mean - entering.mean(0)).abs() / std).median()
    ratio = (bn.running_var.sqrt() / std).median()
    assert norm["running_shift"] == pytest.approx(float(shift), rel=1e-3, abs=1e-5)
    assert norm["running_ratio"] == pytest.approx(float(ratio), rel=1e-3)
    model.eval()
    norm = layers(graph_of(model, model(x).square().mean()))[1]
    assert norm["training"] is False and "running_shift" not in norm

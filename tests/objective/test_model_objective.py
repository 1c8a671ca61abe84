import copy
import random

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from unstuck.core.errors import BadInput
from unstuck.objective import ModelObjective


def _blobs(count, size=4, classes=3, seed=0):
    source = torch.Generator().manual_seed(seed)
    return torch.randn(count, size, generator=source), torch.randint(0, classes, (count,), generator=source)


def _net(*layers):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(*(layer() for layer in layers))


def _mlp():
    return _net(lambda: nn.Linear(4, 6), nn.Tanh, lambda: nn.Linear(6, 3))


def _jvp_hessian(objective, vector):
    """The second road: forward over reverse on the objective's own value."""
    pieces, weights = objective.state()

    def gradient(flat):
        def whole(w):
            leaves = objective.layout.split(w)
            return sum(weight * piece.loss(leaves) for piece, weight in zip(pieces, weights, strict=True))

        return torch.func.grad(whole)(flat)

    return torch.func.jvp(gradient, (objective.start(),), (vector,))[1]


def _against_second_road(objective, *, tolerance=1e-9):
    vector = torch.randn(objective.size, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    with objective.at() as point:
        product = point.hvp(vector)
        assert torch.allclose(product, _jvp_hessian(objective, vector), rtol=tolerance, atol=tolerance * product.norm())
        other = torch.randn(objective.size, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
        left, right = float(other @ product), float(vector @ point.hvp(other))
        assert abs(left - right) <= 1e-10 * (abs(left) + abs(right) + 1e-6)
        block = point.hvp_block(torch.stack([vector, other]))
        assert torch.allclose(block[0], product, rtol=1e-8, atol=1e-10)


def test_ragged_batches_weigh_by_examples():
    x, y = _blobs(37)
    model = _mlp()
    whole = ModelObjective(model, F.cross_entropy, (x, y), dtype=torch.float64)
    cut = ModelObjective(
        model, F.cross_entropy, [(x[:16], y[:16]), (x[16:32], y[16:32]), (x[32:], y[32:])], dtype=torch.float64
    )
    assert abs(whole.value(whole.start()) - cut.value(cut.start())) < 1e-14
    v = torch.randn(whole.size, dtype=torch.float64)
    assert torch.allclose(whole.at().hvp(v), cut.at().hvp(v), atol=1e-13)


def test_masked_targets_weigh_by_what_counts():
    x, y = _blobs(64)
    y[:31] = -100  # one batch nearly all masked
    model = _mlp()
    loss = nn.CrossEntropyLoss()
    whole = ModelObjective(model, loss, (x, y), dtype=torch.float64)
    cut = ModelObjective(model, loss, [(x[:32], y[:32]), (x[32:], y[32:])], dtype=torch.float64)
    assert abs(whole.value(whole.start()) - cut.value(cut.start())) < 1e-14
    y_all = y.clone()
    y_all[:32] = -100
    emptied = ModelObjective(model, loss, [(x[:32], y_all[:32]), (x[32:], y[32:])], dtype=torch.float64)
    assert emptied.pieces == 1 and np.isfinite(emptied.value(emptied.start()))


def test_class_weights_and_hand_written_masks():
    x, y = _blobs(40)
    weights = torch.tensor([1.0, 5.0, 0.1])
    model = _mlp()
    batches = [(x[:25], y[:25]), (x[25:], y[25:])]
    loss = nn.CrossEntropyLoss(weight=weights)
    whole, cut = (ModelObjective(model, loss, data, dtype=torch.float64) for data in ((x, y), batches))
    assert abs(whole.value(whole.start()) - cut.value(cut.start())) < 1e-14

    def masked(output, target):
        each = F.cross_entropy(output, target, reduction="none")
        mask = (target > 0).to(each)
        return (each * mask).sum() / mask.sum()

    whole, cut = (ModelObjective(model, masked, data, dtype=torch.float64) for data in ((x, y), batches))
    assert abs(whole.value(whole.start()) - cut.value(cut.start())) < 1e-14


def test_sums_are_added():
    x, y = _blobs(30)
    model = _mlp()
    loss = nn.CrossEntropyLoss(reduction="sum")
    whole = ModelObjective(model, loss, (x, y), dtype=torch.float64)
    cut = ModelObjective(model, loss, [(x[:20], y[:20]), (x[20:], y[20:])], dtype=torch.float64)
    assert cut.about["reduction"] == "sum"
    assert abs(whole.value(whole.start()) - cut.value(cut.start())) < 1e-11
    v = torch.randn(whole.size, dtype=torch.float64)
    assert torch.allclose(whole.at().hvp(v), cut.at().hvp(v), atol=1e-10)


def test_terms_that_average_differently_are_refused_and_weights_can_be_given():
    x, y = _blobs(30)
    y[:12] = -100
    batches = [(x[:20], y[:20]), (x[20:], y[20:])]
    model = _mlp()
    both = lambda output, target: F.cross_entropy(output, target) + output.pow(2).exp().mean()  # noqa: E731
    with pytest.raises(BadInput, match="weight="):
        ModelObjective(model, both, batches)
    given = ModelObjective(model, both, batches, weight=[2.0, 1.0])
    assert given.about["weighting"] == "weights given by the caller"


def test_a_penalty_does_not_hide_the_data_terms_weights():
    x, y = _blobs(37)
    model = _mlp()

    def call(bound, batch):
        return F.cross_entropy(bound(batch[0]), batch[1]) + 0.01 * sum(p.pow(2).sum() for p in bound.parameters())

    whole = ModelObjective(model, data=(x, y), call=call, dtype=torch.float64)
    cut = ModelObjective(model, data=[(x[:30], y[:30]), (x[30:], y[30:])], call=call, dtype=torch.float64)
    assert abs(whole.value(whole.start()) - cut.value(cut.start())) < 1e-14
    plain = ModelObjective(model, F.cross_entropy, (x, y), dtype=torch.float64)
    penalty = 0.01 * float(whole.start().pow(2).sum())
    assert abs(whole.value(whole.start()) - plain.value(plain.start()) - penalty) < 1e-12


class _Odd(nn.Module):
    """Unused, linearly entering and tied parameters."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(4, 4)
        self.second = nn.Linear(4, 4)
        self.second.weight = self.first.weight
        self.unused = nn.Parameter(torch.ones(5))
        self.linear = nn.Parameter(torch.ones(3))

    def forward(self, x):
        return self.second(torch.tanh(self.first(x))).sum() * 0.1 + self.linear.sum()


def test_unused_linear_and_tied_parameters():
    x, _ = _blobs(8)
    model = _Odd()
    objective = ModelObjective(model, data=[x, x[:3]], call=lambda bound, batch: bound(batch), dtype=torch.float64)
    slices = objective.layout.slices()
    assert set(slices) == {"first.weight", "first.bias", "second.bias", "unused", "linear"}
    with objective.at() as point:
        product = point.hvp(torch.ones(objective.size, dtype=torch.float64))
    assert float(product[slices["unused"]].norm()) == 0 and float(product[slices["linear"]].norm()) == 0
    assert float(product[slices["first.weight"]].norm()) > 0
    _against_second_road(objective)


class _Dictionary(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(4, 3), nn.Linear(2, 3)

    def forward(self, first, second=None, labels=None):
        logits = torch.tanh(self.a(first)) + (self.b(second) if second is not None else 0)
        if labels is None:
            return {"logits": logits}
        return {"logits": logits, "loss": F.cross_entropy(logits, labels)}


def test_nested_inputs_and_models_with_their_own_loss():
    x, y = _blobs(12)
    z = torch.randn(12, 2)
    model = _Dictionary()
    loss = lambda output, target: F.cross_entropy(output["logits"], target)  # noqa: E731
    forms = [
        ModelObjective(model, data=[{"first": x, "second": z, "labels": y}], dtype=torch.float64),
        ModelObjective(model, loss, [(x, z, y)], dtype=torch.float64),
        ModelObjective(model, loss, [((x, z), y)], dtype=torch.float64),
        ModelObjective(model, loss, [({"first": x, "second": z}, y)], dtype=torch.float64),
        ModelObjective(model, loss, [{"first": x, "second": z, "labels": y}], dtype=torch.float64),
    ]
    values = [form.value(form.start()) for form in forms]
    assert max(values) - min(values) < 1e-15


def test_dropout_is_frozen_and_the_random_state_stays():
    x, y = _blobs(16)
    model = _net(lambda: nn.Linear(4, 32), nn.ReLU, lambda: nn.Dropout(0.5), lambda: nn.Linear(32, 3))
    states = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
    objective = ModelObjective(model, F.cross_entropy, [(x, y), (x[:5], y[:5])], mode="train", dtype=torch.float64)
    values = {objective.value(objective.start()) for _ in range(3)}
    assert len(values) == 1
    other = ModelObjective(model, F.cross_entropy, [(x, y), (x[:5], y[:5])], mode="train", seed=5, dtype=torch.float64)
    assert other.value(other.start()) not in values
    objective.at().hvp(torch.ones(objective.size, dtype=torch.float64))
    assert torch.equal(torch.get_rng_state(), states[0])
    assert np.array_equal(np.random.get_state()[1], states[1]) and random.getstate() == states[2]


def test_uncontrolled_randomness_is_refused():
    class Noisy(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Linear(4, 3)

        def forward(self, x):
            return self.w(x) * random.random()

    with pytest.raises(BadInput, match="two values"):
        ModelObjective(Noisy(), F.cross_entropy, _blobs(8))


@pytest.mark.parametrize("statistics", ["running", "batch"])
def test_batch_norm_as_said_and_the_model_is_left_alone(statistics):
    x, y = _blobs(20)
    model = _net(lambda: nn.Linear(4, 8), lambda: nn.BatchNorm1d(8), nn.Tanh, lambda: nn.Linear(8, 3))
    model.train()
    model(x)
    model[0].weight.grad = torch.ones_like(model[0].weight)
    before = {name: t.clone() for name, t in model.state_dict().items()}
    objective = ModelObjective(
        model, F.cross_entropy, [(x, y), (x[:7], y[:7])], batch_norm=statistics, dtype=torch.float64
    )
    assert objective.about["batch_norm"] == statistics
    _against_second_road(objective)
    objective.value(objective.start())
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name])
    assert all(module.training for module in model.modules())
    assert torch.equal(model[0].weight.grad, torch.ones_like(model[0].weight)) and model[3].weight.grad is None


@pytest.mark.parametrize("norm", [lambda: nn.LayerNorm(8), lambda: nn.GroupNorm(2, 8), lambda: nn.InstanceNorm1d(4)])
def test_normalization_layers_have_right_second_derivatives(norm):
    x, y = _blobs(10, size=8)
    layer = norm()
    shape = nn.Unflatten(1, (4, 2)) if isinstance(layer, nn.InstanceNorm1d) else nn.Identity()
    model = nn.Sequential(nn.Linear(8, 8), shape, layer, nn.Flatten(), nn.SiLU(), nn.Linear(8, 3))
    _against_second_road(ModelObjective(model, F.cross_entropy, (x, y), dtype=torch.float64))


def test_fused_attention_is_made_differentiable_twice():
    x = torch.randn(5, 6, 8)
    y = torch.randint(0, 3, (5,))
    block = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)

    class Classifier(nn.Module):
        def __init__(self):
            super().__init__()
            self.block, self.head = block, nn.Linear(8, 3)

        def forward(self, x):
            return self.head(self.block(x).mean(1))

    _against_second_road(ModelObjective(Classifier(), F.cross_entropy, (x, y), dtype=torch.float64))


@pytest.mark.filterwarnings("ignore")
def test_recurrent_layers():
    x = torch.randn(3, 5, 4)
    y = torch.randint(0, 3, (3,))

    class Recurrent(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm, self.head = nn.LSTM(4, 5, batch_first=True), nn.Linear(5, 3)

        def forward(self, x):
            return self.head(self.lstm(x)[0][:, -1])

    objective = ModelObjective(Recurrent(), F.cross_entropy, (x, y), dtype=torch.float64)
    vector = torch.randn(objective.size, dtype=torch.float64)
    with objective.at() as point:
        product = point.hvp(vector)
    step = 1e-6
    difference = (
        objective.gradient(objective.start() + step * vector).vector
        - objective.gradient(objective.start() - step * vector).vector
    )
    assert torch.allclose(product, difference / (2 * step), atol=1e-7)
    single = ModelObjective(Recurrent(), F.cross_entropy, (x, y))
    assert np.isfinite(float(single.at().hvp(torch.ones(single.size)).norm()))


def test_parameters_by_name_are_a_block_of_the_whole():
    x, y = _blobs(15)
    model = _mlp()
    whole = ModelObjective(model, F.cross_entropy, (x, y), dtype=torch.float64)
    part = ModelObjective(model, F.cross_entropy, (x, y), dtype=torch.float64, parameters=["2.*"])
    assert part.layout.names == ("2.weight", "2.bias")
    where = slice(whole.layout.slices()["2.weight"].start, whole.size)
    vector = torch.zeros(whole.size, dtype=torch.float64)
    vector[where] = torch.randn(part.size, dtype=torch.float64)
    assert torch.allclose(whole.at().hvp(vector)[where], part.at().hvp(vector[where]), atol=1e-13)
    with pytest.raises(BadInput, match="a name or pattern"):
        ModelObjective(model, F.cross_entropy, (x, y), parameters=["nothing.*"])


def test_rebuilt_graphs_give_the_same_products():
    x, y = _blobs(30)
    data = [(x[:20], y[:20]), (x[20:], y[20:])]
    kept = ModelObjective(_mlp(), F.cross_entropy, data, dtype=torch.float64)
    rebuilt = ModelObjective(_mlp(), F.cross_entropy, data, dtype=torch.float64, memory_bytes=0)
    vector = torch.randn(kept.size, dtype=torch.float64)
    with kept.at() as a, rebuilt.at() as b:
        assert a.kept_pieces == 2 and b.kept_pieces == 0 and b.kept_bytes == 0
        assert torch.allclose(a.hvp(vector), b.hvp(vector), atol=1e-15)


def test_noise_of_the_mean_gradient():
    x, y = _blobs(40)
    data = [(x[i : i + 10], y[i : i + 10]) for i in range(0, 40, 10)]
    objective = ModelObjective(_mlp(), F.cross_entropy, data, dtype=torch.float64)
    parts = torch.stack([ModelObjective(_mlp(), F.cross_entropy, d, dtype=torch.float64).at().gradient for d in data])
    expected = ((parts - parts.mean(0)).pow(2).sum() / (4 * 3)) ** 0.5
    with objective.at() as point:
        assert point.noise.parts == 4
        assert abs(point.noise.standard_error - float(expected)) < 1e-12
    single = ModelObjective(_mlp(), F.cross_entropy, (x, y), dtype=torch.float64)
    assert single.at().noise is None
    assert single.in_parts(4).gradient(single.start()).noise.parts == 4


def test_compiled_models_are_unwrapped_and_float64_twin_agrees():
    x, y = _blobs(10)
    model = _mlp()
    objective = ModelObjective(torch.compile(model), F.cross_entropy, (x, y))
    twin = objective.in_double()
    assert twin.dtype == torch.float64 and abs(twin.value(twin.start()) - objective.value(objective.start())) < 1e-6


@pytest.mark.parametrize("kind", ["cross_entropy", "mse"])
def test_gauss_newton_and_fisher_against_their_definitions(kind):
    x, y = _blobs(6)
    if kind == "mse":
        y = torch.randn(6, 3)
    model = _mlp()
    loss = F.mse_loss if kind == "mse" else F.cross_entropy
    objective = ModelObjective(model, loss, [(x[:4], y[:4]), (x[4:], y[4:])], dtype=torch.float64)
    place = objective.start()

    wide = copy.deepcopy(model).double()

    def outputs(flat):
        state = dict(zip(objective.layout.names, objective.layout.split(flat), strict=True))
        return torch.func.functional_call(wide, state, (x.double(),))

    jacobian = torch.func.jacrev(outputs)(place).reshape(6, 3, -1)
    probabilities = outputs(place).softmax(-1)
    if kind == "mse":
        expected = torch.einsum("noi,noj->ij", jacobian, jacobian) * 2 / 18
    else:
        # The Fisher matrix by its definition: expectation over the model's own labels.
        expected = torch.zeros(objective.size, objective.size, dtype=torch.float64)
        for n in range(6):
            for label in range(3):
                unit = F.one_hot(torch.tensor(label), 3) - probabilities[n]
                g = unit @ jacobian[n]
                expected += probabilities[n, label] * torch.outer(g, g) / 6
    with objective.at() as point:
        vector = torch.randn(objective.size, dtype=torch.float64)
        assert torch.allclose(point.ggn(vector), expected @ vector, atol=1e-12)
        if kind == "cross_entropy":
            gradients = []
            for n in range(6):
                one = ModelObjective(model, F.cross_entropy, (x[n : n + 1], y[n : n + 1]), dtype=torch.float64)
                gradients.append(one.gradient(place).vector)
            stacked = torch.stack(gradients)
            assert torch.allclose(point.empirical_fisher(vector), stacked.T @ (stacked @ vector) / 6, atol=1e-12)


def test_bad_input_is_said_plainly():
    x, y = _blobs(4)
    with pytest.raises(BadInput, match="a torch module"):
        ModelObjective(lambda z: z, F.cross_entropy, (x, y))
    with pytest.raises(BadInput, match="at least one batch"):
        ModelObjective(_mlp(), F.cross_entropy, [])
    frozen = _mlp().requires_grad_(False)
    with pytest.raises(BadInput, match="frozen"):
        ModelObjective(frozen, F.cross_entropy, (x, y))
    point = ModelObjective(_mlp(), F.cross_entropy, (x, y)).at()
    point.close()
    with pytest.raises(BadInput, match="closed"):
        point.hvp(point.gradient)


def test_a_parameter_without_dimensions() -> None:
    """A learned temperature is a scalar."""

    class Scaled(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer, self.scale = torch.nn.Linear(3, 1), torch.nn.Parameter(torch.tensor(2.0))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.scale * self.layer(x)

    model = Scaled()
    objective = ModelObjective(model, torch.nn.functional.mse_loss, [(torch.ones(4, 3), torch.zeros(4, 1))])
    with objective.at() as point:
        assert point.hvp(torch.ones(point.size)).shape == (5,)

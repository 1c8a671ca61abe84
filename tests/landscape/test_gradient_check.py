import pytest
import torch
from torch import nn
from torch.nn import functional as F

from unstuck.core.errors import BadInput
from unstuck.landscape import check_objective_gradient
from unstuck.objective import FormulaObjective, ModelObjective


def _blobs(count=12, size=4):
    source = torch.Generator().manual_seed(0)
    return torch.randn(count, size, generator=source), torch.randint(0, 3, (count,), generator=source)


class _WrongTanh(torch.autograd.Function):
    """Forward is tanh; backward forgets its derivative: right near zero, wrong after training."""

    @staticmethod
    def forward(ctx, x):
        return torch.tanh(x)

    @staticmethod
    def backward(ctx, g):
        return g


class _Faulty(nn.Module):
    def __init__(self, fault):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second = nn.Linear(4, 6), nn.Linear(6, 3)
        self.fault = fault

    def forward(self, x):
        hidden = self.first(x)
        hidden = _WrongTanh.apply(hidden) if self.fault == "derivative" else torch.tanh(hidden)
        if self.fault == "detached":
            hidden = hidden.detach()
        out = self.second(hidden)
        if self.fault == "sign" and out.requires_grad:
            out.register_hook(lambda g: -g)
        return out


def test_right_networks_pass_below_a_millionth():
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.LayerNorm(8), nn.Linear(8, 3))
    objective = ModelObjective(model, F.cross_entropy, _blobs(), batch_norm="batch", dtype=torch.float64)
    check = check_objective_gradient(objective)
    assert check.right and check.error < 1e-6 and "agrees" in check.sentence


@pytest.mark.parametrize(("fault", "wrong"), [("sign", "second.bias"), ("detached", "first.weight")])
def test_planted_faults_are_found_in_the_right_layer(fault, wrong):
    check = check_objective_gradient(ModelObjective(_Faulty(fault), F.cross_entropy, _blobs(), dtype=torch.float64))
    names = {p.name for p in check.parameters if p.verdict == "wrong"}
    assert not check.right and wrong in names
    if fault == "detached":
        assert names == {"first.weight", "first.bias"} and "no gradient reaches it" in check.sentence


def test_a_fault_that_hides_at_small_weights_is_found_after_training():
    model = _Faulty("derivative")
    with torch.no_grad():
        for p in model.first.parameters():
            p.mul_(1e-4)
    data = _blobs()
    small = check_objective_gradient(ModelObjective(model, F.cross_entropy, data, dtype=torch.float64))
    with torch.no_grad():
        for p in model.first.parameters():
            p.mul_(1e4)
    grown = check_objective_gradient(ModelObjective(model, F.cross_entropy, data, dtype=torch.float64))
    assert small.error < 1e-4 < grown.error and not grown.right
    assert {p.name for p in grown.parameters if p.verdict == "wrong"} == {"first.weight", "first.bias"}


def test_gradients_by_hand_are_checked():
    cubic = FormulaObjective(lambda w: (w**3).sum(), torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64))
    assert check_objective_gradient(cubic, gradient=lambda w: 3 * w**2).right
    for bad in (lambda w: -3 * w**2, lambda w: 3 * w**2 / 12, lambda w: (3 * w**2).flip(0)):
        assert not check_objective_gradient(cubic, gradient=bad).right
    with pytest.raises(BadInput):
        check_objective_gradient(cubic, gradient=torch.ones(2))


def test_corners_are_recognized_and_not_reported():
    corner = FormulaObjective(
        lambda w: torch.relu(w).sum() + (w**2).sum(), torch.tensor([0.0, 1.0], dtype=torch.float64)
    )
    check = check_objective_gradient(corner)
    assert check.right and check.parameters[0].kinks == 1 and check.parameters[0].compared == 1
    near = FormulaObjective(lambda w: torch.relu(w).sum() * 3, torch.tensor([2e-6, -4e-6], dtype=torch.float64))
    assert check_objective_gradient(near).right


def test_relu_networks_pass():
    for seed in range(5):
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 3))
        check = check_objective_gradient(ModelObjective(model, F.cross_entropy, _blobs(), dtype=torch.float64))
        assert check.right, check.sentence


def test_dropout_mask_is_fixed_and_regularization_included():
    model = nn.Sequential(nn.Linear(4, 16), nn.Dropout(0.5), nn.Tanh(), nn.Linear(16, 3))

    def call(bound, batch):
        return F.cross_entropy(bound(batch[0]), batch[1]) + 0.1 * sum(p.pow(2).sum() for p in bound.parameters())

    objective = ModelObjective(model, data=_blobs(), call=call, mode="train", dtype=torch.float64)
    assert check_objective_gradient(objective).right
    without = ModelObjective(model, F.cross_entropy, _blobs(), mode="train", dtype=torch.float64)
    half = check_objective_gradient(objective, gradient=without.gradient(without.start()).vector)
    assert not half.right  # the penalty in the loss only


def test_large_parameters_are_sampled():
    model = nn.Sequential(nn.Linear(4, 400), nn.Tanh(), nn.Linear(400, 3))
    objective = ModelObjective(model, F.cross_entropy, _blobs(), dtype=torch.float64)
    check = check_objective_gradient(objective)
    assert check.right and check.evaluations < 2500 and check.error < 1e-6


def test_a_batch_norm_bias_that_cannot_matter_has_zero_gradient_and_passes():
    model = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Linear(6, 3))
    objective = ModelObjective(model, F.cross_entropy, _blobs(), batch_norm="batch", dtype=torch.float64)
    check = {p.name: p for p in check_objective_gradient(objective).parameters}
    assert check["0.bias"].verdict == "right"

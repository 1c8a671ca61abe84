import pytest
import torch
from torch import nn

from unstuck.core.errors import BadInput
from unstuck.signal import BatchNorm, lecture_p

SHAPES = {2: nn.BatchNorm1d, 3: nn.BatchNorm1d, 4: nn.BatchNorm2d, 5: nn.BatchNorm3d}


@pytest.mark.parametrize("shape", [(16, 4), (16, 4, 5), (6, 4, 3, 3), (3, 4, 2, 2, 2)])
@pytest.mark.parametrize("momentum", [0.1, 0.9, None])
def test_equal_to_torch_in_training_and_evaluation(shape, momentum):
    source = torch.Generator().manual_seed(0)
    ours, theirs = BatchNorm(4, momentum=momentum).double(), SHAPES[len(shape)](4, momentum=momentum).double()
    with torch.no_grad():
        for layer in (ours, theirs):
            layer.weight.copy_(torch.tensor([1.0, 2.0, -0.5, 0.3]))
            layer.bias.copy_(torch.tensor([0.0, 1.0, 2.0, -1.0]))
    for _ in range(4):
        z = 3 * torch.randn(shape, generator=source, dtype=torch.float64) + 1
        ways = []
        for layer in (ours, theirs):
            entering = z.clone().requires_grad_()
            out = layer(entering)
            gradients = torch.autograd.grad((out.pow(3) * z).sum(), [entering, layer.weight, layer.bias])
            ways.append((out.detach(), *gradients))
        for a, b in zip(*ways, strict=True):
            assert torch.allclose(a, b, rtol=1e-9, atol=1e-9)
    assert torch.allclose(ours.running_mean, theirs.running_mean, rtol=1e-12)
    assert torch.allclose(ours.running_var, theirs.running_var, rtol=1e-12)
    ours.eval(), theirs.eval()
    assert torch.allclose(ours(z), theirs(z), rtol=1e-12)


def test_the_gradient_flows_through_mean_and_variance():
    z = torch.randn(8, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1), requires_grad=True)
    layer = BatchNorm(3).double()
    layer.eps = 0.0
    out = layer(z)
    (slope,) = torch.autograd.grad(out[1, 0], z, retain_graph=True)
    sigma, tilde = z.detach()[:, 0].std(correction=0), out.detach()[:, 0]
    assert float(slope[0, 0]) == pytest.approx(float(-(1 + tilde[0] * tilde[1]) / (8 * sigma)), rel=1e-10)
    assert torch.autograd.gradcheck(lambda x: BatchNorm(3).double()(x), (z,))


def test_one_example_is_refused_in_training_and_welcome_in_evaluation():
    layer = BatchNorm(3)
    with pytest.raises(BadInput, match="at least 2"):
        layer(torch.ones(1, 3))
    assert layer.eval()(torch.ones(1, 3)).shape == (1, 3)
    assert BatchNorm(3)(torch.randn(1, 3, 4)).shape == (1, 3, 4)


def test_the_lectures_p_is_the_weight_of_the_past():
    layer, p = BatchNorm(1, momentum=0.1), lecture_p(0.1)
    average = 0.0
    for value in (5.0, 7.0, -2.0):
        layer(torch.tensor([[value - 1], [value + 1]]))
        average = p * average + (1 - p) * value
    assert float(layer.running_mean) == pytest.approx(average, rel=1e-6)


def test_wrong_momentum_and_shape():
    with pytest.raises(BadInput):
        BatchNorm(3, momentum=2)
    with pytest.raises(BadInput):
        BatchNorm(3)(torch.ones(4, 5))

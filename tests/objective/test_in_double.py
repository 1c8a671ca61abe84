"""A model whose code makes or keeps single-precision tensors of its own runs in float64 all the same."""

import pytest
import torch
from torch import nn

from unstuck.objective import ModelObjective
from unstuck.objective.captured import CapturedCall, captured_objective
from unstuck.objective.in_double import InDouble


class Recurrent(nn.Module):
    """Written as tutorials write it: a first state of zeros, a constant that is no buffer, a call of ``float``."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.GRU(2, 6, batch_first=True)
        self.out = nn.Linear(6, 1)
        self.scale = torch.tensor([2.0])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden, _ = self.rnn(x, torch.zeros(1, x.size(0), 6))
        best, _ = hidden.max(2)
        weights = torch.softmax(best, 1).float()
        pooled = torch.empty(x.size(0), 6)
        pooled.copy_((weights[:, :, None] * hidden).sum(1))
        return self.out(pooled) * self.scale


def data() -> tuple[torch.Tensor, torch.Tensor]:
    source = torch.Generator().manual_seed(0)
    return torch.randn(5, 4, 2, generator=source), torch.randn(5, 1, generator=source)


@pytest.fixture
def model() -> nn.Module:
    torch.manual_seed(0)
    return Recurrent()


def test_an_objective_of_model_and_loss(model: nn.Module) -> None:
    single = ModelObjective(model, nn.MSELoss(), [data()])
    double = single.in_double()
    exact, rough = double.gradient(double.start()), single.gradient(single.start())
    assert exact.vector.dtype == torch.float64
    assert float((exact.vector - rough.vector).norm()) < 1e-5 * float(exact.vector.norm())
    # Differences of a loss of single precision would be right to three digits only.
    way = torch.randn(double.size, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    step = 1e-5
    ahead, behind = double.value(double.start() + step * way), double.value(double.start() - step * way)
    assert (ahead - behind) / (2 * step) == pytest.approx(float(exact.vector @ way), rel=1e-7)


def test_captured_calls(model: nn.Module) -> None:
    x, y = data()
    call = CapturedCall.before(model, (x,), {})
    loss = nn.functional.mse_loss(model(x), y)
    objective = captured_objective([call.with_loss(loss, lambda out: nn.functional.mse_loss(out, y))])
    double = objective.in_double()
    assert double.value(double.start()) == pytest.approx(float(loss), rel=1e-6)
    with double.at(double.start()) as point:
        assert point.hvp(torch.ones(double.size, dtype=torch.float64)).dtype == torch.float64


def test_a_model_in_double_keeps_what_it_casts_by_design() -> None:
    class Rounded(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w = nn.Parameter(torch.tensor([1 / 3], dtype=torch.float64))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return (self.w.float().double() * x).sum()

    own = ModelObjective(Rounded(), lambda out, y: out, [(torch.ones(1, dtype=torch.float64), torch.zeros(1))])
    assert own.in_double().value(own.start()) == float(torch.tensor(1 / 3, dtype=torch.float32))


def test_what_is_written_in_place_keeps_its_width() -> None:
    kept, wide = torch.zeros(2), torch.ones(2, dtype=torch.float64)
    with InDouble():
        kept.add_(wide)
        kept += wide
        kept[0] = 5.0
    assert kept.dtype == torch.float32 and kept.tolist() == [5.0, 2.0]

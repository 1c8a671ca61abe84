"""The gradient that reaches each time step, against autograd in float64; and nothing of the run is changed by it."""

from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from unstuck.probes import fused_recurrent
from unstuck.probes.graph import walk
from unstuck.probes.through_time import TimeGradients, positions, recurrences

T, N = 12, 5


def heard(model: nn.Module, loss: torch.Tensor) -> list[dict]:
    graph = walk(loss, names={id(p): n for n, p in model.named_parameters()})
    listener = TimeGradients()
    listener.listen(graph)
    loss.backward()
    found = listener.read()
    assert not listener.listening
    return found


class Last(nn.Module):
    """Reads a sequence and answers from the last state."""

    def __init__(self, kind: type[nn.RNNBase], **options: object):
        super().__init__()
        self.rnn = kind(3, 6, batch_first=True, **options)
        self.out = nn.Linear(6 * (1 + bool(options.get("bidirectional"))), 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.rnn(x)[0][:, -1])


def test_a_tanh_network_against_the_product_of_its_jacobians() -> None:
    """The gradient at step t is diag(1 − h²) times that of h_t; autograd gives the latter for a loop of our own."""
    torch.manual_seed(0)
    model = Last(nn.RNN).double()
    x = torch.randn(N, T, 3).double()
    (entry,) = heard(model, model(x).square().mean())
    assert (entry["layer"], entry["weight"], entry["steps"]) == ("rnn", "rnn.weight_hh_l0", T)
    assert entry["at"] == list(range(T))
    rnn, h, sums = model.rnn, torch.zeros(N, 6).double(), []
    for t in range(T):
        s = x[:, t] @ rnn.weight_ih_l0.T + rnn.bias_ih_l0 + h @ rnn.weight_hh_l0.T + rnn.bias_hh_l0
        s.retain_grad()
        sums.append(s)
        h = torch.tanh(s)
    model.out(h).square().mean().backward()
    assert entry["g"] == pytest.approx([float(s.grad.norm()) for s in sums], rel=1e-9)


def _input_gradients(model: nn.Module, x: torch.Tensor) -> list[float]:
    twin = copy.deepcopy(model)
    x = x.clone().requires_grad_()
    twin(x).square().mean().backward()
    return [float(g.double().norm()) for g in x.grad.unbind(1)]


@pytest.mark.parametrize("kind", [nn.RNN, nn.GRU, nn.LSTM])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_it_falls_as_the_gradient_of_the_input_does(kind: type[nn.RNNBase], dtype: torch.dtype) -> None:
    """Both pass the same factors from step to step: their logarithms fall alike, whatever stands between them."""
    torch.manual_seed(1)
    model = Last(kind).to(dtype)
    x = torch.randn(N, 60, 3).to(dtype)
    (entry,) = heard(model, model(x).square().mean())
    whole = _input_gradients(model, x)
    assert len(entry["at"]) == 16 and entry["at"][0] == 0 and entry["at"][-1] == 59
    measured = torch.tensor(entry["g"]).log()
    expected = torch.tensor([whole[t] for t in entry["at"]]).log()
    assert ((measured - measured[-1]) - (expected - expected[-1])).abs().max() < 1.5
    assert expected[0] - expected[-1] < -10


@pytest.mark.parametrize("options", [{}, {"num_layers": 2}, {"bidirectional": True}, {"bias": False}])
def test_a_layer_that_runs_as_one_operation(options: dict) -> None:
    """Its input's gradient is measured: taken from the backward pass where there is one, computed where there is none."""
    torch.manual_seed(2)
    model = Last(nn.LSTM, **options)
    x = torch.randn(N, T, 3)
    loss = model(x).square().mean()
    if "MkldnnRnnLayer" not in {node.kind for node in walk(loss).nodes}:
        pytest.skip("this build runs the LSTM step by step")
    found = heard(model, loss)
    whole = _input_gradients(model, x)
    if not options or "bias" in options:
        assert found[0]["g"] == pytest.approx(whole, rel=1e-4)
    again = heard(model, model(x.clone().requires_grad_()).square().mean())
    assert [e["weight"] for e in again] == [e["weight"] for e in found]
    for first, second in zip(found, again, strict=True):
        assert first["g"] == pytest.approx(second["g"], rel=1e-4)
    assert len(found) == (2 if len(options) and "bias" not in options else 1)


def test_some_of_many_examples() -> None:
    """Where a fused layer is run again, eight examples stand for all."""
    torch.manual_seed(7)
    model, x = Last(nn.LSTM), torch.randn(64, T, 3)
    (entry,) = heard(model, model(x).square().mean())
    whole = _input_gradients(model, x)
    for measured, expected in zip(entry["g"], whole, strict=True):
        assert 0.4 * expected < measured < 2.5 * expected


def test_both_directions_are_told_in_the_order_in_which_they_run() -> None:
    torch.manual_seed(3)
    model = Last(nn.LSTM, bidirectional=True)
    x = torch.randn(N, T, 3)
    forward, backward = heard(model, model(x).square().mean())
    assert forward["g"][-1] > 3 * forward["g"][0]
    # The last output of the backward direction is its first step.
    assert backward["g"][0] > 0 and max(backward["g"][1:]) == 0.0


class Loop(nn.Module):
    def __init__(self, cell: type[nn.RNNCellBase]):
        super().__init__()
        self.cell, self.out = cell(3, 6), nn.Linear(6, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        state = None
        for step in x.unbind(1):
            state = self.cell(step, state)
        return self.out(state[0] if isinstance(state, tuple) else state)


@pytest.mark.parametrize("cell", [nn.RNNCell, nn.GRUCell, nn.LSTMCell])
def test_cells_in_a_loop(cell: type[nn.RNNCellBase]) -> None:
    torch.manual_seed(4)
    model = Loop(cell).double()
    x = torch.randn(N, T, 3).double()
    entries = heard(model, model(x).square().mean())
    assert [e["weight"] for e in entries] == ["cell.weight_hh"]
    measured = torch.tensor(entries[0]["g"]).log()
    expected = torch.tensor(_input_gradients(model, x)).log()
    assert ((measured - measured[-1]) - (expected - expected[-1])).abs().max() < 1.5


def test_what_is_no_recurrence() -> None:
    """A layer used on many things side by side, a chain of different layers, a recurrence of a few steps."""
    torch.manual_seed(5)
    shared = nn.Linear(4, 4)
    deep = nn.Sequential(*(m for _ in range(10) for m in (nn.Linear(4, 4), nn.Tanh())))
    x = torch.randn(N, 4)
    side_by_side = sum(shared(x + i).tanh().sum() for i in range(10))
    for loss in (side_by_side, deep(x).sum(), Last(nn.RNN)(torch.randn(N, 5, 3)).sum()):
        assert recurrences(walk(loss)) == []


def test_the_run_stays_as_it_is() -> None:
    """Same gradients bit for bit, no generator touched, no hook left, and a graph that can be used again."""
    torch.manual_seed(6)
    for kind in (nn.RNN, nn.GRU, nn.LSTM):
        model = Last(kind)
        twin = copy.deepcopy(model)
        x, y = torch.randn(N, T, 3), torch.randn(N, 1)
        F.mse_loss(twin(x), y).backward()
        state = torch.get_rng_state()
        loss = F.mse_loss(model(x), y)
        graph = walk(loss, names={id(p): n for n, p in model.named_parameters()})
        listener = TimeGradients()
        listener.listen(graph)
        loss.backward(retain_graph=True)
        first = listener.read()
        assert torch.equal(torch.get_rng_state(), state)
        for p, q in zip(model.parameters(), twin.parameters(), strict=True):
            assert torch.equal(p.grad, q.grad) and p.grad.grad_fn is None
        loss.backward()
        assert first and listener.read() == []


def test_a_gradient_below_single_precision_squares() -> None:
    """1e-30 has a square of zero in float32; the norm has not."""
    model = Last(nn.RNN)
    with torch.no_grad():
        model.rnn.weight_hh_l0.copy_(1e-3 * torch.eye(6))
    (entry,) = heard(model, model(torch.zeros(N, T, 3)).sum())
    assert 0 < entry["g"][0] < 1e-28 * entry["g"][-1]


def test_positions_hold_both_ends() -> None:
    for steps in range(2, 300):
        found = positions(steps)
        assert found[0] == 0 and found[-1] == steps - 1 and len(found) == min(16, steps)
        assert sorted(set(found)) == found


def test_a_hook_that_fails_is_told_after_the_backward_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    from unstuck.probes import through_time

    def broken(gradient: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("broken")

    monkeypatch.setattr(through_time, "norm_of", broken)
    model = Last(nn.RNN)
    loss = model(torch.randn(N, T, 3)).sum()
    listener = TimeGradients()
    listener.listen(walk(loss))
    loss.backward()
    assert all(p.grad is not None for p in model.parameters())
    with pytest.raises(RuntimeError, match="broken"):
        listener.read()
    assert not listener.listening


@pytest.mark.parametrize("needed", [True, False])
def test_a_fused_layer_is_made_ready_to_run_again_only_where_it_must(
    monkeypatch: pytest.MonkeyPatch, needed: bool
) -> None:
    layer = torch.nn.LSTM(3, 4)
    x = torch.randn(12, 2, 3, requires_grad=not needed)
    graph = walk(layer(x)[0].sum(), names={id(p): n for n, p in layer.named_parameters()})
    if not any(fused_recurrent.is_whole(node) for node in graph.nodes):
        pytest.skip("this torch runs the layer step by step")
    built = []
    make = fused_recurrent._backward_again
    monkeypatch.setattr(fused_recurrent, "_backward_again", lambda *given: built.append(1) or make(*given))
    heard = TimeGradients()
    heard.listen(graph)
    heard.close()
    assert len(built) == int(needed)

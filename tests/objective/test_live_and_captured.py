import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from unstuck.core.errors import BadInput
from unstuck.objective import (
    CapturedCall,
    LocalObjective,
    ModelObjective,
    NoLocalObjective,
    captured_objective,
    local_objective,
)


def _model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Dropout(0.3), nn.BatchNorm1d(8), nn.Linear(8, 3))


def _data():
    source = torch.Generator().manual_seed(1)
    return torch.randn(16, 4, generator=source), torch.randint(0, 3, (16,), generator=source)


def _steps(model, look):
    x, y = _data()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    torch.manual_seed(3)
    losses = []
    for _ in range(4):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        if look:
            local = local_objective(loss, model.named_parameters())
            assert isinstance(local, LocalObjective)
            local.hvp(local.gradient)
            local.close()
        loss.backward()
        optimizer.step()
        losses.append(float(loss))
    return losses, torch.cat([p.detach().reshape(-1) for p in model.parameters()]), torch.get_rng_state()


def test_looking_at_the_live_graph_leaves_the_run_bit_identical():
    model = _model()
    plain = _steps(copy.deepcopy(model), look=False)
    watched = _steps(copy.deepcopy(model), look=True)
    assert plain[0] == watched[0] and torch.equal(plain[1], watched[1]) and torch.equal(plain[2], watched[2])


def test_live_products_equal_the_objectives():
    model = _model().eval()
    x, y = _data()
    local = local_objective(F.cross_entropy(model(x), y), model.named_parameters())
    objective = ModelObjective(model, F.cross_entropy, (x, y))
    vector = torch.randn(objective.size)
    with objective.at() as point:
        assert torch.allclose(local.hvp(vector), point.hvp(vector), atol=1e-5)
        assert torch.allclose(local.gradient, point.gradient, atol=1e-6)


def test_live_graphs_that_must_not_be_touched_say_why():
    model = _model().eval()
    x, y = _data()
    handle = model[0].weight.register_hook(lambda g: g)
    hooked = local_objective(F.cross_entropy(model(x), y), model.named_parameters())
    assert isinstance(hooked, NoLocalObjective) and "hook on 0.weight" in hooked.reason
    handle.remove()
    entered = x.clone().requires_grad_(True)
    replayed = local_objective(
        F.cross_entropy(checkpoint(model, entered, use_reentrant=True), y), model.named_parameters()
    )
    assert isinstance(replayed, NoLocalObjective) and "checkpointed" in replayed.reason
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t):
        saved = local_objective(F.cross_entropy(model(x), y), model.named_parameters())
    assert isinstance(saved, NoLocalObjective) and "saved tensors" in saved.reason
    q = torch.randn(1, 2, 5, 8)
    scale = nn.Parameter(torch.ones(1))
    fused = F.scaled_dot_product_attention(q * scale, q, q).sum()
    attention = local_objective(fused, [("scale", scale)])
    assert isinstance(attention, NoLocalObjective) and "second derivative" in attention.reason
    assert "no path" in local_objective(torch.ones(()), model.named_parameters()).reason


def test_a_stale_live_graph_is_refused():
    w = torch.ones(2, requires_grad=True)
    local = local_objective((w**3).sum(), [("w", w)])
    with torch.no_grad():
        w.add_(1)
    with pytest.raises(RuntimeError, match="moved"):
        local.hvp(torch.ones(2))


def test_captured_calls_reproduce_the_live_loss_bit_for_bit():
    model = _model().train()
    x, y = _data()
    torch.manual_seed(7)
    calls = []
    for part in (slice(0, 10), slice(10, 16)):
        call = CapturedCall.before(model, (x[part],), {})
        loss = F.cross_entropy(model(x[part]), y[part])
        calls.append(call.with_loss(loss, lambda output, part=part: F.cross_entropy(output, y[part])))
    buffers = {name: b.clone() for name, b in model.named_buffers()}
    state = torch.get_rng_state()
    objective = captured_objective(calls)
    expected = (10 * float(calls[0].value) + 6 * float(calls[1].value)) / 16
    assert abs(objective.value(objective.start()) - expected) < 1e-6
    assert objective.about["reproduced"] == "bit for bit"
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(b, buffers[name]) for name, b in model.named_buffers())
    twin = objective.in_double()
    assert abs(twin.value(twin.start()) - expected) < 1e-5
    with twin.at() as point:
        assert point.noise.parts == 2 and float(point.hvp(point.gradient).norm()) > 0


def test_captured_calls_that_do_not_reproduce_are_refused():
    model = _model().eval()
    x, y = _data()
    call = CapturedCall.before(model, (x,), {})
    done = call.with_loss(F.cross_entropy(model(x), y), lambda output: F.cross_entropy(output, y))
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    with torch.no_grad():
        model[0].weight.add_(0.1)
    with pytest.raises(BadInput, match="bit for bit"):
        captured_objective([done])
    assert captured_objective([done], at=before).pieces == 1
    with pytest.raises(BadInput, match="without its loss"):
        captured_objective([call])

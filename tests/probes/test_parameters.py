"""Norms of parameters, gradients and steps, against direct computation in float64."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from unstuck.probes.graph import walk
from unstuck.probes.parameters import after_step, before_step, carried_gradients, parameter_statistics, placements


@pytest.fixture
def model():
    torch.manual_seed(0)
    found = nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.LayerNorm(7), nn.Linear(7, 3))
    F.cross_entropy(found(torch.randn(6, 5)), torch.arange(6) % 3).backward()
    return found


def test_norms_and_shares(model):
    with torch.no_grad():
        model[0].weight.grad[0] = 0
    found = parameter_statistics(list(model.named_parameters()), rows=True, optimizers={id(model[0].weight): 2})
    assert list(found) == [n for n, _ in model.named_parameters()]
    for name, p in model.named_parameters():
        entry = found[name]
        assert entry["w"] == pytest.approx(float(p.double().norm()), rel=1e-6)
        assert entry["wstd"] == pytest.approx(float(p.detach().double().std(correction=0)), rel=1e-4, abs=1e-7)
        assert entry["g"] == pytest.approx(float(p.grad.double().norm()), rel=1e-6)
        assert entry["gz"] == pytest.approx(float((p.grad == 0).double().mean()))
        assert (entry["gn"], entry["wn"], entry["n"]) == (0, 0, p.numel())
        assert entry["u"] is None and entry["d"] is None
    assert found["0.weight"]["o"] == 2 and found["0.bias"]["o"] is None
    assert found["0.weight"]["eq"] == 0.0 and found["0.bias"]["eq"] is None


def test_no_gradient_is_null():
    p = nn.Parameter(torch.ones(3))
    entry = parameter_statistics([("p", p)])["p"]
    assert entry["g"] is None and entry["gz"] is None and entry["geq"] is None


def test_gradient_scale_is_taken_out():
    p = nn.Parameter(torch.ones(3))
    p.grad = torch.full((3,), 1024.0)
    assert parameter_statistics([("p", p)], scale=512.0)["p"]["g"] == pytest.approx(2 * math.sqrt(3))


def test_not_finite_is_counted_and_overflow_is_not():
    p = nn.Parameter(torch.tensor([1.0, float("nan"), float("inf")]))
    q = nn.Parameter(torch.ones(2))
    q.grad = torch.tensor([3e38, 3e38])
    found = parameter_statistics([("p", p), ("q", q)])
    assert found["p"]["wn"] == 2 and math.isnan(found["p"]["wstd"])
    assert found["q"]["gn"] == 0 and found["q"]["g"] == pytest.approx(3e38 * math.sqrt(2))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64, torch.complex64])
def test_dtypes(dtype):
    torch.manual_seed(1)
    p = nn.Parameter(torch.randn(40, 30, dtype=torch.float32 if not dtype.is_complex else dtype).to(dtype) * 100)
    p.grad = torch.ones_like(p)
    entry = parameter_statistics([("p", p)], rows=True)["p"]
    wide = torch.view_as_real(p.detach()).double() if dtype.is_complex else p.detach().double()
    assert entry["w"] == pytest.approx(float(wide.norm()), rel=1e-4)
    assert entry["eq"] == 0.0 and entry["geq"] == 1.0
    taken = before_step([("p", p)])
    with torch.no_grad():
        p.sub_(p.grad * 4)
    change = after_step(taken)["p"]
    assert change.moved and change.norm == pytest.approx(4 * math.sqrt(p.numel()), rel=0.05)
    assert change.cosine == pytest.approx(-1.0, abs=0.02)


def test_constant_weights_have_no_deviation():
    p = nn.Parameter(torch.full((300, 7), 0.01))
    entry = parameter_statistics([("p", p)], rows=True)["p"]
    assert entry["wstd"] == pytest.approx(0.0, abs=1e-9) and entry["eq"] == 1.0


def test_integer_buffers_and_empty_parameters_do_no_harm():
    listed = [("empty", nn.Parameter(torch.zeros(0, 3))), ("whole", torch.ones(3, dtype=torch.long))]
    found = parameter_statistics(listed, rows=True)
    assert found["empty"]["n"] == 0 and found["whole"]["w"] is None
    changes = after_step(before_step(listed))
    assert not changes["empty"].moved and not changes["whole"].moved


def test_step_and_its_direction(model):
    listed = list(model.named_parameters())
    before = {n: p.detach().double().clone() for n, p in listed}
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    taken = before_step(listed)
    optimizer.step()
    found = after_step(taken)
    for name, p in listed:
        change = p.detach().double() - before[name]
        assert found[name].norm == pytest.approx(float(change.norm()), rel=1e-4)
        direct = float((change * p.grad.double()).sum() / change.norm() / p.grad.double().norm())
        assert found[name].cosine == pytest.approx(direct, rel=1e-4)
        assert found[name].moved


def test_what_did_not_move():
    p, q = nn.Parameter(torch.ones(5)), nn.Parameter(torch.ones(5))
    taken = before_step([("p", p), ("q", q)])
    with torch.no_grad():
        q[3] += 1e-6
    found = after_step(taken)
    assert (found["p"].moved, found["p"].norm, found["p"].cosine) == (False, 0.0, None)
    assert found["q"].moved


def test_the_smallest_change_is_a_move():
    p = nn.Parameter(torch.full((4,), 1e-30))
    taken = before_step([("p", p)])
    with torch.no_grad():
        p[0] *= 1.0000002
    assert after_step(taken)["p"].moved  # its square is zero in float32


def test_writing_through_data_is_seen():
    p = nn.Parameter(torch.ones(5))
    taken = before_step([("p", p)])
    p.data -= 0.1
    assert after_step(taken)["p"].norm == pytest.approx(0.1 * math.sqrt(5), rel=1e-5)


def test_a_part_of_a_large_model_is_copied():
    torch.manual_seed(2)
    p = nn.Parameter(torch.randn(200_000))
    p.grad = torch.randn(200_000)
    taken = before_step([("p", p)], limit=10_000)
    assert sum(t.numel() for t in taken.before) <= 10_000 + 256
    with torch.no_grad():
        p.sub_(0.01 * p.grad)
    change = after_step(taken)["p"]
    assert change.norm == pytest.approx(0.01 * float(p.grad.norm()), rel=0.05)
    assert change.cosine == pytest.approx(-1.0, abs=1e-3)
    taken = before_step([("p", p)], limit=10_000)
    assert not after_step(taken)["p"].moved
    with torch.no_grad():
        p[300] += 1  # between the copied runs
    assert after_step(taken)["p"].moved


def test_replaced_parameter_data():
    p = nn.Parameter(torch.ones(3))
    taken = before_step([("p", p)])
    p.data = torch.zeros(4)
    found = after_step(taken)["p"]
    assert found.moved and found.norm is None


def test_sparse_gradients():
    e = nn.Embedding(50, 4, sparse=True)
    e(torch.tensor([3, 3, 7])).sum().backward()
    dense = e.weight.grad.to_dense()
    entry = parameter_statistics([("e", e.weight)], rows=True)["e"]
    assert entry["g"] == pytest.approx(float(dense.norm()), rel=1e-6)
    assert entry["gz"] == pytest.approx(float((dense == 0).double().mean()))
    assert entry["geq"] is None
    taken = before_step([("e", e.weight)])
    torch.optim.SGD([e.weight], lr=0.1).step()
    found = after_step(taken)["e"]
    assert found.norm == pytest.approx(0.1 * float(dense.norm()), rel=1e-5)
    assert found.cosine == pytest.approx(-1.0, abs=1e-5)


def test_placement_in_the_forward_pass():
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.head, self.norm, self.body, self.embed = (
                nn.Linear(4, 2),
                nn.LayerNorm(4),
                nn.Linear(4, 4),
                nn.Embedding(5, 4),
            )
            self.scale = nn.Parameter(torch.ones(4))

        def forward(self, x):
            return self.head(self.norm(torch.relu(self.body(self.embed(x)))) * self.scale)

    model = Model()
    found = placements(walk(model(torch.tensor([1, 2])).mean(), names={id(p): n for n, p in model.named_parameters()}))
    by_name = {n: found[id(p)] for n, p in model.named_parameters()}
    order = sorted(by_name, key=lambda n: (by_name[n].order, n))
    assert [n.partition(".")[0] for n in order] == ["embed", "body", "body", "norm", "norm", "scale", "head", "head"]
    assert by_name["embed.weight"].role == "embedding" and by_name["norm.weight"].role == "norm"
    assert by_name["norm.bias"].role == "norm" and by_name["body.bias"].role == "bias"
    assert by_name["head.weight"].role == "weight" and by_name["scale"].role == "other"
    assert by_name["head.weight"].layer == "head"
    entry = parameter_statistics([("head.weight", model.head.weight)], places=found)["head.weight"]
    assert entry["order"] == by_name["head.weight"].order and entry["layer"] == "head"


def test_parameters_without_numbers_are_left_out():
    listed = [
        ("meta", nn.Parameter(torch.zeros(3, device="meta"))),
        ("lazy", nn.LazyLinear(3).weight),
        ("w", nn.Parameter(torch.ones(2))),
    ]
    assert list(parameter_statistics(listed, rows=True)) == ["w"]
    assert list(after_step(before_step(listed))) == ["w"]


def test_gradients_that_were_not_cleared():
    p, q = nn.Parameter(torch.ones(3)), nn.Parameter(torch.ones(3))
    shares = []
    for _ in range(5):
        q.grad = None
        carried = carried_gradients([("p", p), ("q", q)])
        (p * 2 + q).sum().backward()
        found = parameter_statistics([("p", p), ("q", q)], carried=carried)
        shares.append((found["p"]["stale"], found["q"]["stale"]))
    assert shares == [(pytest.approx(t / (t + 1)), 0.0) for t in range(5)]
    assert parameter_statistics([("p", p)])["p"]["stale"] is None

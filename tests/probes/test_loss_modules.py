"""The second road, from the arguments of a loss module, agrees with the first, from the graph."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from unstuck.probes.graph import walk
from unstuck.probes.loss_modules import loss_module_terms
from unstuck.probes.loss_terms import loss_terms

N, C = 7, 4


def cases():
    generator = torch.Generator().manual_seed(3)
    y = torch.randint(0, C, (N,), generator=generator)
    real = torch.randn(N, C, generator=generator)
    binary = (real > 0).float()
    yield "cross entropy", nn.CrossEntropyLoss(), y, None
    yield "cross entropy sum", nn.CrossEntropyLoss(reduction="sum"), y, None
    yield "smoothing", nn.CrossEntropyLoss(label_smoothing=0.1), y, None
    yield "soft", nn.CrossEntropyLoss(), torch.softmax(real, 1), None
    yield "double softmax", nn.CrossEntropyLoss(), y, nn.Softmax(dim=1)
    yield "nll", nn.NLLLoss(), y, nn.Softmax(dim=1)
    yield "mse", nn.MSELoss(), real, nn.Sigmoid()
    yield "mse sum", nn.MSELoss(reduction="sum"), real, None
    yield "l1", nn.L1Loss(), real, None
    yield "smooth l1", nn.SmoothL1Loss(), real, nn.Tanh()
    yield "huber", nn.HuberLoss(), real, None
    yield "bce", nn.BCELoss(), binary, nn.Sigmoid()
    yield "bce logits", nn.BCEWithLogitsLoss(), binary, nn.Sigmoid()
    yield "soft margin", nn.SoftMarginLoss(), torch.sign(real), None
    yield "margin", nn.MultiMarginLoss(), y, None


@pytest.mark.parametrize(("name", "module", "target", "last"), list(cases()), ids=[c[0] for c in cases()])
def test_both_roads_agree(name, module, target, last):
    torch.manual_seed(0)
    layer = nn.Linear(3, C).double()
    names = {id(layer.weight): "fc.weight"}
    out = layer(torch.randn(N, 3, dtype=torch.float64))
    out = last(out) if last is not None else out
    target = target.double() if target.is_floating_point() else target
    loss = module(out, target)
    road = loss_module_terms(module, (out, target), loss, names=names)
    graph = loss_terms(walk(loss, names=names), value=loss)
    for key in ("value", "sum_over", "sum_over_batch", "sign", "factor"):
        assert road[key] == pytest.approx(graph[key]), key
    ours, theirs = road["terms"][0], graph["terms"][0]
    for key in ("kind", "reduction", "head", "broadcast", "layer", "sign", "weight"):
        assert ours[key] == theirs[key], key
    for part in ("output", "target"):
        for key, value in theirs[part].items():
            if key == "reconstructed":  # the graph of an absolute difference does not keep the target
                continue
            assert ours[part][key] == (
                pytest.approx(value, rel=1e-9, abs=1e-12) if isinstance(value, float) else value
            ), (part, key)
    assert ours["accuracy"] == theirs["accuracy"]
    assert ours["r2"] == (pytest.approx(theirs["r2"]) if theirs["r2"] is not None else None)


def test_broadcast_of_a_module():
    found = loss_module_terms(nn.MSELoss(), (torch.zeros(N, 1), torch.arange(N).float()), None)
    assert found["terms"][0]["broadcast"] == {"output": [N, 1], "target": [N], "joint": [N, N]}


def test_unknown_modules_give_nothing():
    assert loss_module_terms(nn.TripletMarginLoss(), (torch.zeros(2, 2),) * 3, None) is None
    assert loss_module_terms(nn.MSELoss(), (torch.zeros(2, 2),), None) is None


def test_probabilities_are_recognized_by_their_numbers():
    out = torch.softmax(torch.randn(N, C), 1)  # no graph at all, as of a compiled model
    found = loss_module_terms(nn.CrossEntropyLoss(), (out, torch.zeros(N, dtype=torch.long)), None)
    assert found["terms"][0]["output"]["row_sum_one"] == 1.0

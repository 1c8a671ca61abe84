"""Shapes worked out from saved sizes, against those that torch tells."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from unstuck.probes import graph as graphs
from unstuck.probes.graph import walk
from unstuck.probes.loss_terms import loss_terms

N = 6


def _losses():
    torch.manual_seed(0)
    x, y = torch.randn(N, 4), torch.randint(0, 3, (N,))
    layer = nn.Linear(4, 3)
    conv = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 3)
    )
    deep = nn.Sequential(nn.Linear(4, 8), nn.LayerNorm(8), nn.GELU(), nn.Dropout(0.5), nn.Linear(8, 3), nn.Softmax(1))
    text = nn.Sequential(nn.Embedding(9, 4), nn.Linear(4, 3))
    attention = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
    one_hot = F.one_hot(y, 3).float()
    yield "cross entropy", F.cross_entropy(layer(x), y)
    yield "smoothing", F.cross_entropy(layer(x), y, label_smoothing=0.1)
    yield "convolutional", F.cross_entropy(conv(torch.randn(N, 1, 8, 8)), y)
    yield "double softmax", F.cross_entropy(deep(x), y)
    yield "by hand", -(one_hot * torch.log(F.softmax(layer(x), 1) + 1e-7)).sum(1).mean()
    yield "gather", -F.log_softmax(layer(x), 1).gather(1, y[:, None]).squeeze(1).mean()
    yield "indexed", -F.log_softmax(layer(x), 1)[range(N), y].mean()
    yield "broadcast", ((layer(x)[:, :1] - torch.randn(N)) ** 2).mean()
    yield "summed", (layer(x) - one_hot).abs().sum() / N
    yield (
        "text",
        F.cross_entropy(text(torch.randint(0, 9, (N, 5))).transpose(1, 2), torch.zeros(N, 5, dtype=torch.long)),
    )
    yield "attention", F.mse_loss(attention(torch.randn(2, 5, 4)), torch.zeros(2, 5, 4))
    yield "binary", F.binary_cross_entropy(torch.sigmoid(layer(x)).T, one_hot.T, reduction="none").mean()
    yield "several", torch.stack([F.cross_entropy(layer(x), y), layer.weight.norm()]).sum()


@pytest.mark.parametrize(("name", "loss"), list(_losses()), ids=[name for name, _ in _losses()])
def test_terms_are_the_same_without_being_told(monkeypatch, name, loss):
    told = walk(loss)
    if not graphs._tells_shapes(told.nodes[-1]):
        pytest.skip("this torch does not tell shapes")
    terms = loss_terms(told, value=loss)
    monkeypatch.setattr(graphs, "_tells_shapes", lambda node: False)
    inferred = walk(loss)
    wrong = {
        (node.kind, node._shapes[0], other.shape())
        for node, other in zip(inferred.nodes, told.nodes, strict=True)
        if node._shapes and node._shapes[0] != other.shape()
    }
    assert wrong == set()
    assert sum(1 for node in inferred.nodes if node._shapes) >= 0.8 * len(inferred.nodes)
    for node in inferred.nodes:  # forget what torch tells of the others
        if node._shapes is None:
            node._shapes = ()
    assert loss_terms(inferred, value=loss) == terms

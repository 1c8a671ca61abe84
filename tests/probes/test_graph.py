"""The walk over a graph: order, bounds, classification, names."""

from __future__ import annotations

import threading

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from unstuck.probes.graph import layer_of, normalized_dim, sequence_number, walk


def test_forward_order_and_edges():
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    graph = walk(model(torch.randn(5, 3)).mean())
    assert [n.kind for n in graph.nodes] == ["T", "Addmm", "Relu", "T", "Addmm", "Mean"]
    at = {node: i for i, node in enumerate(graph.nodes)}
    for node in graph.nodes:
        assert all(at[child] < at[node] for child, _ in node.live() if child.leaf is None)
        assert all(node in child.consumers for child, _ in node.live())
    assert {id(leaf.leaf) for leaf in graph.leaves} == {id(p) for p in model.parameters()}
    assert graph.nodes[1].shape() == (5, 4)


def test_parts_of_the_forward_pass_on_another_thread():
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU())
    kept = []
    worker = threading.Thread(target=lambda: kept.append(model(torch.randn(5, 3))))
    worker.start()
    worker.join()
    for _ in range(10):  # push this thread's counter past nothing in particular
        torch.ones(1, requires_grad=True).mul(2)
    graph = walk(F.mse_loss(kept[0], torch.zeros(5, 4)))
    assert [n.kind for n in graph.nodes] == ["T", "Addmm", "Relu", "MseLoss"]


def test_deep_and_wide_graphs_are_bounded():
    x = torch.ones(1, requires_grad=True)
    for _ in range(30_000):
        x = x + 1
    graph = walk(x.sum(), limit=5_000)
    assert graph.truncated and len(graph.nodes) <= 5_000
    assert graph.unseen[0]["what"] == "budget"


def test_no_graph():
    graph = walk(torch.ones(()))
    assert graph.nodes == [] and graph.roots == []
    graph = walk(nn.Parameter(torch.ones(())))
    assert graph.nodes == []


def test_data_and_parameters_are_told_apart():
    layer = nn.Linear(3, 4)
    x = torch.randn(5, 3, requires_grad=True)
    names = {id(layer.weight): "f.weight", id(layer.bias): "f.bias"}
    loss = layer(x).mean() + layer.weight.norm()
    graph = walk(loss, names=names)
    kinds = {n.kind: n.data for n in graph.nodes}
    assert kinds["Addmm"] and kinds["Mean"] and not kinds["LinalgVectorNorm"] and not kinds["T"]
    assert [leaf.data for leaf in graph.leaves if leaf.leaf is x] == [True]


def test_layers_are_named_through_views_casts_and_scalings():
    layer = nn.Linear(3, 4)
    names = {id(layer.weight): "net.f.weight", id(layer.bias): "net.f.bias"}
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = layer(torch.randn(5, 3))
    graph = walk(out.float().mean(), names=names)
    (node,) = [n for n in graph.nodes if n.parametric]
    assert graph.layer_name(node) == "net.f"
    graph = walk((torch.randn(5, 3) @ (layer.weight * 0.5).T).mean(), names=names)
    (node,) = [n for n in graph.nodes if n.parametric]
    assert graph.layer_name(node) == "net.f"


def test_tied_weights():
    embed, body = nn.Embedding(7, 4), nn.Linear(4, 4)
    names = {id(embed.weight): "embed.weight", id(body.weight): "body.weight", id(body.bias): "body.bias"}
    out = F.linear(body(embed(torch.tensor([1, 2]))), embed.weight)
    graph = walk(out.mean(), names=names)
    assert [graph.layer_name(n) for n in graph.nodes if n.parametric] == ["embed", "body", "embed"]


def test_in_place_writing_into_a_buffer():
    layer = nn.Linear(3, 1)
    buffer = torch.zeros(4, 1)
    buffer[1:3] = layer(torch.randn(2, 3))
    graph = walk(buffer.sum())
    assert graph.nodes[-1].kind == "Sum"
    assert any("CopySlices" in n.kind for n in graph.nodes)


def test_sequence_numbers_mark_a_region():
    start = sequence_number()
    out = nn.Linear(3, 1)(torch.randn(2, 3))
    stop = sequence_number()
    assert start is not None and stop is not None and stop > start
    graph = walk(out.mean(), saved_hooks_active=[(start, stop)])
    hooked = {n.kind: graph.is_hooked(n) for n in graph.nodes}
    assert hooked == {"T": True, "Addmm": True, "Mean": False}


def test_names_of_layers():
    assert layer_of("a.b.weight") == "a.b" and layer_of("w") == "w"
    assert layer_of("a.parametrizations.weight.original1") == "a"
    assert normalized_dim(2**64 - 2, 4) == 2


@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
def test_compiled_parts_are_unseen(backend):
    layer = nn.Linear(3, 4)
    compiled = torch.compile(layer, backend=backend)
    loss = F.cross_entropy(compiled(torch.randn(5, 3)), torch.tensor([0, 1, 2, 3, 0]))
    graph = walk(loss, names={id(layer.weight): "f.weight", id(layer.bias): "f.bias"})
    whats = {u["what"] for u in graph.unseen}
    assert whats == ({"compiled"} if backend == "aot_eager" else set())
    torch._dynamo.reset()

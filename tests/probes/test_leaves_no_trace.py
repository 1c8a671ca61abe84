"""Probing changes nothing: gradients, versions, random states, grads, hooks and modes stay as they were."""

from __future__ import annotations

import copy
import gc
import random
import warnings
import weakref

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint

from unstuck.probes import (
    DeadUnits,
    GradientNoise,
    InputStatistics,
    TimeGradients,
    activations,
    after_step,
    before_step,
    denominators,
    describe,
    gradient_norms,
    keep_gradients,
    layers,
    loss_module_terms,
    loss_terms,
    parameter_statistics,
    placements,
    running_statistics,
    sequence_number,
    walk,
)


def made(first):
    """Operations of graphs that were made since then; None where torch does not tell."""
    now = sequence_number()
    return None if now is None else now - first


def everything(model, x, loss, *, saved_hooks_active=False):
    """All that a full sample does before the backward pass."""
    names = {id(p): n for n, p in model.named_parameters()}
    graph = walk(loss, names=names, saved_hooks_active=saved_hooks_active)
    found = loss_terms(graph, value=loss)
    return (
        graph,
        found,
        activations(graph, dead_units=DeadUnits()),
        layers(graph),
        placements(graph),
        InputStatistics().update("m", (x,)),
        describe(x),
    )


class Convolutional(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.bn, self.b = nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.Conv2d(6, 8, 3)
        self.c = nn.Linear(8 * 9, 5)
        self.drop = nn.Dropout(0.3)

    def forward(self, x):
        x = F.relu_(self.bn(self.a(x)))
        x = F.max_pool2d(F.leaky_relu(self.b(x), 0.1, inplace=True), 2)
        return self.c(self.drop(F.gelu(x.flatten(1))))


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.e = nn.Embedding(11, 16)
        self.t = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
        self.h = nn.Linear(16, 11)

    def forward(self, x):
        return self.h(self.t(self.e(x)))


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.g, self.h = nn.GRU(4, 8, batch_first=True), nn.Linear(8, 5)

    def forward(self, x):
        return self.h(self.g(x)[0][:, -1])


def _convolutional():
    return Convolutional(), torch.randn(6, 3, 10, 10), lambda o: F.cross_entropy(o, torch.arange(6) % 5)


def _attention():
    return Attention(), torch.randint(0, 11, (4, 7)), lambda o: F.cross_entropy(o.flatten(0, 1), torch.arange(28) % 11)


def _recurrent():
    return Recurrent(), torch.randn(6, 9, 4), lambda o: ((torch.sigmoid(o) - 0.5) ** 2).mean()


def _double():
    return (
        nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1)).double(),
        torch.randn(6, 4).double(),
        lambda o: o.abs().mean(),
    )


def _half():
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)).bfloat16()
    return model, torch.randn(6, 4).bfloat16(), lambda o: (o - torch.zeros(6, 3).bfloat16()).abs().mean()


def _complex():
    class Wave(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(torch.randn(4, 3, dtype=torch.complex64))

        def forward(self, x):
            return (x @ self.w).abs()

    return Wave(), torch.randn(6, 4, dtype=torch.complex64), lambda o: (o**2).mean()


MODELS = [_convolutional, _attention, _recurrent, _double, _half, _complex]


@pytest.mark.parametrize("make", MODELS, ids=lambda f: f.__name__[1:])
def test_run_is_bit_identical(make):
    def run(probed):
        torch.manual_seed(0)
        random.seed(0)
        np.random.seed(0)
        model, x, loss_of = make()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
        noise, seen, dead, through_time = GradientNoise(), InputStatistics(), DeadUnits(), TimeGradients()
        norms = [m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
        numbers = []
        first = sequence_number()
        for step in range(4):
            optimizer.zero_grad()
            loss = loss_of(model(x))
            listed = list(model.named_parameters())
            if probed:
                names = {id(p): n for n, p in listed}
                graph = walk(loss, names=names)
                loss_terms(graph, value=loss)
                activations(graph, dead_units=dead)
                layers(graph)
                seen.update("m", (x,))
                places = placements(graph)
                through_time.listen(graph)
                del graph
                for norm in norms:
                    running_statistics(norm, torch.ones(2, norm.num_features, 3, 3))
            versions = [p._version for p in model.parameters()]
            loss.backward()
            if probed:
                through_time.read()
                gradient_norms(model.parameters())
                parameter_statistics(listed, places=places, rows=True)
                noise.update(listed, step=step)
                taken = before_step(listed)
                keep_gradients(taken, {id(p): p.grad for p in model.parameters()})
                denominators(optimizer)
                assert [p._version for p in model.parameters()] == versions
            optimizer.step()
            if probed:
                after_step(taken)
            numbers.append(loss.detach().clone())
        state = [random.random(), np.random.rand(), torch.rand(3)]
        buffers = list(model.state_dict().values())
        momenta = [s["momentum_buffer"] for s in optimizer.state.values()]
        return numbers, buffers, momenta, state, made(first)

    plain, probed = run(False), run(True)
    for part in range(3):
        assert len(plain[part]) == len(probed[part])
        assert all(torch.equal(a, b) for a, b in zip(plain[part], probed[part], strict=True))
    assert plain[4] == probed[4] and plain[4] != 0
    assert plain[3][:2] == probed[3][:2] and torch.equal(plain[3][2], probed[3][2])


def test_no_node_is_added_to_the_graph():
    model, x, loss_of = _convolutional()
    loss = loss_of(model(x))
    if sequence_number() is None:
        pytest.skip("this torch does not tell how many nodes it made")
    before = sequence_number()
    loss_of(model(x))
    assert sequence_number() > before  # it would show
    before = sequence_number()
    everything(model, x, loss)
    assert sequence_number() == before


def test_no_grad_no_hook_no_version():
    model, x, loss_of = _convolutional()
    out = model(x)
    loss = loss_of(out)
    watched = [*model.parameters(), x, out, loss]
    versions = [t._version for t in watched]
    everything(model, x, loss)
    parameter_statistics(list(model.named_parameters()), rows=True)
    after_step(before_step(list(model.named_parameters())))
    assert [t._version for t in watched] == versions
    assert all(p.grad is None for p in model.parameters())
    assert all(not t._backward_hooks for t in watched)
    assert torch.is_grad_enabled()


def test_graph_and_tensors_are_let_go():
    model, x, loss_of = _convolutional()
    out = model(x)
    gone = weakref.ref(out)
    loss = loss_of(out)
    state = everything(model, x, loss)
    del state, out, loss
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize(
    "mode", ["no_grad", "inference", "autocast", "device", "dispatch", "anomaly", "deterministic", "double"]
)
def test_works_in_every_mode(mode):
    model, x, loss_of = _convolutional()
    loss = loss_of(model(x))
    plain = everything(model, x, loss)[1:6]
    listed = list(model.named_parameters())
    if mode == "no_grad":
        with torch.no_grad():
            found = everything(model, x, loss)[1:6]
            parameter_statistics(listed)
    elif mode == "inference":
        with torch.inference_mode():
            found = everything(model, x, loss)[1:6]
            noise = GradientNoise()
            loss_of(torch.zeros(6, 5))
            noise.update(listed, step=0)
        noise.update(listed, step=1)
    elif mode == "autocast":
        with torch.autocast("cpu", dtype=torch.bfloat16):
            found = everything(model, x, loss)[1:6]
            assert torch.is_autocast_enabled("cpu")
    elif mode == "device":
        with torch.device("meta"):
            found = everything(model, x, loss)[1:6]
            assert torch.zeros(1).is_meta
    elif mode == "dispatch":
        from torch.utils.flop_counter import FlopCounterMode

        with FlopCounterMode(display=False) as counter:
            found = everything(model, x, loss)[1:6]
        assert counter.get_total_flops() == 0
    elif mode == "anomaly":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with torch.autograd.detect_anomaly():
                found = everything(model, x, loss)[1:6]
    elif mode == "deterministic":
        torch.use_deterministic_algorithms(True)
        try:
            found = everything(model, x, loss)[1:6]
        finally:
            torch.use_deterministic_algorithms(False)
    else:
        torch.set_default_dtype(torch.float64)
        try:
            found = everything(model, x, loss)[1:6]
        finally:
            torch.set_default_dtype(torch.float32)
    assert repr(found) == repr(plain)


def test_no_warning_is_raised():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for make in MODELS:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of the models themselves
                model, x, loss_of = make()
                loss = loss_of(model(x))
            everything(model, x, loss)
            loss.backward()
            listed = list(model.named_parameters())
            parameter_statistics(listed, rows=True)
            GradientNoise().update(listed, step=0)
            after_step(before_step(listed))


def test_after_the_backward_pass_saved_tensors_are_unseen():
    model, x, loss_of = _convolutional()
    loss = loss_of(model(x))
    loss.backward()
    graph, found, acts, _, _, _, _ = everything(model, x, loss)
    assert found["terms"][0]["kind"] == "nll" and found["terms"][0]["output"] is None
    assert "saved tensor freed" in {u["what"] for u in graph.unseen}
    assert all(a["mean"] is None for a in acts)


def test_saved_tensor_changed_in_place_is_unseen():
    layer = nn.Linear(4, 3)
    hidden = torch.sigmoid(layer(torch.randn(5, 4)))
    loss = ((hidden * 2 - 1) ** 2).mean()
    with torch.no_grad():
        hidden.add_(1)
    graph = walk(loss, names={id(layer.weight): "fc.weight"})
    loss_terms(graph)
    acts = activations(graph)
    assert acts[0]["kind"] == "sigmoid" and acts[0]["mean"] is None
    assert {"what": "saved tensor changed in place", "why": "SigmoidBackward0"} in graph.unseen


@pytest.mark.parametrize("reentrant", [False, True])
def test_checkpointed_parts_are_not_run_again(reentrant):
    calls = []

    class Counted(nn.Module):
        def __init__(self):
            super().__init__()
            self.f = nn.Linear(4, 4)

        def forward(self, x):
            calls.append(1)
            return torch.relu(self.f(x))

    inner, last = Counted(), nn.Linear(4, 3)
    x = torch.randn(5, 4, requires_grad=True)
    start = sequence_number()
    hidden = checkpoint(inner, x, use_reentrant=reentrant)
    stop = sequence_number()
    loss = F.cross_entropy(last(hidden), torch.tensor([0, 1, 2, 0, 1]))
    assert len(calls) == 1
    model = nn.ModuleList([inner, last])
    for hooked in (True, [(start, stop)]) if not reentrant else (True, False):
        graph, found, acts, _, _, _, _ = everything(model, x, loss, saved_hooks_active=hooked)
        assert len(calls) == 1
        assert found["terms"][0]["kind"] == "nll"
        assert "checkpointed" in {u["what"] for u in graph.unseen}
        if hooked is not True:
            assert found["terms"][0]["accuracy"] is not None
        if not reentrant:
            assert [a["kind"] for a in acts] == ["relu"] and acts[0]["mean"] is None
    loss.backward()
    assert len(calls) == 2


def test_saved_tensor_hooks_are_not_called():
    unpacked = []
    layer = nn.Linear(4, 3)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: unpacked.append(1) or t):
        loss = F.mse_loss(torch.tanh(layer(torch.randn(5, 4))), torch.zeros(5, 3))
    _graph, found, acts, *_ = everything(layer, torch.randn(5, 4), loss, saved_hooks_active=True)
    assert unpacked == []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: unpacked.append(1) or t):
        out = layer(torch.randn(5, 4))
        picked = F.log_softmax(out * torch.rand(5, 3), 1)[torch.arange(5), torch.tensor([0, 1, 2, 0, 1])]
        weighted = -(picked * torch.rand(5) / torch.tensor(3.0)).mean() * 2.0 + (out.clamp(min=0) - 1).abs().mean()
    everything(layer, torch.randn(5, 4), weighted, saved_hooks_active=True)
    assert unpacked == []
    assert found["terms"][0]["kind"] == "mse" and found["terms"][0]["head"][0]["kind"] == "tanh"
    assert found["terms"][0]["output"] is None and acts[0]["mean"] is None


def test_loss_module_road_leaves_no_trace():
    layer = nn.Linear(4, 3)
    out = layer(torch.randn(5, 4))
    target = torch.tensor([0, 1, 2, 0, 1])
    module = nn.CrossEntropyLoss()
    state = copy.deepcopy(torch.random.get_rng_state())
    before = sequence_number()
    loss_module_terms(module, (out, target), module(out.detach(), target))
    assert sequence_number() == before and torch.equal(torch.random.get_rng_state(), state)

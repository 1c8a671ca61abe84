"""Cuts between modules, seen by the memory that goes from one to the other."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path
from typing import Any

import pytest
import torch
from running import watched
from torch import nn

from unstuck.live.cuts import MAX_PAIRS, MAX_STORAGES, Cuts


class _Registry:
    def __init__(self) -> None:
        self.names: dict[int, str] = {}


class _Watcher:
    """As much of the watcher as is asked."""

    def __init__(self, **models: nn.Module) -> None:
        self.registry = _Registry()
        self.models = models
        self.events: list[dict[str, Any]] = []
        for name, model in models.items():
            for inner, parameter in model.named_parameters():
                self.registry.names.setdefault(id(parameter), f"{name}.{inner}")

    def event(self, kind: str, **data: Any) -> None:
        assert kind == "cut"
        self.events.append(data)

    def current_step(self) -> int:
        return 0

    @property
    def found(self) -> list[tuple[str, str]]:
        return [(e["from"], e["to"]) for e in self.events]


@pytest.fixture
def heard():
    """Hooks as the taps set them, for one watcher."""
    handles: list[Any] = []

    def listen(**models: nn.Module) -> tuple[_Watcher, Cuts]:
        watcher = _Watcher(**models)
        cuts = Cuts(watcher)  # type: ignore[arg-type]
        modules = nn.modules.module
        handles.append(
            modules.register_module_forward_pre_hook(lambda module, args: cuts.entered(module, args, {}))  # type: ignore[func-returns-value]
        )
        handles.append(
            modules.register_module_forward_hook(lambda module, args, out: cuts.left(module, out))  # type: ignore[func-returns-value]
        )
        return watcher, cuts

    yield listen
    for handle in handles:
        handle.remove()


X = torch.randn(5, 4)
SPARSE = torch.eye(4).to_sparse().requires_grad_() * 2


def _pair() -> tuple[nn.Module, nn.Module]:
    return nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3)), nn.Sequential(nn.Linear(3, 4))


@pytest.mark.parametrize("cut", [lambda z: z.data, lambda z: z.detach(), lambda z: z.detach().view(-1, 3)])
def test_a_cut(heard: Any, cut: Any) -> None:
    enc, dec = _pair()
    watcher, _ = heard(enc=enc, dec=dec)
    dec(cut(enc(X)))
    assert watcher.found == [("enc", "dec")]
    dec(cut(enc(X)))
    assert len(watcher.found) == 1  # told once


@pytest.mark.parametrize("way", [lambda z: z, lambda z: z.detach().clone(), lambda z: torch.ones_like(z)])
def test_no_cut(heard: Any, way: Any) -> None:
    enc, dec = _pair()
    watcher, _ = heard(enc=enc, dec=dec)
    dec(way(enc(X)))
    assert watcher.found == []


def test_nothing_is_looked_at_without_gradient(heard: Any) -> None:
    enc, dec = _pair()
    watcher, cuts = heard(enc=enc, dec=dec)
    with torch.no_grad():
        dec(enc(X))
        z = enc(X)
    assert not cuts.put_out
    dec(z)
    assert watcher.found == []


def test_the_outermost_module_is_named(heard: Any) -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = nn.Sequential(nn.Sequential(nn.Linear(4, 3)))
            self.decoder = nn.GRU(4, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            h = self.encoder(x)
            return self.decoder(x, h.data[:1])[0]  # type: ignore[no-any-return]

    net = Net()
    watcher, _ = heard(net=net)
    net(X)
    assert watcher.found == [("net.encoder", "net.decoder")]


def test_a_state_that_is_detached_in_time(heard: Any) -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = nn.LSTM(4, 3)

        def forward(self, x: torch.Tensor, state: Any = None) -> Any:
            return self.rnn(x, state)

    net = Net()
    watcher, _ = heard(net=net)
    state = None
    for _ in range(3):
        _, state = net(X, state)
        state = tuple(h.detach() for h in state)
    assert watcher.found == []


def test_memory_is_not_kept_and_an_address_used_again_is_no_cut(heard: Any) -> None:
    enc, dec = _pair()
    watcher, cuts = heard(enc=enc, dec=dec)
    out = enc(X)
    gone = weakref.ref(out)
    del out
    gc.collect()
    assert gone() is None and cuts.put_out
    for _ in range(200):  # the allocator gives the same blocks again
        dec(torch.zeros(5, 3))
    assert watcher.found == []
    assert any(weak.expired() for weak, _, _ in cuts.put_out.values())


def test_what_is_kept_is_bounded(heard: Any) -> None:
    layer, others = nn.Linear(4, 4), nn.ModuleList(nn.Linear(4, 4) for _ in range(2 * MAX_PAIRS))
    watcher, cuts = heard(layer=layer, others=others)
    kept = [layer(X) for _ in range(2 * MAX_STORAGES)]
    assert len(cuts.put_out) == MAX_STORAGES
    for out, other in zip(kept, others, strict=False):
        other(out.data)
    assert len(watcher.found) == MAX_PAIRS
    cuts.forget()
    assert not cuts.put_out


def test_nested_results_and_odd_tensors(heard: Any) -> None:
    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w = nn.Parameter(torch.ones(4))

        def forward(self, x: torch.Tensor) -> dict[str, Any]:
            return {"sparse": SPARSE, "deep": [x * self.w], "text": "yes", "count": 3}

    odd, dec = Odd(), nn.Linear(4, 2)
    watcher, _ = heard(odd=odd, dec=dec)
    dec(odd(X)["deep"][0].data)
    assert watcher.found == [("odd", "dec")]
    torch.func.vmap(lambda x: dec(odd(x)["deep"][0]))(X)  # transformed tensors have no memory to ask for


CODES = """
import sys, torch
torch.manual_seed(0)
x = torch.randn(256, 12) @ torch.randn(12, 12)
x = x / x.std()
class Part(torch.nn.Module):
    def __init__(self, *widths):
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Linear(*widths[:2]), torch.nn.Tanh(), torch.nn.Linear(*widths[1:]))
    def forward(self, x):
        return self.layers(x)
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = Part(12, 16, 3), Part(3, 16, 12)
        self.code = None
    def encode(self, x):
        self.code = self.encoder(x)
        return self.code.data if sys.argv[1] == "cut" else self.code
    def forward(self, x):
        return self.decoder(self.encode(x))
net = Net()
optimizer = torch.optim.Adam(net.parameters(), lr=0.003)
for step in range(200):
    batch = x[torch.randint(256, (32,))]
    loss = torch.nn.functional.mse_loss(net(batch), batch)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""


@pytest.mark.parametrize("way", ["cut", "whole"])
def test_a_script_whose_encoder_is_cut_off(tmp_path: Path, way: str) -> None:
    script = tmp_path / "train.py"
    script.write_text(CODES)
    ran = watched(script, way, cwd=tmp_path)
    assert ran.status == 0
    events = [line["data"] for line in ran.journal() if line["e"] == "event" and line["kind"] == "cut"]
    assert not [line for line in ran.journal() if line["e"] == "event" and line["kind"] == "crashed"]
    assert [(e["from"], e["to"]) for e in events] == ([("net.encoder", "net.decoder")] if way == "cut" else [])
    assert [e["line"]["text"] for e in events] == (["return self.decoder(self.encode(x))"] if way == "cut" else [])
    assert ("G307" in ran.codes("warning", "error")) == (way == "cut")

"""What the watcher keeps of the script, it lets go when it needs it no longer."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from unstuck.live.watcher import Watcher
from unstuck.record.journal import Journal
from unstuck.record.reader import read_journal

DRAW = torch.Generator().manual_seed(0)
X, Y = torch.randn(256, 10, generator=DRAW), torch.randint(0, 3, (256,), generator=DRAW)


@pytest.fixture
def watcher(tmp_path: Path) -> Iterator[Watcher]:
    journal = Journal(tmp_path / "journal-0-1.jsonl")
    journal.record({"e": "head", "schema": "unstuck.journal/1", "rank": 0})
    found = Watcher(journal, allowance=60.0)
    yield found
    found.finish(status=0)


def trained(steps: int = 60) -> tuple[weakref.ref[Any], ...]:
    """Train a model and drop it."""
    model = nn.Sequential(nn.Linear(10, 20), nn.ReLU(), nn.Linear(20, 3))
    optimizer = torch.optim.Adam(model.parameters())
    for _ in range(steps):
        rows = torch.randint(0, 256, (32,))
        optimizer.zero_grad()
        F.cross_entropy(model(X[rows]), Y[rows]).backward()
        optimizer.step()
    return weakref.ref(model), weakref.ref(optimizer), weakref.ref(model[0].weight)


def alive(refs: tuple[weakref.ref[Any], ...]) -> list[bool]:
    gc.collect()
    return [ref() is not None for ref in refs]


def test_one_model_after_another(watcher: Watcher) -> None:
    first = trained()
    assert watcher.sampler.hand_leaves == [] and watcher.sampler.hand_taken is None
    assert watcher.biopsy.captures.kept is not None  # for the look at the end
    others = [trained(), trained()]
    assert [alive(refs) for refs in (first, *others)] == [[False] * 3] * 3
    assert watcher.biopsy.optimizer is None


def test_an_update_by_hand_before_the_first_optimizer(watcher: Watcher) -> None:
    model = nn.Linear(10, 3)
    for _ in range(4):
        F.cross_entropy(model(X), Y).backward()
        with torch.no_grad():
            for p in model.parameters():
                p -= 0.1 * p.grad
                p.grad = None
    refs = trained(5)
    watcher.finish(status=0)
    recording = read_journal(watcher.journal.path)
    assert not recording.happened("crashed")
    assert [s["s"] for s in recording.streams[-1].samples] == [0, 1, 2, 3, 4]
    assert all(s["params"] for s in recording.streams[-1].samples)
    assert alive(refs) == [False] * 3


BLOCK = """
import gc, sys, tempfile, weakref
import torch, unstuck
import torch.nn.functional as F

before = {name: getattr(F, name) for name in ("mse_loss", "cross_entropy", "l1_loss")}
model = torch.nn.Linear(4, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
x, y = torch.randn(256, 4), torch.randn(256, 1)
with unstuck.watch(folder=tempfile.mkdtemp(), quiet=True) as watching:
    for _ in range(30):
        rows = torch.randint(0, 256, (32,))
        optimizer.zero_grad()
        F.mse_loss(model(x[rows]), y[rows]).backward()
        optimizer.step()
assert watching.report()["run"]["steps"] == 30
assert {name: getattr(F, name) is f for name, f in before.items()} == dict.fromkeys(before, True)
refs = weakref.ref(model), weakref.ref(optimizer)
del model, optimizer
gc.collect()
assert [ref() for ref in refs] == [None, None]
"""


def test_after_the_block_torch_and_the_script_have_everything_back() -> None:
    """In a process of its own: other tests may keep the functions."""
    done = subprocess.run([sys.executable, "-c", BLOCK], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


BY_HAND = """
import sys, tempfile
import torch, unstuck

weight = torch.nn.Parameter(torch.zeros(3))
class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = weight
    def forward(self, x):
        return x @ self.weight
model, x, y = Model(), torch.randn(8, 3), torch.randn(8)
with unstuck.watch(folder=tempfile.mkdtemp(), quiet=True):
    for _ in range(30):
        ((model(x) - y) ** 2).mean().backward()
        with torch.no_grad():
            weight -= 0.1 * weight.grad
        weight.grad = None
assert "torch._dynamo" not in sys.modules
"""


def test_without_an_optimizer_torchs_compiler_is_not_imported() -> None:
    done = subprocess.run([sys.executable, "-c", BY_HAND], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr

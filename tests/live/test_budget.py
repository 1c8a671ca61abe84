"""What watching may cost, in seconds: the first samples, the running share, the looks at kept batches, the end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from unstuck.live import biopsy, budget
from unstuck.live.budget import Budget, clock, contention
from unstuck.live.watcher import Watcher
from unstuck.record.journal import Journal

DRAW = torch.Generator().manual_seed(0)
X, Y = torch.randn(256, 10, generator=DRAW), torch.randint(0, 3, (256,), generator=DRAW)


@pytest.fixture
def watcher(tmp_path: Path) -> Iterator[Watcher]:
    journal = Journal(tmp_path / "journal-0-1.jsonl")
    found = Watcher(journal, allowance=60.0, contention=3.0)
    yield found
    found.biopsy.release()  # no look at the end
    found.finish(status=0)


def train(steps: int = 30, rate: float = 0.1) -> None:
    model = nn.Linear(10, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    for _ in range(steps):
        rows = torch.randint(0, 256, (32,))
        optimizer.zero_grad()
        F.cross_entropy(model(X[rows]), Y[rows]).backward()
        optimizer.step()


@pytest.mark.parametrize("slower, told", [(2.5, 2.5), (9.0, 4.0), (0.5, 1.0)])
def test_a_shared_machine_is_told_by_its_two_clocks(
    monkeypatch: pytest.MonkeyPatch, slower: float, told: float
) -> None:
    readings = iter(range(1000))
    passed = {"processor": 0.0}

    def processor() -> float:
        passed["processor"] = next(readings) * 1e-3
        return passed["processor"]

    monkeypatch.setattr(budget, "thread_time", processor)
    monkeypatch.setattr(budget, "perf_counter", lambda: slower * passed["processor"])
    # One reading of the processor's clock lies between the last of the loop and the division.
    assert contention(0.1) == pytest.approx(told, rel=0.02)


def test_the_first_samples_may_take_longer_on_a_shared_machine() -> None:
    shared = Budget(share=0.03, allowance=1.0, contention=3.0)
    assert shared.most_first == 3.0
    shared.spend_first(2.0)
    assert shared.allows_first(1.0) and not shared.allows_first(1.1)


def test_the_running_credit_is_counted_in_one_way(watcher: Watcher, monkeypatch: pytest.MonkeyPatch) -> None:
    now = clock()
    watcher.budget.share, watcher.budget.began, watcher.budget.running = 0.1, now - 10.0, 0.2
    watcher.fast.own = 0.1
    monkeypatch.setattr(watcher.biopsy, "reserve", lambda now: 0.3)
    assert watcher.credit(now, reserve=False) == pytest.approx(0.1 * 9.8 - 0.2 - 0.1)
    assert watcher.credit(now) == pytest.approx(0.1 * 9.8 - 0.2 - 0.1 - 0.3)
    watcher.schedule.first_done = True
    watcher.fast.steps = 100
    assert watcher.biopsy._local_due() is not None
    watcher.fast.own = 1.0  # the fast path has used all of it up
    watcher.fast.steps = 1000
    assert watcher.biopsy._local_due() is None


def test_a_third_is_kept_for_looks_at_kept_batches(watcher: Watcher) -> None:
    look = watcher.biopsy
    assert look.reserve(clock()) == 0.0  # nothing is kept yet
    train(30, rate=0.0)
    assert look.captures.kept is not None
    now = clock()
    watcher.budget.share, watcher.budget.began = 0.3, now - 10.0
    look.spent = 0.25
    assert look.reserve(now) == pytest.approx(0.1 * 10.0 - 0.25)
    look.spent = 2.0
    assert look.reserve(now) == 0.0
    look.next_check = 0
    look._check()
    assert look.last_value is None  # there is no time for it
    look.spent = 0.0
    watcher.budget.began = now - 1e6
    look._check()
    assert look.last_value is not None and look.next_check == 60 and look.spent > 0.0


@pytest.mark.parametrize("hurried", [False, True])
@pytest.mark.parametrize("stuck", [False, True])
def test_how_long_the_look_at_the_end_may_last(
    watcher: Watcher, monkeypatch: pytest.MonkeyPatch, hurried: bool, stuck: bool
) -> None:
    train()
    watcher.biopsy.probe = True
    watcher.biopsy.first_loss = 1e-3 if stuck else 1e3
    asked: list[Any] = []
    monkeypatch.setattr(watcher.biopsy, "_examine", lambda exam, seconds, when: asked.append(seconds))
    monkeypatch.setattr(watcher.biopsy, "_probe", lambda kept: asked.append("probes"))
    watcher.biopsy.end(1.0, hurried=hurried)
    if hurried:  # somebody waits: no longer on a shared machine either, and no trials
        assert asked == [biopsy.END_SECONDS]
    else:
        free = biopsy.STUCK_SECONDS if stuck else biopsy.END_SECONDS
        assert asked == [biopsy.MOST_STRETCHED * free, "probes"]

"""A training in stages: the first steps of a later optimizer are seen as well as those of the first."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from unstuck.live.budget import FULL_SAMPLES
from unstuck.live.sample_schedule import STAGES
from unstuck.live.watcher import Watcher
from unstuck.record.journal import Journal
from unstuck.record.reader import read_journal
from unstuck.record.recording import Recording

DRAW = torch.Generator().manual_seed(0)
X, Y = torch.randn(256, 10, generator=DRAW), torch.randint(0, 3, (256,), generator=DRAW)


def train(model: nn.Module, optimizer: torch.optim.Optimizer, steps: int = 80) -> None:
    for _ in range(steps):
        rows = torch.randint(0, 256, (32,))
        optimizer.zero_grad()
        F.cross_entropy(model(X[rows]), Y[rows]).backward()
        optimizer.step()


def watch(path: Path, stages: int, *, allowance: float = 60.0) -> tuple[Watcher, Recording]:
    """One body, and a new head with an optimizer of its own in every later stage."""
    journal = Journal(path / "journal-0-1.jsonl")
    journal.record({"e": "head", "schema": "unstuck.journal/1", "rank": 0})
    watcher = Watcher(journal, allowance=allowance)
    try:
        body = nn.Sequential(nn.Linear(10, 20), nn.ReLU())
        for _ in range(stages):
            model = nn.Sequential(body, nn.Linear(20, 3))
            train(model, torch.optim.Adam(model.parameters()))
    finally:
        watcher.finish(status=0)
        journal.close()
    return watcher, read_journal(path / "journal-0-1.jsonl")


def test_the_second_stage_is_sampled_and_named(tmp_path: Path) -> None:
    watcher, recording = watch(tmp_path, 2)
    assert [len([s for s in stream.samples if s["s"] <= FULL_SAMPLES]) for stream in recording.streams.values()] == [
        20,
        20,
    ]
    assert recording.main.number == 1 and not watcher.schedule.in_stage
    (group,) = recording.main.optimizer["groups"]  # type: ignore[index]
    assert all(not name.startswith("parameter") for name in group["params"])
    assert set(group["params"]) == {n for n, p in recording.main.samples[0]["params"].items() if p.get("o") == 1}


def test_folds_are_not_sampled_without_end(tmp_path: Path) -> None:
    watcher, recording = watch(tmp_path, STAGES + 3)
    assert watcher.budget.stages == STAGES
    early = [sum(s["s"] <= FULL_SAMPLES for s in stream.samples) for stream in recording.streams.values()]
    assert all(n >= FULL_SAMPLES - 1 for n in early[: STAGES + 1]) and all(
        n < FULL_SAMPLES for n in early[STAGES + 1 :]
    )


def test_a_stage_costs_half_an_allowance_more_at_most(tmp_path: Path) -> None:
    watcher, _recording = watch(tmp_path, 2, allowance=0.02)
    budget = watcher.budget
    assert budget.stages == 1 and budget.most_first == 0.02 * budget.contention * 1.5
    assert budget.first <= budget.most_first + 5 * watcher.sampler.price  # the last sample may cost more than its like

"""Schedules that are handed a measure: what they were given and when they cut, and nothing of the script is changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.optim.lr_scheduler import ReduceLROnPlateau

from unstuck.findings.contract import Fired
from unstuck.findings.rules import u412_schedule_misused as rule
from unstuck.live.watcher import Watcher
from unstuck.record.journal import Journal
from unstuck.record.reader import read_journal
from unstuck.record.recording import Recording

DRAW = torch.Generator().manual_seed(0)
X = torch.randn(256, 10, generator=DRAW)
Y = (X[:, :1] * X[:, 1:2]).sign()


def train(mode: str, measure: str) -> list[float]:
    """Twelve epochs; the losses and rates of the run."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    schedule = ReduceLROnPlateau(optimizer, mode=mode, patience=1, factor=0.1)  # type: ignore[arg-type]
    seen = []
    for _ in range(12):
        for x, y in zip(X.split(32), Y.split(32), strict=True):
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(x), y)
            loss.backward()
            optimizer.step()
            seen.append(loss.item())
        with torch.no_grad():
            answer = model(X)
            val_loss, val_acc = nn.functional.mse_loss(answer, Y), (answer.sign() == Y).float().mean().item()
        if measure == "loss":
            schedule.step(val_loss)
        else:
            schedule.step(metrics=val_acc)
        seen.append(optimizer.param_groups[0]["lr"])
    return seen


def watch(path: Path, mode: str, measure: str) -> tuple[Recording, list[float]]:
    journal = Journal(path / "journal-0-1.jsonl")
    journal.record({"e": "head", "schema": "unstuck.journal/1", "rank": 0})
    watcher = Watcher(journal, allowance=60.0)
    try:
        seen = train(mode, measure)
    finally:
        watcher.finish(status=0)
        journal.close()
    recording = read_journal(path / "journal-0-1.jsonl")
    assert not recording.happened("crashed")
    return recording, seen


@pytest.mark.parametrize(("mode", "measure", "wrong"), [("max", "loss", True), ("min", "loss", False)])
def test_what_it_was_given(tmp_path: Path, mode: str, measure: str, wrong: bool) -> None:
    recording, seen = watch(tmp_path, mode, measure)
    assert seen == train(mode, measure)
    last = recording.happened("plateau")[-1].data
    assert last["mode"] == mode and last["calls"] == 12 and len(last["values"]) == 12
    assert "schedule.step(val_loss)" in last["line"]["text"]
    assert [s for s, _ in last["values"]] == [8 * (i + 1) for i in range(12)]
    if wrong:
        assert last["cuts"][0] == [3, 24, 0.1, pytest.approx(0.01)]
    found = rule.judge(recording)
    assert isinstance(found, Fired) == wrong
    if isinstance(found, Fired):
        assert found.where == "ReduceLROnPlateau" and found.evidence["mode"] == "max"


def test_by_its_name(tmp_path: Path) -> None:
    recording, seen = watch(tmp_path, "max", "accuracy")
    assert seen == train("max", "accuracy")
    assert recording.happened("plateau")[-1].data["calls"] == 12


def test_what_is_raised_is_the_scripts(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal-0-1.jsonl")
    before = ReduceLROnPlateau.step
    watcher = Watcher(journal)
    schedule: Any = ReduceLROnPlateau(torch.optim.SGD(nn.Linear(2, 1).parameters(), lr=0.1))
    try:
        with pytest.raises(TypeError):
            schedule.step()
        with pytest.raises((TypeError, ValueError)):
            schedule.step("nonsense")
        schedule.step(float("nan"))
    finally:
        watcher.finish(status=0)
        journal.close()
    assert ReduceLROnPlateau.step is before

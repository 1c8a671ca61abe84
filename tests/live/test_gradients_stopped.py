"""Late in a run: an optimizer whose parameters get no gradient any more is noticed, and what is trained instead is seen."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from unstuck.findings.contract import Fired
from unstuck.findings.rules import u409_parameters_not_updated as rule
from unstuck.findings.verdict import verdict
from unstuck.live.watcher import Watcher
from unstuck.record.journal import Journal
from unstuck.record.reader import read_journal
from unstuck.record.recording import Recording

DRAW = torch.Generator().manual_seed(0)
X, Y = torch.randn(256, 10, generator=DRAW), torch.randint(0, 3, (256,), generator=DRAW)


def build() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(10, 20), nn.ReLU(), nn.Linear(20, 3))


def steps(
    model: nn.Module, optimizer: torch.optim.Optimizer, many: int, clear: Callable[[], Any] | None = None
) -> None:
    for _ in range(many):
        rows = torch.randint(0, 256, (32,))
        (clear or optimizer.zero_grad)()
        F.cross_entropy(model(X[rows]), Y[rows]).backward()
        optimizer.step()


def watch(path: Path, script: Callable[[], None]) -> Recording:
    journal = Journal(path / "journal-0-1.jsonl")
    journal.record({"e": "head", "schema": "unstuck.journal/1", "rank": 0})
    watcher = Watcher(journal, allowance=60.0)
    try:
        script()
    finally:
        watcher.finish(status=0)
        journal.close()
    recording = read_journal(path / "journal-0-1.jsonl")
    assert not recording.happened("crashed")
    return recording


def resumed(clear: str = "optimizer", *, keep: bool = False, many: int = 300) -> Callable[[], None]:
    """The model is made anew in the middle of the run, and the optimizer is not."""

    def script() -> None:
        model = build()
        kept = [model] if keep else []
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        steps(model, optimizer, 60)
        state = model.state_dict()
        model = build()
        model.load_state_dict(state)
        ways = {
            "optimizer": optimizer.zero_grad,
            "zeros": lambda: optimizer.zero_grad(set_to_none=False),
            "model": model.zero_grad,
        }
        steps(model, optimizer, many, ways[clear])
        del kept

    return script


@pytest.mark.parametrize("clear", ["optimizer", "zeros", "model"])
def test_a_model_made_anew_after_its_checkpoint(tmp_path: Path, clear: str) -> None:
    recording = watch(tmp_path, resumed(clear))
    (stopped,) = recording.happened("gradients_stopped")
    assert 60 <= stopped.data["from"] <= 100 and stopped.data["of"] == 4
    assert [e.data["with_gradient"] for e in recording.happened("stale_optimizer")] == [0]
    found = rule.judge(recording)
    assert isinstance(found, Fired) and found.severity == "error" and "another copy" in found.sentence
    assert f"from step {stopped.data['from']} on" in found.sentence
    if clear == "optimizer":
        told = verdict(recording)
        assert told.state == "not-moving" and told.evidence["since"] == stopped.data["from"]


def test_the_model_before_is_kept(tmp_path: Path) -> None:
    found = rule.judge(watch(tmp_path, resumed(keep=True)))
    assert isinstance(found, Fired) and found.severity == "error" and "another model is trained" in found.sentence


def made_anew_with_its_optimizer() -> None:
    model = build()
    optimizer = torch.optim.Adam(model.parameters())
    steps(model, optimizer, 60)
    again = build()
    steps(again, torch.optim.Adam(again.parameters()), 300)


def loaded_in_place() -> None:
    model = build()
    optimizer = torch.optim.Adam(model.parameters())
    steps(model, optimizer, 60)
    model.load_state_dict(copy.deepcopy(model.state_dict()))
    steps(model, optimizer, 300)


def frozen_by_stages() -> None:
    """The body's optimizer goes on stepping while the body is frozen and the head is trained."""
    body, head = nn.Sequential(nn.Linear(10, 20), nn.ReLU()), nn.Linear(20, 3)
    model = nn.Sequential(body, head)
    first, second = torch.optim.Adam(body.parameters()), torch.optim.Adam(head.parameters())
    for step in range(360):
        if step == 60:
            body.requires_grad_(False)
        first.zero_grad()
        second.zero_grad()
        F.cross_entropy(model(X), Y).backward()
        first.step()
        second.step()


def by_turns() -> None:
    """A generator and its critic, each with an optimizer."""
    make, judge = nn.Linear(4, 10), nn.Sequential(nn.Linear(10, 8), nn.ReLU(), nn.Linear(8, 1))
    made, judged = torch.optim.Adam(make.parameters()), torch.optim.Adam(judge.parameters())
    for _ in range(180):
        judged.zero_grad()
        loss = judge(make(torch.randn(16, 4)).detach()).mean() - judge(X[:16]).mean()
        loss.backward()
        judged.step()
        made.zero_grad()
        (-judge(make(torch.randn(16, 4))).mean()).backward()
        made.step()


def inner_copies() -> None:
    """Reptile: copies learn, each with an optimizer of its own, and the model is moved towards them."""
    model = build()
    outer = torch.optim.SGD(model.parameters(), lr=0.5)
    for _ in range(60):
        inner = copy.deepcopy(model)
        steps(inner, torch.optim.SGD(inner.parameters(), lr=0.1), 4)
        for p, q in zip(model.parameters(), inner.parameters(), strict=True):
            p.grad = p.detach() - q.detach()
        outer.step()


def averaged() -> None:
    model = build()
    mean = copy.deepcopy(model)
    optimizer = torch.optim.Adam(model.parameters())
    for _ in range(180):
        steps(model, optimizer, 2)
        with torch.no_grad():
            for p, q in zip(mean.parameters(), model.parameters(), strict=True):
                p.lerp_(q, 0.05)
            mean(X)


@pytest.mark.parametrize(
    "script", [made_anew_with_its_optimizer, loaded_in_place, frozen_by_stages, by_turns, inner_copies, averaged]
)
def test_trainings_that_are_sound(tmp_path: Path, script: Callable[[], None]) -> None:
    recording = watch(tmp_path, script)
    found = rule.judge(recording)
    assert not (isinstance(found, Fired) and found.severity != "info"), found
    if script is not frozen_by_stages:
        assert not recording.happened("gradients_stopped")


def test_short_at_the_end(tmp_path: Path) -> None:
    """A few steps are too few to be looked at twice."""
    assert not watch(tmp_path, resumed(many=6)).happened("gradients_stopped")

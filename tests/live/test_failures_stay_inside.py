"""What goes wrong in the watcher, and Ctrl-C in the middle of it, leave the script and the watching as they were."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from unstuck.live.watcher import Watcher
from unstuck.record.journal import Journal
from unstuck.record.reader import read_journal
from unstuck.record.recording import Recording

X, Y = torch.randn(8, 4, generator=torch.Generator().manual_seed(0)), torch.arange(8) % 3


class Loop:
    """A small training under a watcher."""

    def __init__(self, path: Path) -> None:
        self.journal = Journal(path)
        self.journal.record({"e": "head", "schema": "unstuck.journal/1", "rank": 0})
        self.watcher = Watcher(self.journal, allowance=60.0, overhead=1.0)
        torch.manual_seed(0)
        self.model: nn.Module = nn.Linear(4, 3)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1)

    def step(self) -> None:
        self.optimizer.zero_grad()
        F.cross_entropy(self.model(X), Y).backward()
        self.optimizer.step()

    def recording(self) -> Recording:
        self.watcher.finish(status=0)
        return read_journal(self.journal.path)

    def crashes(self) -> list[str]:
        return [e.data["probe"] for e in self.recording().happened("crashed")]


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[Loop]:
    found = Loop(tmp_path / "journal-0-1.jsonl")
    yield found
    found.watcher.finish(status=0)
    torch.set_grad_enabled(True)


def _broken(*args: Any, **kwargs: Any) -> Any:
    raise RuntimeError("inside unstuck")


def _interrupted(*args: Any, **kwargs: Any) -> Any:
    raise KeyboardInterrupt


@pytest.mark.parametrize("block", [torch.no_grad, torch.inference_mode, lambda: torch.set_grad_enabled(False)])
@pytest.mark.parametrize("part", ["_plan", "_was_empty"], ids=["entered", "left"])
def test_gradients_come_back_after_a_failure(
    loop: Loop, monkeypatch: pytest.MonkeyPatch, block: Callable[[], Any], part: str
) -> None:
    for _ in range(4):
        loop.step()
    monkeypatch.setattr(loop.watcher.evaluation, part, _broken)
    with block():
        loop.model(X)
    assert torch.is_grad_enabled() and not torch.is_inference_mode_enabled()
    assert loop.crashes() == ["without_gradient"]


def test_hooks_do_not_stay_after_a_failure(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(4):
        loop.step()
    loop.watcher.schedule.sampling = False
    monkeypatch.setattr(loop.watcher.evaluation, "_was_empty", _broken)
    with torch.no_grad():
        loop.model(X)
    assert not loop.watcher.evaluation.listening and "module" not in loop.watcher.taps._handles
    assert loop.crashes() == ["without_gradient"]


@pytest.mark.parametrize("block", [torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("part", ["_plan", "_was_empty"], ids=["entered", "left"])
def test_gradients_come_back_after_an_interrupt(
    loop: Loop, monkeypatch: pytest.MonkeyPatch, block: Callable[[], Any], part: str
) -> None:
    for _ in range(4):
        loop.step()
    with monkeypatch.context() as broken:
        broken.setattr(loop.watcher.evaluation, part, _interrupted)
        with pytest.raises(KeyboardInterrupt), block():
            loop.model(X)
    assert torch.is_grad_enabled() and not torch.is_inference_mode_enabled()
    assert loop.watcher.evaluation.depth == 0 and not loop.watcher.busy
    assert loop.crashes() == []


def test_a_mode_that_cannot_be_ended(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    loop.step()
    for backward in (True, False):
        loop.model.eval()
        with monkeypatch.context() as broken:
            broken.setattr(loop.watcher.evaluation, "mode_over", _broken)
            if backward:
                loop.step()
            else:
                torch.autograd.grad(F.cross_entropy(loop.model(X), Y), list(loop.model.parameters()))
        loop.model.train()
    assert [len(steps.loss) for steps in [loop.recording().main]] == [2]
    assert set(loop.crashes()) == {"mode"}


@pytest.mark.parametrize(
    "call",
    [lambda loop: loop.model.eval(), lambda loop: next(iter(torch.utils.data.DataLoader([1.0]))), torch.no_grad],
    ids=["mode", "loader", "block"],
)
def test_steps_that_cannot_be_written(loop: Loop, monkeypatch: pytest.MonkeyPatch, call: Callable[..., Any]) -> None:
    loop.step()
    with monkeypatch.context() as broken:
        broken.setattr(loop.watcher.fast, "flush", _broken)
        broken.setattr(loop.watcher.fast, "rows", [None])
        broken.setattr(loop.watcher.fast, "last_flush", -1e9)
        if call is torch.no_grad:
            with call():
                pass
        else:
            call(loop)
    assert loop.crashes() == ["flush"]


class Rated(nn.Linear):
    """Its ``parameters`` is another method than torch's."""

    def parameters(self, lr: float) -> Any:  # type: ignore[override]
        return [{"params": list(super().parameters()), "lr": lr}]


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.part = Rated(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.part(x)
        return out


@pytest.mark.parametrize("whole", [True, False])
def test_a_module_with_another_parameters_method(loop: Loop, whole: bool) -> None:
    net = Net()
    loop.model = net if whole else net.part
    loop.optimizer = torch.optim.SGD(net.part.parameters(0.1))
    for _ in range(3):
        loop.step()
    with torch.no_grad():
        loop.model(X)
    assert loop.crashes() == []


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        ("sampler", "hear_loss"),
        ("sampler", "after_backward"),
        ("sampler", "before_step"),
        ("sampler", "after_step"),
        ("sampler", "model_called"),
    ],
)
def test_it_hears_again_after_an_interrupt(loop: Loop, monkeypatch: pytest.MonkeyPatch, owner: str, name: str) -> None:
    loop.step()
    with monkeypatch.context() as broken:
        broken.setattr(getattr(loop.watcher, owner), name, _interrupted)
        with pytest.raises(KeyboardInterrupt):
            loop.step()
    heard = loop.watcher.fast.steps
    for _ in range(20):
        loop.step()
    watcher = loop.watcher
    assert (watcher.fast.steps - heard, watcher.busy, watcher.depth, watcher.step_depth) == (20, False, 0, 0)
    assert loop.crashes() == []


def test_an_interrupt_in_an_evaluation_is_got_over(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    loop.step()
    for part in ("model_called", "loss_function_called", "mode_changed"):
        with monkeypatch.context() as broken:
            broken.setattr(loop.watcher.evaluation, part, _interrupted)
            with pytest.raises(KeyboardInterrupt):
                loop.model.train(False)
                with torch.no_grad():
                    F.cross_entropy(loop.model(X), Y)
        assert not loop.watcher.busy and torch.is_grad_enabled()
        loop.model.train()
        loop.step()


def test_the_look_at_the_end_is_not_heard(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    watcher = loop.watcher
    watcher.budget.allowance = 1e-6
    for _ in range(40):
        loop.step()
    loop.model.eval()
    loop.model(X)
    seen = []
    monkeypatch.setattr(watcher.biopsy, "end", lambda *args, **kwargs: seen.append(watcher.fast.on))
    watcher.finish(status=0)
    assert seen == [False]

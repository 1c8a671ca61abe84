"""Curvature of a running training: what it says, and that the run does not notice."""

from __future__ import annotations

import copy
import json
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unstuck.live import biopsy
from unstuck.live.biopsy import Biopsy
from unstuck.live.captures import Captures
from unstuck.live.loss_tape import LossTape, NotReplayable, stack_height
from unstuck.live.side_effects import obstacle, quiet
from unstuck.live.watcher import Watcher
from unstuck.record.journal import Journal

Events = list[dict[str, Any]]


@pytest.fixture(autouse=True)
def time_to_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine must not change what is found."""
    monkeypatch.setattr(biopsy, "END_SECONDS", 120.0)


def watched(tmp_path: Path, train: Callable[[], Any], *, overhead: float = 0.5) -> tuple[Any, Events]:
    """Run a training under a watcher with time to spare; returns its result and the biopsy events."""
    path = tmp_path / "journal.jsonl"
    journal = Journal(path)
    watcher = Watcher(journal, overhead=overhead, allowance=30.0)
    try:
        result = train()
    finally:
        watcher.finish(status=0)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    crashed = [line for line in lines if line["e"] == "event" and line["kind"] == "crashed"]
    assert not crashed, crashed
    return result, [line["data"] for line in lines if line["e"] == "event" and line["kind"] == "biopsy"]


def kept(events: Events) -> dict[str, Any]:
    found = [e for e in events if e.get("look") == "kept" and "state" in e]
    assert found, events
    return found[-1]


def live(events: Events) -> list[dict[str, Any]]:
    return [e for e in events if e.get("look") == "live" and "largest" in e]


def reasons(events: Events) -> str:
    return " | ".join(str(e.get("unseen")) for e in events if e.get("unseen"))


def data(rows: int = 96) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(5)
    x = torch.randn(rows, 6, generator=generator)
    return x, (x[:, 0] + 0.5 * x[:, 1] > 0).long()


def train(make: Callable[[], nn.Module], *, steps: int = 30, lr: float = 0.1, batch: int = 24, **more: Any) -> Any:
    torch.manual_seed(1)
    x, y = data()
    model = make()
    optimizer = more.get("optimizer", torch.optim.SGD)(model.parameters(), lr=lr)
    state = []
    for _ in range(steps):
        part = torch.randint(0, len(x), (batch,)) if batch < len(x) else torch.arange(len(x))
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x[part]), y[part])
        loss.backward()
        optimizer.step()
        state.append(loss.item())
    return state, [p.detach().clone() for p in model.parameters()], torch.get_rng_state()


def plain() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Dropout(0.2), nn.Linear(8, 2))


def normalized() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2))


class Counting(nn.Module):
    """Keeps count in an attribute, and its last activation."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(6, 2)
        self.calls = 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        self.last = self.layer(x)
        return self.last / (1 + 0.001 * self.calls)


@pytest.mark.parametrize("make", [plain, normalized, Counting])
@pytest.mark.parametrize("optimizer", [torch.optim.SGD, torch.optim.Adam])
def test_the_run_does_not_notice(tmp_path: Path, make: Any, optimizer: Any) -> None:
    expected = train(make, optimizer=optimizer, lr=0.02)
    seen, events = watched(tmp_path, lambda: train(make, optimizer=optimizer, lr=0.02))
    assert seen[0] == expected[0]
    assert all(torch.equal(a, b) for a, b in zip(seen[1], expected[1], strict=True))
    assert torch.equal(seen[2], expected[2])
    assert stack_height() == 0
    assert live(events)
    if make is not Counting:  # what depends on how often it was called does not come back
        assert kept(events)["batches"] >= 2


def test_live_curvature_is_that_of_the_loss(tmp_path: Path) -> None:
    """One weight: the loss is ½·3·w², so the curvature is 3 and the rate times it 0.3 of a limit of 2."""

    def loop() -> None:
        w = nn.Parameter(torch.tensor([1.0, 2.0]))
        optimizer = torch.optim.SGD([w], lr=0.1)
        for _ in range(25):
            optimizer.zero_grad()
            (1.5 * w[0] ** 2 + 0.5 * w[1] ** 2).backward()
            optimizer.step()

    _, events = watched(tmp_path, loop)
    found = live(events)[-1]
    assert found["largest"] == pytest.approx(3.0, rel=1e-5) and found["smallest"] == pytest.approx(1.0, rel=1e-5)
    assert found["rate_times_curvature"] == pytest.approx(0.3, rel=1e-5) and found["stable_limit"] == 2.0


def test_a_saddle_is_named_at_the_end(tmp_path: Path) -> None:
    """Two factors at zero: w₁·w₂ should be 1, and the gradient is exactly zero in both."""

    class Chain(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
            nn.init.constant_(self.a.weight, 1e-9)
            nn.init.constant_(self.b.weight, 1e-9)

        def forward(self, x: Tensor) -> Tensor:
            out: Tensor = self.b(self.a(x))
            return out

    def loop() -> None:
        model = Chain()
        optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
        for _ in range(30):
            optimizer.zero_grad()
            F.mse_loss(model(torch.ones(4, 1)), torch.ones(4, 1)).backward()
            optimizer.step()

    _, events = watched(tmp_path, loop)
    assert kept(events)["state"] == "saddle"


def test_a_longer_rate_is_tried(tmp_path: Path) -> None:
    _, events = watched(tmp_path, lambda: train(plain, lr=1e-4, steps=40))
    trial = kept(events)["trial"]
    assert trial["multiples"][0] == 1 and trial["separate"]
    assert trial["falls"][-1] > 10 * trial["falls"][0] > 0
    resting = kept(events)["steps_at_rest"]
    assert 0 <= resting["signal"] <= resting["square"] and resting["parts"] >= 4


def test_whole_batches_are_kept_once(tmp_path: Path) -> None:
    _, events = watched(tmp_path, lambda: train(normalized, batch=96))
    assert kept(events)["batches"] == 1


class Doubled(torch.autograd.Function):
    """x², whose backward pass forgets the two."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:  # type: ignore[override]
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # type: ignore[override]
        (x,) = ctx.saved_tensors
        ran.append(1)
        return gradient * (x + x * x)


ran: list[int] = []


def test_own_backward_passes_are_checked_on_a_copy(tmp_path: Path) -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.last = nn.Linear(6, 4), nn.Linear(4, 2)

        def forward(self, x: Tensor) -> Tensor:
            out: Tensor = self.last(Doubled.apply(self.first(x)))  # type: ignore[no-untyped-call]
            return out

    _, events = watched(tmp_path, lambda: train(Net, lr=0.01))
    assert "function of the script's own" in reasons(events)
    check = kept(events)["gradient_check"]
    wrong = {p["name"] for p in check["parameters"] if p["wrong"]}
    assert check["functions"] == ["Doubled"]
    assert wrong == {"first.weight", "first.bias"}


def test_hooks_of_the_script_are_not_run(tmp_path: Path) -> None:
    calls: list[int] = []

    def loop() -> None:
        torch.manual_seed(0)
        x, y = data()
        model = plain()
        model[0].register_forward_hook(lambda *_: calls.append(1))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(25):
            hidden = model[:2](x)
            hidden.register_hook(lambda g: calls.append(2))
            optimizer.zero_grad()
            F.cross_entropy(model[2:](hidden), y).backward()
            optimizer.step()

    loop()
    expected, calls[:] = list(calls), []
    _, events = watched(tmp_path, loop)
    assert calls == expected
    assert not live(events) and "hook" in reasons(events)


def test_kept_gradients_of_inner_tensors_stay_single(tmp_path: Path) -> None:
    seen: list[float] = []

    def loop() -> None:
        torch.manual_seed(0)
        x, y = data()
        model = nn.Sequential(nn.Linear(6, 4), nn.Tanh(), nn.Linear(4, 2))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(25):
            hidden = model[0](x)
            hidden.retain_grad()
            optimizer.zero_grad()
            F.cross_entropy(model[2](model[1](hidden)), y).backward()
            seen.append(float(hidden.grad.norm()))  # type: ignore[union-attr]
            optimizer.step()

    loop()
    expected, seen[:] = list(seen), []
    watched(tmp_path, loop)
    assert seen == expected


class TestTape:
    def test_comes_back(self) -> None:
        output = torch.randn(5, 3, requires_grad=True)
        target = torch.tensor([0, 1, 2, 0, 1])
        tape = LossTape()
        assert tape.begin(output)
        scores = output * 2.0
        _ = scores.argmax(1)
        loss = F.cross_entropy(scores, target) / 4 + scores.pow(2).mean()
        assert tape.take_off() and stack_height() == 0
        program = tape.program(loss)
        target.zero_()  # buffers are often filled anew: the tape keeps copies
        assert torch.equal(program(output), loss)
        other = torch.randn(5, 3)
        again = F.cross_entropy(other * 2, torch.tensor([0, 1, 2, 0, 1])) / 4 + (other * 2).pow(2).mean()
        assert torch.equal(program(other), again)

    def test_a_loss_from_elsewhere(self) -> None:
        tape = LossTape()
        tape.begin(torch.randn(3, requires_grad=True))
        loss = torch.randn(3, requires_grad=True).sum()
        tape.take_off()
        with pytest.raises(NotReplayable, match="does not follow"):
            tape.program(loss)

    def test_a_second_way_to_the_parameters(self) -> None:
        output, weight = torch.randn(3, requires_grad=True), torch.randn(3, requires_grad=True)
        tape = LossTape()
        tape.begin(output)
        loss = output.sum() + weight.pow(2).sum()
        tape.take_off()
        with pytest.raises(NotReplayable, match="another way"):
            tape.program(loss)

    def test_other_modes_are_left_alone(self) -> None:
        with torch.device("cpu"):
            tape = LossTape()
            assert not tape.begin(torch.randn(3))
            assert stack_height() == 1


class Printing(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 2)

    def forward(self, x: Tensor) -> Tensor:
        with open("/dev/null", "w") as file:  # noqa: PTH123
            file.write("x")
        out: Tensor = self.layer(x)
        return out


def test_models_that_reach_outside_are_not_called_again() -> None:
    assert obstacle(Printing()) == "Printing.forward uses open"
    assert obstacle(plain()) is None
    hooked = plain()
    hooked[0].register_forward_hook(lambda *_: None)
    assert obstacle(hooked) == "the script has a hook on 0"


def test_a_model_that_changes_between_calls_is_refused() -> None:
    class Drifting(nn.Module):
        """Reads something outside that moves."""

        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(2, 1)

        def forward(self, x: Tensor) -> Tensor:
            drift.append(1)
            out: Tensor = self.layer(x) * len(drift)
            return out

    drift: list[int] = []
    model, captures = Drifting(), Captures()
    x = torch.randn(3, 2)
    captures.model_called(0, model, (x,), {}, wanted=True)
    loss = model(x).pow(2).mean()
    captures.loss_heard(loss)
    captures.take_off()
    assert captures.kept is None and "made again" in str(captures.reason)
    assert copy.copy(captures.refused) == {0}


def test_a_run_that_stands_still_is_looked_at_before_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rate of zero: the loss on the kept batches cannot fall."""
    monkeypatch.setattr(Biopsy, "reserve", lambda *_: 10.0)  # a busy machine must not change what is found

    def loop() -> None:
        torch.manual_seed(0)
        x, y = data()
        model = nn.Sequential(nn.Linear(6, 4), nn.Tanh(), nn.Linear(4, 2))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
        for _ in range(100):
            time.sleep(0.002)  # a step that lasts, so that the budget has time to give
            part = torch.randint(0, len(x), (24,))
            optimizer.zero_grad()
            F.cross_entropy(model(x[part]), y[part]).backward()
            optimizer.step()

    _, events = watched(tmp_path, loop, overhead=1e5)
    still = [e for e in events if e.get("when") == "stands-still"]
    assert still and still[0].get("state")


def test_batches_of_one_model_are_not_checked_on_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Biopsy, "reserve", lambda *_: 10.0)
    torch.manual_seed(0)
    first, second = nn.Linear(6, 3), nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 3))
    x, y = data()

    def loop() -> None:
        optimizer = torch.optim.SGD([*first.parameters(), *second.parameters()], lr=0.0)
        for step in range(200):
            time.sleep(0.002)  # a step that lasts, so that the budget has time to give
            rows = torch.randint(0, len(x), (24,))
            optimizer.zero_grad()
            F.cross_entropy((first if step < 60 else second)(x[rows]), y[rows]).backward()
            optimizer.step()

    _, events = watched(tmp_path, loop, overhead=1e5)
    assert [e for e in events if e.get("when") == "stands-still"]


def test_what_other_threads_print_arrives(capsys: pytest.CaptureFixture[str]) -> None:
    stop = threading.Event()

    def talk() -> None:
        while not stop.is_set():
            print("x", end="")
            stop.wait(0.001)

    other = threading.Thread(target=talk)
    with quiet():
        print("ours")
        other.start()
        time.sleep(0.05)
        stop.set()
        other.join()
        print("ours", file=sys.stderr, flush=True)
    told = capsys.readouterr()
    assert len(told.out) >= 5 and set(told.out) == {"x"} and told.err == ""

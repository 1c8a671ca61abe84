"""What a watched loop's recording holds of the gradient through time and of attention, with and without an optimizer."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from unstuck.findings.evidence.gradients import time_profiles
from unstuck.live.watcher import Watcher
from unstuck.record.journal import Journal
from unstuck.record.reader import read_journal
from unstuck.record.recording import Recording

T = 12


class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn, self.out = nn.RNN(3, 6, batch_first=True), nn.Linear(6, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.rnn(x)[0][:, -1])


def train(path: Path, *, optimizer: bool, raising: int = -1) -> Recording:
    """Thirty steps; the backward pass of step ``raising`` is interrupted by the script's own code."""
    torch.manual_seed(0)
    journal = Journal(path / "journal-0-1.jsonl")
    journal.record({"e": "head", "schema": "unstuck.journal/1", "rank": 0})
    watcher = Watcher(journal, allowance=60.0, overhead=1.0)

    def interrupt(gradient: torch.Tensor) -> None:
        raise KeyError("of the script")

    try:
        model = Reader()
        sgd = torch.optim.SGD(model.parameters(), lr=0.1) if optimizer else None
        for step in range(30):
            x = torch.randn(8, T, 3)
            answer = model(x)
            if step == raising:
                answer.register_hook(interrupt)
            loss = (answer.squeeze(1) - x[:, -1].sum(1)).square().mean()
            model.zero_grad()
            try:
                loss.backward()
            except KeyError:
                continue
            if sgd is not None:
                sgd.step()
            else:
                with torch.no_grad():
                    for parameter in model.parameters():
                        parameter -= 0.1 * parameter.grad
    finally:
        watcher.finish(status=0)
    recording = read_journal(journal.path)
    assert not recording.happened("crashed"), recording.happened("crashed")
    return recording


@pytest.mark.parametrize("optimizer", [True, False])
def test_a_recurrent_network_tells_its_gradient_by_time(tmp_path: Path, optimizer: bool) -> None:
    stream = train(tmp_path, optimizer=optimizer).main
    (profiles,) = time_profiles(stream).values()
    assert len(profiles) >= 15
    for profile in profiles:
        assert profile.length == T and profile.at == tuple(range(T))
        assert profile.layer == "model.rnn" and profile.weight == "model.rnn.weight_hh_l0"
        assert profile.early < profile.late <= profile.peak
    params = {s["s"]: s["params"] for s in stream.samples}
    # The weight's gradient is the sum over time of what arrives there times a state below one in size.
    for profile in profiles:
        g = params[profile.step]["model.rnn.bias_hh_l0"]["g"]
        assert g is not None and g <= 8**0.5 * sum(profile.g) * 1.0001


def test_a_backward_pass_that_raises_leaves_nothing_behind(tmp_path: Path) -> None:
    recording = train(tmp_path, optimizer=True, raising=3)
    (profiles,) = time_profiles(recording.main).values()
    assert len(profiles) >= 15

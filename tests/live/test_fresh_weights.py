"""Starts that the script could have had."""

from types import SimpleNamespace

import torch
from torch import nn

from unstuck.live.fresh_weights import another_start, drawn_anew


class Own(nn.Linear):
    def reset_parameters(self, gain: float | None = None) -> None:  # type: ignore[override]
        if gain is None and hasattr(self, "made"):
            raise ValueError("a gain is wanted")
        self.made = True
        super().reset_parameters()


class Mixed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.plain = nn.Linear(3, 4)
        self.normed = nn.utils.parametrizations.weight_norm(nn.Linear(4, 2))
        self.own = Own(2, 2)
        self.number = nn.Parameter(torch.tensor(5.0))


def test_what_draws_itself_is_drawn_and_the_rest_moves_by_its_size() -> None:
    torch.manual_seed(1)
    model = Mixed()
    kept = SimpleNamespace(twin=model, live=[(n, p.detach().clone()) for n, p in model.named_parameters()])
    torch.manual_seed(2)
    vector, others = drawn_anew(kept)  # type: ignore[arg-type]
    before = torch.cat([p.reshape(-1) for _, p in kept.live])
    assert {"number", "own.weight", "own.bias"} <= set(others) and "plain.weight" not in others
    assert any("parametrizations" in name for name in others)
    assert vector.shape == before.shape and not torch.equal(vector[1:13], before[1:13])
    start = another_start(kept)  # type: ignore[arg-type]
    assert start.isfinite().all() and float(start[0]) != 5.0 and not torch.equal(start[-8:], before[-8:])

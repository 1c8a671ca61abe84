"""What the untouched replay notes of a script's weights."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from unstuck.treatment.facts import Facts


def test_the_names_of_many_weights_are_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    network = nn.Sequential(*(nn.Linear(4, 4) for _ in range(40)))
    network.add_module("again", network[0])  # shared: under its first name
    calls: list[nn.Module] = []
    listed = nn.Module.named_parameters

    def counted(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
        calls.append(module)
        return listed(module, *args, **kwargs)

    monkeypatch.setattr(nn.Module, "named_parameters", counted)
    noted: Any = SimpleNamespace(gains={}, widths={})
    Facts._look_at_weights(noted, network)
    assert list(noted.gains) == [f"{i}.weight" for i in range(40)]
    assert calls.count(network) <= 2  # its names, and its own parameters
    expected = float(network[3].weight.detach().std(unbiased=False)) * 2.0  # type: ignore[union-attr,operator]
    assert noted.gains["3.weight"] == pytest.approx(expected, rel=1e-5)
    assert noted.widths["3.weight"] == 4
    assert torch.is_grad_enabled()

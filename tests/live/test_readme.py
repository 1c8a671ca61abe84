"""The README's own lines of Python run as they stand there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]


def test_the_two_lines_for_an_own_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
    torch.manual_seed(0)
    model = torch.nn.Linear(5, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def train(model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> None:
        for _ in range(60):
            optimizer.zero_grad()
            x = torch.randn(32, 5)
            torch.nn.functional.cross_entropy(model(x), x[:, :3].argmax(1)).backward()
            optimizer.step()

    exec(code, {"model": model, "optimizer": optimizer, "train": train})
    out = capsys.readouterr().out.strip().splitlines()[-1]
    assert out in {"learning", "converged", "unknown"}
    assert list((tmp_path / ".unstuck" / "runs").glob("*/report.html"))


def test_every_file_that_the_readme_links_exists() -> None:
    text = (ROOT / "README.md").read_text()
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / target).exists(), target

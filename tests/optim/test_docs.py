"""The examples of docs/optim.md run, one after the other."""

from __future__ import annotations

import re
from pathlib import Path

import torch


def test_examples_of_the_page_run() -> None:
    page = Path(__file__).parents[2] / "docs" / "optim.md"
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(blocks) == 3
    torch.manual_seed(0)
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, str(page), "exec"), names)
    assert str(names["found"]).startswith("rates from")
    assert names["ours"] is not None

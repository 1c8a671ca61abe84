"""A cured copy: edited where the lines are known, and never over a file."""

from __future__ import annotations

import pytest

from unstuck.core.errors import BadInput
from unstuck.treatment.plan import Candidate
from unstuck.treatment.prescription import prescribe, write_cured

SCRIPT = '''"""Trains."""
from __future__ import annotations
import torch

def train(model, optimizer, x, y):
    for epoch in range(3):
        loss = ((model(x) - y) ** 2).mean()
        loss.backward()
        optimizer.step()
'''


def known(path):
    line = {"file": str(path.absolute()), "line": 8, "text": "loss.backward()", "function": "train"}
    return {"backward_line": line, "optimizers": [{"name": "optimizer"}], "input": {"mean": [1.0], "std": [2.0]}}


def test_a_line_is_put_where_it_belongs(tmp_path):
    path = tmp_path / "train.py"
    path.write_text(SCRIPT)
    made = prescribe(path, [Candidate("clear-gradients", "")], known(path))
    assert made.way == "edited"
    assert "        optimizer.zero_grad()\n        loss.backward()\n" in made.text
    assert [line for line in made.diff.splitlines() if line[0] in "+-" and line[:3] not in ("+++", "---")] == [
        "+        optimizer.zero_grad()"
    ]


def test_what_has_no_line_stands_at_the_head(tmp_path):
    path = tmp_path / "train.py"
    path.write_text(SCRIPT)
    made = prescribe(path, [Candidate("standardize-inputs", "")], known(path))
    assert made.way == "standing"
    lines = made.text.splitlines()
    assert lines.index("from __future__ import annotations") < lines.index("from unstuck.treatment import standing")
    compile(made.text, "cured", "exec")


def test_a_script_that_changed_since_is_not_edited(tmp_path):
    path = tmp_path / "train.py"
    path.write_text("# one line more\n" + SCRIPT)
    assert prescribe(path, [Candidate("clear-gradients", "")], known(path)).way == "standing"


def test_a_file_is_never_overwritten(tmp_path):
    path = tmp_path / "train.py"
    path.write_text(SCRIPT)
    made = prescribe(path, [Candidate("clear-gradients", "")], known(path))
    assert write_cured(path, made).read_text() == made.text
    with pytest.raises(BadInput, match="free"):
        write_cured(path, made)
    assert path.read_text() == SCRIPT

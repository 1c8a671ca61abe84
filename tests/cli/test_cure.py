"""``unstuck cure`` from end to end, on a script that trains in a moment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SICK = '''"""Three classes; gradients are never cleared."""
import torch
from torch import nn

torch.manual_seed(0)
y = torch.arange(150) % 3
x = 0.8 * torch.randn(3, 8)[y] + torch.randn(150, 8)
model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3), nn.Softmax(dim=0))
optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
for epoch in range(20):
    for rows in torch.randperm(150).split(30):
        loss = nn.functional.nll_loss(torch.log(model(x[rows])), y[rows])
        optimizer.zero_grad()
        (-loss).backward()
        optimizer.step()
with torch.no_grad():
    accuracy = (model(x).argmax(1) == y).float().mean().item()
open("accuracy.txt", "w").write(str(accuracy))
print("accuracy", accuracy)
'''


def cure(folder: Path, *options: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "unstuck", "cure", *options],
        cwd=folder, env={**os.environ, "OMP_NUM_THREADS": "1", "NO_COLOR": "1", "COLUMNS": "110"},
        capture_output=True, text=True, timeout=570,
    )  # fmt: skip


@pytest.mark.slow
def test_a_sick_script_is_cured_and_left_alone(tmp_path):
    script = tmp_path / "train.py"
    script.write_text(SICK)
    done = cure(tmp_path, "--trials", "3", "--seeds", "2", "--jobs", "1", "--apply", "--json", "out.json", "train.py")
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "out.json").read_text())["treatment"]
    assert report["recommended"] and "instead of" in report["sentence"]
    assert report["remedies"][0]["effect"]["mean"] > 0.2
    assert report["applied"]["confirmed"]
    assert script.read_text() == SICK and not (tmp_path / "accuracy.txt").exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == [".unstuck", "out.json", "train.cured.py", "train.py"]
    run = next((tmp_path / ".unstuck" / "runs").iterdir())
    assert sorted(p.name for p in run.iterdir() if not p.name.startswith("journal")) == [
        "arms.jsonl", "cure.json", "diagnosis.json", "report.html", "report.json", "treatment.json",
    ]  # fmt: skip


def test_a_script_that_waits_for_input_is_refused_with_the_reason(tmp_path):
    (tmp_path / "ask.py").write_text("import sys\nname = input('which? ')\n")
    done = cure(tmp_path, "ask.py")
    assert done.returncode == 2
    assert "reads standard input" in done.stderr and "EOFError" in done.stderr


def test_wrong_options_are_told_before_anything_runs(tmp_path):
    (tmp_path / "train.py").write_text("1 / 0\n")
    (tmp_path / "train.cured.py").write_text("mine\n")
    for options, said in (
        (("--budget", "soon", "train.py"), "10m or 2h"),
        (("--only", "magic", "train.py"), "learning-rate"),
        (("--apply", "train.py"), "free"),
        (("missing.py",), "Python file"),
    ):
        done = cure(tmp_path, *options)
        assert done.returncode == 2 and said in done.stderr, done.stderr
    assert (tmp_path / "train.cured.py").read_text() == "mine\n"

"""``unstuck examine`` and ``unstuck gradcheck`` on a factory in a file of the user's."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

FACTORY = """
import torch
from torch import nn

class Wrong(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2.0
    @staticmethod
    def backward(ctx, gradient):
        return gradient * 3.0

def data():
    torch.manual_seed(0)
    x = torch.randn(32, 3)
    return [(x[:16], 2 * x[:16, :1]), (x[16:], 2 * x[16:, :1])]

def bowl():
    model = nn.Linear(3, 1)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[2.0, 0.0, 0.0]])); model.bias.zero_()
    return model, nn.MSELoss(), data()

def zeros():
    model = nn.Sequential(nn.Linear(3, 4, bias=False), nn.Linear(4, 1, bias=False))
    for p in model.parameters():
        nn.init.zeros_(p)
    return model, nn.MSELoss(), data()

def wrong():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.body, self.head = nn.Linear(3, 4), nn.Linear(4, 1)
        def forward(self, x):
            return self.head(Wrong.apply(self.body(x)))
    torch.manual_seed(1)
    return Net(), nn.MSELoss(), data()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(FACTORY)
    return tmp_path


def unstuck(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "unstuck", *arguments], cwd=folder, capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize(("name", "verdict"), [("bowl", "minimum"), ("zeros", "saddle")])
def test_examine_gives_the_verdict_in_three_forms(folder: Path, name: str, verdict: str) -> None:
    ran = unstuck(folder, "examine", f"mine.py:{name}", "--json", "out.json", "--html", "out.html")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith(f"{verdict}: ")
    assert json.loads((folder / "out.json").read_text())["verdict"]["state"] == verdict
    page = (folder / "out.html").read_text()
    assert f"<h1>{verdict}</h1>" in page
    assert page.count("<svg") >= 2
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")


def test_gradcheck_names_the_wrong_parameter_and_exits_with_one(folder: Path) -> None:
    right = unstuck(folder, "gradcheck", "mine.py:bowl")
    assert right.returncode == 0, right.stderr
    wrong = unstuck(folder, "gradcheck", "mine.py:wrong", "--json", "out.json")
    assert wrong.returncode == 1
    verdicts = {p["name"]: p["verdict"] for p in json.loads((folder / "out.json").read_text())["parameters"]}
    assert verdicts["body.weight"] == "wrong"
    assert verdicts["head.weight"] == "right"


@pytest.mark.parametrize("where", ["mine.py", "mine.py:nothing", "no_such.py:make", "no_such_module:make"])
def test_a_factory_that_is_not_there_gets_a_clear_error(folder: Path, where: str) -> None:
    ran = unstuck(folder, "examine", where)
    assert ran.returncode == 2
    assert "factory: got" in ran.stderr
    assert "Traceback" not in ran.stderr

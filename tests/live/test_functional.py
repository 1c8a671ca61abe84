"""Trainings by torch.func's transforms: heard, not changed, and judged by their loss."""

from __future__ import annotations

from pathlib import Path

from running import plain, watched

SCRIPT = Path(__file__).parent / "unsampled" / "functional.py"


def test_it_is_heard_and_ends_as_a_plain_one(tmp_path: Path) -> None:
    before = plain(SCRIPT, cwd=tmp_path)
    after = watched(SCRIPT, cwd=tmp_path, options=("--quiet",))
    assert (after.out, after.status) == (before.out, before.status) and "state 0" in after.out
    assert after.report is not None
    assert after.report["run"]["steps"] in (
        300,
        303,
    )  # three derivatives beside the training are steps for all one can hear
    assert after.report["verdict"]["state"] in ("learning", "converged")
    assert not after.codes() and any("torch.func" in part["why"] for part in after.report["run"]["unseen"])


def test_derivatives_inside_an_ordinary_training_are_no_steps(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(
        "import torch\n"
        "from torch.func import grad\n"
        "w = torch.nn.Linear(1, 1)\n"
        "optimizer = torch.optim.SGD(w.parameters(), lr=0.1)\n"
        "for _ in range(40):\n"
        "    for _ in range(3):\n"
        "        grad(lambda a: (a * a).sum())(torch.ones(2))\n"
        "    optimizer.zero_grad()\n"
        "    w(torch.ones(4, 1)).pow(2).mean().backward()\n"
        "    optimizer.step()\n"
    )
    done = watched(script, cwd=tmp_path, options=("--quiet",))
    assert done.report is not None and done.report["run"]["steps"] == 40
    assert done.report["run"]["stream"] == 0


def test_a_transform_inside_compiled_code_is_left_alone(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(
        "import torch\n"
        "slope = torch.func.grad(lambda w, x: ((w * x) ** 2).sum())\n"
        "step = torch.compile(lambda w, x: w - 0.1 * slope(w, x), fullgraph=True, backend='eager')\n"
        "w = torch.ones(3)\n"
        "for _ in range(30):\n"
        "    w = step(w, torch.ones(3))\n"
        "print(w.tolist())\n"
    )
    before, after = plain(script, cwd=tmp_path), watched(script, cwd=tmp_path, options=("--quiet",))
    assert before.status == 0 and (after.status, after.out) == (before.status, before.out)


def test_labels_made_by_derivatives_before_a_training_are_none_of_its_steps(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(
        "import torch\n"
        "torch.manual_seed(0)\n"
        "slope = torch.func.grad(lambda a: a.sin().sum())\n"
        "x = torch.rand(60, 1)\n"
        "y = torch.stack([slope(v) for v in x])\n"
        "w = torch.zeros(1, 1, requires_grad=True)\n"
        "for _ in range(80):\n"
        "    ((x @ w - y) ** 2).mean().backward()\n"
        "    with torch.no_grad():\n"
        "        w -= 0.1 * w.grad\n"
        "        w.grad = None\n"
    )
    done = watched(script, cwd=tmp_path, options=("--quiet",))
    assert done.report is not None and done.report["run"]["steps"] == 80

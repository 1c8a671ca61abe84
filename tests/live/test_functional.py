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

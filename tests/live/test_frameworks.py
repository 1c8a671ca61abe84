"""Sound training under the frameworks of others: no finding, no crash, no probe that raised.

Those that are not installed are left out; `make slow` runs the others.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "frameworks"
NEEDS = {"lightning_digits": "lightning", "transformers_words": "transformers", "accelerate_digits": "accelerate"}
CASES = [
    ("lightning_digits", ()),
    ("transformers_words", ()),
    ("accelerate_digits", ()),
    ("compiled_digits", ()),
    ("parallel_digits", ("-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", "29541")),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "launcher"), CASES, ids=[name for name, _ in CASES])
def test_sound_training_is_left_alone(name: str, launcher: tuple[str, ...], tmp_path: Path) -> None:
    if name in NEEDS and importlib.util.find_spec(NEEDS[name]) is None:
        pytest.skip(f"{NEEDS[name]} is not installed")
    made = subprocess.run(
        [sys.executable, *launcher, "-m", "unstuck", "run", "--dir", str(tmp_path / "runs"), "--json", "report.json",
         str(FOLDER / f"{name}.py")],
        cwd=tmp_path, env={**os.environ, "OMP_NUM_THREADS": "1", "NO_COLOR": "1"}, capture_output=True, text=True,
        timeout=600, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr[-2000:]
    report = json.loads((tmp_path / "report.json").read_text())
    worse = [(f["code"], f["sentence"]) for f in report["findings"] if f["severity"] != "info"]
    assert not worse
    assert report["verdict"]["state"] in ("learning", "converged", "minimum", "unknown"), report["verdict"]
    journals = [p.read_text(errors="replace") for p in (tmp_path / "runs").glob("**/journal-*.jsonl")]
    assert len(journals) >= (2 if launcher else 1)
    assert not any('"kind":"crashed"' in text for text in journals)

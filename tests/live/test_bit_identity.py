"""With and without the watcher a script ends the same, bit for bit: state, random states, output, status."""

from __future__ import annotations

from pathlib import Path

import pytest
from running import plain, watched

STYLES = sorted(p for p in (Path(__file__).parent / "styles").glob("*.py") if p.stem != "state")


@pytest.mark.parametrize("script", STYLES, ids=lambda p: p.stem)
def test_a_watched_script_ends_as_a_plain_one(script: Path, tmp_path: Path) -> None:
    before = plain(script, cwd=tmp_path)
    # A busy machine must not make the samples fewer: what is tested is that they leave no trace.
    after = watched(script, cwd=tmp_path, options=("--allowance", "60", "--quiet"))
    assert after.out == before.out
    assert after.status == before.status
    assert "state 0" in after.out and "random torch" in after.out
    lines = after.journal()
    samples = [line for line in lines if line["e"] == "sample" and line["full"]]
    assert len(samples) >= 20
    assert not [line for line in lines if line["e"] == "event" and line["kind"] == "crashed"]
    assert lines[-1]["e"] == "end"


def test_there_are_at_least_twelve_styles() -> None:
    assert len(STYLES) >= 12

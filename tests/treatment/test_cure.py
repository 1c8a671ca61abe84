"""A cure from Python: of a function, and of a script against its mended twin."""

from __future__ import annotations

from pathlib import Path

import pytest

import unstuck
from unstuck.core.errors import BadInput
from unstuck.treatment.cure import cure_script, measure_script

from .training_function import train

HERE = Path(__file__).parent


def test_what_lives_in_this_process_only_is_refused(tmp_path):
    def inside():
        pass

    for thing in (inside, lambda: None, len, "train"):
        with pytest.raises(BadInput, match="top of a file"):
            unstuck.cure(thing, base=tmp_path)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"budget": 0.0}, "budget"),
        ({"trials": 0}, "trials"),
        ({"seeds": 0}, "seeds"),
        ({"only": ["magic"]}, "clipping"),
    ],
)
def test_wrong_options_are_refused_before_anything_runs(options, said, tmp_path):
    with pytest.raises(BadInput, match=said):
        cure_script(str(HERE / "training_function.py"), base=tmp_path, **options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_function_is_cured(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = unstuck.cure(train, base=tmp_path / "kept", trials=2, seeds=2, jobs=1, random_edits=False)
    assert made.recommended == "a step after each backward pass"
    assert "instead of" in made.sentence
    finding = next(f for f in made.report["findings"] if f["code"] == "U411")
    assert finding["basis"] == "replayed" and finding["remedies"][0]["verified"]["effect"] > 0.2
    mended = tmp_path / "mended.py"
    text = (
        (HERE / "training_function.py")
        .read_text()
        .replace(".backward()\n", ".backward()\n            optimizer.step()\n")
    )
    mended.write_text(text + "\n\ntrain(0)\n")
    twin = measure_script(str(mended), like=made, seeds=2)
    assert made.compared.recommended[0].row.values == pytest.approx(twin)

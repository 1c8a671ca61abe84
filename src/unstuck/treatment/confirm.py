"""The best remedy written into a copy of the script, and that copy run once to see that it does what the trial did."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from unstuck.treatment import scores
from unstuck.treatment.cure import Cure
from unstuck.treatment.isolation import removed
from unstuck.treatment.prescription import Prescription, prescribe, write_cured
from unstuck.treatment.replay import Arm, replay
from unstuck.treatment.search import HELPS


def apply_best(script: Path, made: Cure) -> dict[str, Any]:
    """Write ``SCRIPT.cured.py`` with the recommended remedy and confirm it by one run, seen by the same yardstick.

    Lines of the script are changed where they are known; when the changed text does not do what the trial did, the
    remedy is applied from the head of the script instead. Raises BadInput when a file of that name is there already.
    """
    best = made.compared.recommended[0]
    wanted = best.row.values[0]
    assert wanted is not None
    written = prescribe(script, best.row.changes, made.found.known)
    place = write_cured(script, written)
    reached = _reached(place, made)
    if written.way == "edited" and (reached is None or reached < wanted - HELPS):
        written = prescribe(script, best.row.changes, made.found.known, standing=True)
        place.write_text(written.text, encoding="utf-8")
        reached = _reached(place, made)
    return _told(place, written, wanted, reached)


def _reached(place: Path, made: Cure) -> float | None:
    setup = replace(made.setup, target=str(place.absolute()))
    result = replay(setup, Arm())
    for part in ("scratch", "arms"):
        removed(setup.folder / part)
    if result.get("error") or result.get("problem"):
        return None
    return scores.score(result.get("measured") or {}, made.found.yard, made.found.kind).value


def _told(place: Path, written: Prescription, wanted: float, reached: float | None) -> dict[str, Any]:
    return {
        "file": str(place),
        "way": written.way,
        "diff": written.diff,
        "trial": wanted,
        "reached": reached,
        "confirmed": reached is not None and reached >= wanted - HELPS,
    }

"""The section on curvature: the looks that were taken, as a table, and the rates that were tried."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unstuck.report import wording
from unstuck.report.wording import SPACE

WHERE = {"live": "the live graph", "kept": "kept batches, on a copy", "batches": "batches to keep"}


def section(report: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the page shows; None where no look was tried."""
    found = report.get("curvature") or ()
    if not found:
        return None
    return {"looks": [_row(look) for look in found], "trial": _trial(found[-1].get("trial"))}


def _row(look: Mapping[str, Any]) -> dict[str, Any]:
    def shown(name: str) -> str:
        return "—" if look.get(name) is None else wording.figure(look[name], space=SPACE)

    return {
        "step": shown("step"),
        "where": WHERE.get(str(look.get("look")), str(look.get("look"))),
        "unseen": look.get("unseen"),
        "loss": shown("loss"),
        "gradient_norm": shown("gradient_norm"),
        "largest": shown("largest"),
        "smallest": shown("smallest"),
        "times": shown("rate_times_curvature"),
        "limit": shown("stable_limit"),
        "state": look.get("state") or "—",
    }


def _trial(trial: object) -> dict[str, Any] | None:
    if not isinstance(trial, Mapping) or not isinstance(trial.get("falls"), list):
        return None
    before, steps = trial.get("before"), trial.get("steps")
    return {
        "text": f"From where the run ended, {wording.figure(steps, space=SPACE)} updates were tried on the copy at multiples "
        f"of the run's highest rate; on batches that they were not made on, the loss was "
        f"{wording.figure(before, space=SPACE)} before.",
        "multiples": [wording.figure(m, space=SPACE) for m in trial.get("multiples") or ()],
        "falls": ["not finite" if f is None else wording.figure(f, space=SPACE) for f in trial["falls"]],
    }

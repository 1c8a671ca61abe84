"""A score in the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from unstuck.clinic.runner import Outcome
from unstuck.clinic.score import Score, Share

ROWS: tuple[tuple[str, str], ...] = (
    ("detection", "Sick runs with any warning"),
    ("first", "Right first finding"),
    ("first_few", "Right name among the first three"),
    ("verdict", "Verdict fits, sick runs"),
    ("verdict_well", "Verdict fits, mended and healthy"),
    ("alarms_mended", "False alarms on mended twins"),
    ("alarms_healthy", "False alarms on healthy runs"),
    ("pairs", "Pairs won"),
    ("sure_right", "Right, of findings with confidence .8 and up"),
    ("right_sure", "Confidence .8 and up, of right first findings"),
)


def shown(share: Share) -> str:
    """``93 % (28 of 30; 79–98 %)``."""
    if share.value is None:
        return "—"
    low, high = share.interval
    return f"{share.value:.0%} ({share.hits} of {share.of}; {low:.0%}–{high:.0%})"


def line(outcome: Outcome) -> str:
    """One outcome, as it comes in."""
    truth = outcome.case
    found = ", ".join(outcome.codes) or "nothing"
    if outcome.report is None:
        return f"✖ {truth.key} ({outcome.seed}): no report: {outcome.problem}"
    if truth.kind == "sick":
        first = bool(outcome.codes) and outcome.codes[0] in (*truth.codes, *truth.also)
        return f"{'✔' if first else '✖'} {truth.key} ({outcome.seed}): {found}; truth {', '.join(truth.codes)}; {outcome.verdict}"
    return f"{'✖' if outcome.codes else '✔'} {truth.key} ({outcome.seed}): {found}; {outcome.verdict}"


def print_scores(scores: Sequence[Score], console: Console) -> None:
    """The parts side by side, then the codes that cried on well runs."""
    table = Table(title=None, box=None, pad_edge=False)
    table.add_column("")
    for one in scores:
        table.add_column(one.part, no_wrap=True)
    for name, text in ROWS:
        table.add_row(text, *(shown(getattr(one, name)) for one in scores))
    table.add_row(
        "Steps until it stood (median)", *("—" if s.steps_until is None else f"{s.steps_until:.0f}" for s in scores)
    )
    table.add_row("Overhead (median)", *("—" if s.overhead is None else f"{s.overhead:.1%}" for s in scores))
    table.add_row("Processor time of all runs", *(f"{s.seconds / 60:.1f} min" for s in scores))
    console.print(table)
    last = scores[-1]
    if last.alarm_codes:
        console.print("False alarms by code: " + ", ".join(f"{code} {n}" for code, n in last.alarm_codes))
    if last.failed:
        console.print(f"{last.failed} runs gave no report.")

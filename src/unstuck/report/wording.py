"""How numbers and names are put into words, the same on the terminal and on the page."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

from unstuck.report.document import number

Tone = Literal["bad", "warn", "good", "calm"]

SPACE = "\u202f"  # narrow and unbreakable, between thousands on the page

# What each verdict means for the reader: the title on the banner, and how alarming it is.
VERDICTS: dict[str, tuple[str, Tone]] = {
    "diverging": ("Diverging", "bad"),
    "no-gradient": ("No gradient", "bad"),
    "not-moving": ("Not moving", "bad"),
    "saddle": ("At a saddle point", "warn"),
    "maximum": ("At a maximum", "warn"),
    "flat": ("On flat ground", "warn"),
    "minimum": ("At a minimum", "warn"),
    "bouncing": ("Bouncing", "warn"),
    "converged": ("Converged", "good"),
    "slow": ("Slow", "warn"),
    "learning": ("Learning", "good"),
    "unknown": ("Unknown", "calm"),
}

SEVERITY_TONES: dict[str, Tone] = {"error": "bad", "warning": "warn", "info": "calm"}
STATUS_ORDER = {"fired": 0, "crashed": 1, "skipped": 2, "passed": 3, "not-applicable": 4}


def title(state: str) -> str:
    """A verdict as a heading.

    >>> title("no-gradient")
    'No gradient'
    """
    return VERDICTS.get(state, (state.capitalize(), "calm"))[0]


def heading(verdict: Mapping[str, Any]) -> str:
    """The title of a verdict with what its evidence adds.

    >>> heading({"state": "converged", "evidence": {"learned_nothing": True}})
    'Converged on a constant answer'
    """
    at_rest = verdict["state"] == "converged" and _learned_nothing(verdict)
    return title(verdict["state"]) + (" on a constant answer" if at_rest else "")


def _learned_nothing(verdict: Mapping[str, Any]) -> bool:
    return (verdict.get("evidence") or {}).get("learned_nothing") is True


def tone(report: Mapping[str, Any]) -> Tone:
    """How alarming the whole result is: the verdict's tone, or worse when an error or a warning was found, or when what
    has converged, or falls, has learned nothing."""
    found = VERDICTS.get(report["verdict"]["state"], ("", "calm"))[1]
    if _learned_nothing(report["verdict"]):
        found = "warn"
    severities = {finding["severity"] for finding in report["findings"]}
    if "error" in severities and found != "bad":
        return "bad" if found == "calm" else "warn"
    if "warning" in severities and found in ("good", "calm"):
        return "warn"
    return found


def figure(value: object, *, space: str = " ") -> str:
    """A number for people: four significant digits, thousands set apart.

    >>> figure(1860), figure(0.0210471), figure(1.5e-9), figure("nan"), figure(12345.6)
    ('1 860', '0.02105', '1.5e-09', 'nan', '12 346')
    """
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int):
        text = f"{value:,}" if abs(value) < 10**12 else f"{value:.3e}"
    elif not math.isfinite(value):
        text = str(value)
    elif value == 0:
        text = "0"
    elif 1e4 <= abs(value) < 1e9:
        text = f"{value:,.0f}"
    elif 1e-4 <= abs(value) < 1e4:
        text = f"{value:.4g}"
    else:
        text = f"{value:.3g}"
    return text.replace(",", space)


def percent(share: float) -> str:
    """A share as a percentage.

    >>> percent(0.0213), percent(0.5), percent(0.0), percent(0.00004)
    ('2.1 %', '50 %', '0 %', '0.004 %')
    """
    if not math.isfinite(share):
        return str(share)
    value = 100 * share
    if value == 0 or abs(value) >= 9.95:
        return f"{value:.0f} %"
    return f"{value:.1f} %" if abs(value) >= 0.1 else f"{value:.1g} %"


def duration(seconds: float) -> str:
    """A length of time for people.

    >>> duration(0.0123), duration(12.34), duration(192), duration(7322)
    ('12 ms', '12.3 s', '3 min 12 s', '2 h 2 min')
    """
    if not math.isfinite(seconds):
        return str(seconds)
    if seconds < 0.0005:
        return "0 s" if seconds <= 0 else f"{1e6 * seconds:.0f} µs"
    if seconds < 0.1:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 10:
        return f"{seconds:.2f} s"
    if seconds < 99.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def label(key: str) -> str:
    """A name from the JSON as words.

    >>> label("dead_share"), label("lossFirst")
    ('dead share', 'lossFirst')
    """
    return key.replace("_", " ").strip() or key


def measured(key: str, value: object, *, space: str = " ") -> str:
    """One number of the evidence with its unit, as far as its name tells it.

    >>> measured("dead_share", 0.984), measured("loss", 2.3026), measured("seconds", 0.25)
    ('98 %', '2.303', '0.25 s')
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        words = key.lower().split("_")
        if ("share" in words or "fraction" in words) and 0 <= value <= 1:
            return percent(value)
        if words[-1] == "seconds":
            return duration(value)
    return figure(value, space=space)


def plural(count: int, one: str, many: str = "", *, space: str = " ") -> str:
    """A count with its noun.

    >>> plural(1, "step"), plural(1860, "step"), plural(2, "process", "processes")
    ('1 step', '1 860 steps', '2 processes')
    """
    return f"{figure(count, space=space)} {one if count == 1 else many or one + 's'}"


def place(line: Mapping[str, Any] | None, *, base: str | None = None) -> str:
    """A line of the user's code as ``file:line``, the file relative to the folder ``base`` if it lies in it.

    >>> place({"file": "/home/ada/net/train.py", "line": 42}, base="/home/ada/net")
    'train.py:42'
    """
    if not line:
        return ""
    file = str(line["file"])
    for separator in "/\\":
        if base and file.startswith(base.rstrip("/\\") + separator):
            file = file[len(base.rstrip("/\\")) + 1 :]
    return f"{file}:{line['line']}" if line.get("line") is not None else file


def cost(run: Mapping[str, Any], *, space: str = " ") -> str:
    """What was watched and what that cost, as a sentence.

    >>> cost({"steps": 1860, "seconds": 12.3, "overhead": {"share": 0.021, "seconds": 0.25}})
    'Watched 1 860 steps in 12.3 s; Unstuck took 2.1 % (0.25 s)'
    """
    overhead = run["overhead"]
    text = f"Watched {plural(run['steps'], 'step', space=space)}"
    if run.get("seconds") is not None:
        text += f" in {duration(number(run['seconds']))}"
    seconds = overhead.get("seconds")
    if seconds is None:
        return text + ("; the run was cut off before it told its cost" if not run.get("complete", True) else "")
    share = overhead.get("share")
    text += "; Unstuck took " + (f"{percent(number(share))} (" if share is not None else "")
    text += duration(number(seconds)) + (")" if share is not None else "")
    first = number(overhead.get("first_samples_seconds") or 0) + number(overhead.get("start_seconds") or 0)
    budget, steady = overhead.get("budget"), overhead.get("steady_share")
    if budget is not None and share is not None and number(share) > number(budget) and first > 0:
        text += f": {duration(first)} at the start"
        text += f", {percent(number(steady))} after it" if steady is not None else ""
    return text


def visible(text: object, *, kept: str = "\n\t") -> str:
    """The text with control characters shown as their codes: a name must neither drive a terminal nor break a page.

    >>> visible("\x1b[31mred")
    '\\\\x1b[31mred'
    """
    return "".join(
        sign if sign.isprintable() or sign in kept or sign in "\u202f\u00a0" else sign.encode("unicode_escape").decode()
        for sign in str(text)
    )

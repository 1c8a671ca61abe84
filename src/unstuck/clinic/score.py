"""How well the diagnoses were: detection, names, verdicts, false alarms, pairs won, and each code by itself."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from unstuck.clinic.runner import Outcome

FIRST_FEW = 3
SURE = 0.8


@dataclass(frozen=True)
class Share:
    """``hits`` of ``of``, with the 95 % interval of Wilson (1927)."""

    hits: int
    of: int

    @property
    def value(self) -> float | None:
        """The share; None of nothing."""
        return self.hits / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float]:
        """Where the true share lies, with 95 % confidence.

        >>> low, high = Share(9, 10).interval
        >>> round(low, 3), round(high, 3)
        (0.596, 0.982)
        """
        if not self.of:
            return 0.0, 1.0
        z, n, p = 1.959964, self.of, self.hits / self.of
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return max(0.0, middle - half), min(1.0, middle + half)

    def as_json(self) -> dict[str, Any]:
        """Plain numbers."""
        return {"hits": self.hits, "of": self.of, "share": self.value, "interval": list(self.interval)}


@dataclass(frozen=True)
class CodeScore:
    """One code: of the runs it was said of, those it is true of; of the runs it names, those it was said of first few."""

    code: str
    precision: Share
    recall: Share


@dataclass(frozen=True)
class Score:
    """One part of the corpus, scored. A run counts once for each seed."""

    part: str
    detection: Share
    first: Share
    first_few: Share
    verdict: Share
    verdict_well: Share
    alarms_mended: Share
    alarms_healthy: Share
    pairs: Share
    sure_right: Share
    right_sure: Share
    codes: tuple[CodeScore, ...]
    alarm_codes: tuple[tuple[str, int], ...]
    statuses: tuple[tuple[str, dict[str, int]], ...]
    steps_until: float | None
    overhead: float | None
    seconds: float
    failed: int

    def as_json(self) -> dict[str, Any]:
        """Plain numbers."""
        shares = {k: v.as_json() for k, v in self.__dict__.items() if isinstance(v, Share)}
        return {
            "part": self.part,
            **shares,
            "codes": [
                {"code": c.code, "precision": c.precision.as_json(), "recall": c.recall.as_json()} for c in self.codes
            ],
            "alarm_codes": [{"code": code, "runs": n} for code, n in self.alarm_codes],
            "checks": dict(self.statuses),
            "steps_until": self.steps_until,
            "overhead": self.overhead,
            "seconds": self.seconds,
            "failed": self.failed,
        }


def score(outcomes: Sequence[Outcome], *, part: str = "all") -> Score:
    """Score outcomes; a run without a report counts as nothing found."""
    sick = [o for o in outcomes if o.case.kind == "sick"]
    mended = [o for o in outcomes if o.case.kind == "mended"]
    healthy = [o for o in outcomes if o.case.kind == "healthy"]
    well = [*mended, *healthy]
    quiet = {(o.case.name, o.seed) for o in mended if not o.codes and o.report is not None}
    seen_twins = {(o.case.name, o.seed) for o in mended}
    pairs = [o for o in sick if (o.case.name, o.seed) in seen_twins]
    sure = [(o, f) for o in outcomes for f in o.findings if float(f.get("confidence") or 0) >= SURE]
    right_first = [o for o in sick if _first(o)]
    stood = [o.stood for o in sick if o.stood is not None and _first(o)]
    overheads = [o.overhead for o in outcomes if o.overhead is not None]
    return Score(
        part=part,
        detection=_share(sick, lambda o: bool(o.codes)),
        first=_share(sick, _first),
        first_few=_share(sick, _few),
        verdict=_share(sick, _verdict),
        verdict_well=_share(well, _verdict),
        alarms_mended=_share(mended, lambda o: bool(o.codes)),
        alarms_healthy=_share(healthy, lambda o: bool(o.codes)),
        pairs=_share(pairs, lambda o: _few(o) and (o.case.name, o.seed) in quiet),
        sure_right=Share(sum(str(f["code"]) in _true(o) for o, f in sure), len(sure)),
        right_sure=_share(right_first, lambda o: float(o.findings[0].get("confidence") or 0) >= SURE),
        codes=tuple(_code(code, outcomes) for code in _every_code(outcomes)),
        alarm_codes=tuple(Counter(code for o in well for code in o.codes).most_common()),
        statuses=_statuses(well),
        steps_until=statistics.median(stood) if stood else None,
        overhead=statistics.median(overheads) if overheads else None,
        seconds=sum(o.seconds for o in outcomes),
        failed=sum(o.report is None for o in outcomes),
    )


def _true(o: Outcome) -> set[str]:
    return {*o.case.codes, *o.case.also}


def _first(o: Outcome) -> bool:
    return bool(o.codes) and o.codes[0] in {*o.case.codes, *o.case.also}


def _few(o: Outcome) -> bool:
    return any(code in o.case.codes or code in o.case.also for code in o.codes[:FIRST_FEW])


def _verdict(o: Outcome) -> bool:
    return not o.case.verdicts or o.verdict in o.case.verdicts


def _share(outcomes: Sequence[Outcome], good: Callable[[Outcome], bool]) -> Share:
    return Share(sum(map(good, outcomes)), len(outcomes))


def _every_code(outcomes: Iterable[Outcome]) -> list[str]:
    return sorted({code for o in outcomes for code in (*o.codes, *o.case.codes)})


def _code(code: str, outcomes: Sequence[Outcome]) -> CodeScore:
    said = [o for o in outcomes if code in o.codes]
    lead = [o for o in outcomes if o.case.codes and o.case.codes[0] == code]
    return CodeScore(
        code,
        Share(sum(code in _true(o) for o in said), len(said)),
        Share(sum(_few(o) for o in lead), len(lead)),
    )


def _statuses(outcomes: Sequence[Outcome]) -> tuple[tuple[str, dict[str, int]], ...]:
    counts: dict[str, Counter[str]] = {}
    for o in outcomes:
        for check in (o.report or {}).get("checks") or ():
            counts.setdefault(str(check.get("code")), Counter())[str(check.get("status"))] += 1
    return tuple((code, dict(counts[code])) for code in sorted(counts))


def parts(outcomes: Sequence[Outcome]) -> list[Score]:
    """The tuning half, the held-out half, and both, each where there is anything in it."""
    halves = [
        ("tuning", [o for o in outcomes if not o.case.held_out]),
        ("held out", [o for o in outcomes if o.case.held_out]),
    ]
    found = [score(some, part=name) for name, some in halves if some]
    return [*found, score(outcomes, part="all")] if len(found) == 2 else found


def plain(outcome: Outcome) -> dict[str, Any]:
    """One outcome for the JSON file."""
    case = asdict(outcome.case)
    return {
        "name": outcome.case.name,
        "kind": outcome.case.kind,
        "held_out": outcome.case.held_out,
        "seed": outcome.seed,
        "truth": list(case["codes"]),
        "also_acceptable": list(case["also"]),
        "found": outcome.codes,
        "confidence": [f.get("confidence") for f in outcome.findings],
        "verdict": outcome.verdict,
        "verdict_fits": _verdict(outcome),
        "stood": outcome.stood,
        "seconds": outcome.seconds,
        "problem": outcome.problem,
    }

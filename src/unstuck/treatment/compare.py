"""From what the replays reached to what may be recommended: the ranked table, against doing nothing and against chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from unstuck.treatment import catalog
from unstuck.treatment.search import HELPS, WORTH, Row
from unstuck.treatment.statistics import Difference, difference
from unstuck.treatment.trial import Findings


@dataclass(frozen=True)
class Outcome:
    """One line of the table."""

    row: Row
    effect: Difference  # against doing nothing
    against_random: Difference | None
    against_halved: Difference | None
    apart: bool  # every replay of it above every untouched one
    recommended: bool
    reason: str


@dataclass(frozen=True)
class Comparison:
    """The table, best first, and the best random edit beside it."""

    outcomes: tuple[Outcome, ...]
    random: Row | None
    random_effect: Difference | None
    halved_effect: Difference | None
    spread: float  # of the untouched replays: largest minus smallest

    @property
    def recommended(self) -> tuple[Outcome, ...]:
        return tuple(o for o in self.outcomes if o.recommended)


def compare(found: Findings) -> Comparison:
    """Judge every row. Recommended is what helps by at least ``HELPS``, more than seeds do, on every seed that was run,

    and surely: its interval excludes zero, or each of its replays lies above each untouched one.
    """
    nothing = found.nothing
    chance = best_random(found)
    spread = max(nothing.reached()) - min(nothing.reached())
    outcomes = []
    for row in found.tried:
        effect = _paired(row, nothing)
        apart = bool(row.reached()) and min(row.reached()) > max(nothing.reached())
        recommended, reason = _judge(row, effect, apart, needed(found), seeds=len(nothing.values))
        outcomes.append(
            Outcome(
                row,
                effect,
                _paired(row, chance) if chance is not None else None,
                _paired(row, found.halved) if found.halved is not None else None,
                apart,
                recommended,
                reason,
            )
        )
    outcomes.sort(key=lambda o: (not o.recommended, o.row.more_compute, -o.effect.mean, len(o.row.changes)))
    return Comparison(
        tuple(_without_idle_parts(outcomes)),
        chance,
        _paired(chance, nothing) if chance is not None else None,
        _paired(found.halved, nothing) if found.halved is not None else None,
        spread,
    )


def best_random(found: Findings) -> Row | None:
    """What the search among random edits would have recommended: the best of those run on all seeds, or doing nothing."""
    whole = [r for r in found.random if all(v is not None for v in r.values)]
    if not found.random:
        return None
    if not whole:
        return found.nothing
    best = max(whole, key=lambda r: sum(r.reached()))
    return best if sum(best.reached()) > sum(found.nothing.reached()) else found.nothing


def _paired(row: Row, other: Row) -> Difference:
    pairs = [(a, b) for a, b in zip(row.values, other.values, strict=True) if a is not None and b is not None]
    return difference([a for a, _ in pairs], [b for _, b in pairs])


def needed(found: Findings) -> float:
    """The least effect that is a cure and no tuning: ``HELPS``, and a quarter of what the untouched run lacks."""
    reached = found.nothing.reached()
    return max(HELPS, WORTH * (1.0 - sum(reached) / len(reached)))


def _judge(row: Row, effect: Difference, apart: bool, least: float, *, seeds: int) -> tuple[bool, str]:
    if row.problem and not row.notes:
        return False, f"it could not be tried: {row.problem}"
    if effect.mean < HELPS:
        if effect.mean <= -HELPS:
            return False, "it made the run worse"
        return False, "it changed nothing that matters"
    if effect.pairs < min(2, seeds):
        return False, "it helped on the first seed, and was not among the best that were run on the others"
    if seeds > 1 and not (effect.above_zero or apart):
        return False, "it helped on average, not surely"
    if effect.mean < least:
        return False, f"it helped by less than a quarter of what is missing ({least:.3f}): tuning rather than a cure"
    if row.more_compute and not any(c.answers for c in row.changes):
        return False, "it helps by spending more compute, and nothing was found that asks for it"
    if row.more_compute:
        return True, "it helps by spending more compute"
    if seeds == 2 and not effect.above_zero:
        return True, "it helped on both seeds; two are too few to be sure"
    if seeds == 1:
        return True, "it helped on one seed; with one seed nothing is sure"
    return True, "it helped"


def _without_idle_parts(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """A combination that is no better than one of its parts, which is recommended itself, is not recommended."""
    singles = {o.row.changes[0].label: o for o in outcomes if len(o.row.changes) == 1 and o.recommended}
    result = []
    for outcome in outcomes:
        parts = (
            [singles[c.label] for c in outcome.row.changes if c.label in singles]
            if len(outcome.row.changes) > 1
            else []
        )
        best = max((p.effect.mean for p in parts), default=None)
        if outcome.recommended and best is not None and outcome.effect.mean < best + 0.2 * HELPS:
            outcome = Outcome(
                outcome.row,
                outcome.effect,
                outcome.against_random,
                outcome.against_halved,
                outcome.apart,
                False,
                "no better than one of its parts alone",
            )
        result.append(outcome)
    return sorted(result, key=lambda o: (not o.recommended, o.row.more_compute, -o.effect.mean, len(o.row.changes)))


def plain(found: Findings, compared: Comparison) -> dict[str, Any]:
    """The section ``treatment`` of a report."""
    recommended = compared.recommended
    return {
        "sentence": sentence(found, compared),
        "yardstick": {
            "measured_on": found.yard,
            "kind": found.kind,
            "least_effect": needed(found),
            "steps": found.steps,
        },
        "recommended": recommended[0].row.label if recommended else None,
        "nothing": {"label": "nothing changed", "values": found.nothing.values, "curve": _curve(found.nothing)},
        "halved": None
        if found.halved is None or compared.halved_effect is None
        else {
            "label": "learning rate halved",
            "values": found.halved.values,
            "effect": _interval(compared.halved_effect),
        },
        "random": None
        if compared.random is None or compared.random_effect is None
        else {
            "label": compared.random.label,
            "values": compared.random.values,
            "effect": _interval(compared.random_effect),
            "drawn": [r.label for r in found.random],
        },
        "remedies": [_outcome(o, found) for o in compared.outcomes],
        "trials": found.trials,
        "replays": found.replays,
        "seconds": round(found.seconds, 1),
        "out_of_time": found.out_of_time,
        "warnings": found.warnings,
    }


def sentence(found: Findings, compared: Comparison) -> str:
    """The result in a sentence or two."""
    figures = f"{_mean(found.nothing):.3f}"
    where = "validation" if found.yard == "validation" else "the last training steps"
    recommended = compared.recommended
    tail = " The budget ran out before every trial was made." if found.out_of_time else ""
    if not recommended:
        return (
            f"None helped: of {len(compared.outcomes)} remedies tried none raised the {found.kind} on {where} "
            f"({figures} untouched) by {needed(found):.2f} or more, surely.{tail}"
        )
    best = recommended[0]
    text = (
        f"{best.row.label[0].upper()}{best.row.label[1:]}: {found.kind} on {where} {_mean(best.row):.3f} instead of "
        f"{figures} ({_plus(best.effect)})"
    )
    if best.against_random is not None and compared.random is not None:
        text += f"; the best random edit reached {_mean(compared.random):.3f}"
        if not best.against_random.mean > 0.0:
            text += ", no less: at this script chance does as well"
    if best.row.more_compute:
        text += "; it helps by spending more compute"
    return text + "." + tail


def _mean(row: Row) -> float:
    return sum(row.reached()) / max(1, len(row.reached()))


def _plus(effect: Difference) -> str:
    if effect.pairs < 2:
        return f"{effect.mean:+.3f}, one seed"
    return f"{effect.mean:+.3f}, 95 % interval {effect.low:+.3f} to {effect.high:+.3f}, {effect.pairs} seeds"


def _interval(effect: Difference) -> dict[str, Any]:
    known = effect.pairs >= 2
    return {
        "mean": effect.mean,
        "low": effect.low if known else None,
        "high": effect.high if known else None,
        "pairs": effect.pairs,
    }


def _curve(row: Row) -> dict[str, Any]:
    steps, values = row.curves[0] if row.curves else ([], [])
    return {"steps": steps, "values": [round(v, 5) for v in values]}


def _outcome(outcome: Outcome, found: Findings) -> dict[str, Any]:
    row = outcome.row
    loaded = catalog.load()
    codes = [loaded[c.name].change(found.known, c.options).code for c in row.changes if c.name in loaded]
    return {
        "label": row.label,
        "changes": [{"name": c.name, "options": c.options} for c in row.changes],
        "answers": sorted({code for c in row.changes for code in c.answers}),
        "text": " ".join(loaded[c.name].TEXT for c in row.changes if c.name in loaded),
        "code": "\n".join(codes),
        "risk": " ".join(loaded[c.name].RISK for c in row.changes if c.name in loaded),
        "more_compute": row.more_compute,
        "values": row.values,
        "effect": _interval(outcome.effect),
        "against_random": None if outcome.against_random is None else _interval(outcome.against_random),
        "against_halved": None if outcome.against_halved is None else _interval(outcome.against_halved),
        "apart": outcome.apart,
        "recommended": outcome.recommended,
        "reason": outcome.reason,
        "seconds": round(row.seconds / max(1, len(row.reached())), 2),
        "notes": list(row.notes),
        "curve": _curve(row),
    }

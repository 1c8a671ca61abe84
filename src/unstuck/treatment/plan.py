"""In which order remedies are tried: by what was found, by what was seen, and then by what helps most often."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from unstuck.treatment import catalog
from unstuck.treatment.contract import Known, Remedy

# Remedies that fit nearly every script, by how often they mend one; the examples' faults were counted.
USUAL = (
    "learning-rate", "initialization", "other-rule", "rectified-hidden", "batch-norm", "leaky-rectifier", "clipping",
    "warm-up", "longer", "decay",
)  # fmt: skip

# Remedies of which one undoes or replaces what the other sets: together they do what one of them does.
ALTERNATIVES = (
    {"other-rule", "learning-rate"}, {"other-rule", "warm-up"}, {"other-rule", "decay"}, {"other-rule", "steady-rate"},
    {"other-rule", "epsilon"}, {"right-loss", "linear-output"}, {"right-loss", "mean-loss"},
    {"right-loss", "other-sign"}, {"right-loss", "class-dimension"}, {"balance", "shuffle"}, {"clipping", "unclipped"},
    {"leaky-rectifier", "rectified-hidden"}, {"longer", "shorter"}, {"standardize-inputs", "decorrelate-inputs"},
    {"fresh-statistics", "modes"}, {"decay", "steady-rate"}, {"normalize-examples", "fresh-statistics"},
    {"class-scores", "right-loss"}, {"class-scores", "standardize-targets"}, {"class-scores", "linear-output"},
    {"class-scores", "mean-loss"}, {"class-scores", "matching-shapes"}, {"smaller-start", "initialization"},
    {"more-decay", "less-regularization"},
)  # fmt: skip


@dataclass(frozen=True)
class Candidate:
    """One remedy in one variant. ``answers``: the codes of findings that it was chosen for."""

    name: str
    label: str
    options: dict[str, Any] = field(default_factory=dict)
    answers: tuple[str, ...] = ()
    more_compute: bool = False


def candidates(known: Known, codes: Sequence[str], *, only: Sequence[str] = ()) -> list[Candidate]:
    """Every remedy that fits, the likeliest first.

    ``codes``: the findings, most important first. First come remedies for a fault that was seen and found, then those
    that answer the first finding, then faults seen though not found, then the rest; of one remedy's variants each
    later one waits a rank. So a wrong finding delays the right remedy and does not hide it.
    """
    ranked: list[tuple[tuple[float, ...], Candidate]] = []
    for name, remedy in catalog.load().items():
        if only and name not in only:
            continue
        places = [codes.index(code) for code in remedy.ANSWERS if code in codes]
        for number, variant in enumerate(remedy.variants(known)):
            rank = _tier(remedy, places) + 1.5 * number
            place = min(places, default=len(codes))
            fit = min((remedy.ANSWERS.index(c) for c in remedy.ANSWERS if c in codes), default=0)
            usual = USUAL.index(name) if name in USUAL else len(USUAL)
            answers = tuple(code for code in remedy.ANSWERS if code in codes)
            candidate = Candidate(name, variant.label, dict(variant.options), answers, remedy.MORE_COMPUTE)
            ranked.append(((rank, place, fit, usual, number), candidate))
    return [candidate for _, candidate in sorted(ranked, key=lambda pair: pair[0])]


def compatible(changes: Sequence[Candidate], other: Candidate) -> bool:
    """Whether a remedy adds something to others: not one of theirs in another variant, nor an alternative to one."""
    return not any(c.name == other.name or {c.name, other.name} in ALTERNATIVES for c in changes)


def _tier(remedy: Remedy, places: Sequence[int]) -> float:
    if remedy.SPECIFIC and places:
        return 0.0
    if places and min(places) == 0:
        return 1.0
    if remedy.SPECIFIC:
        return 2.0
    return 3.0 if places else 4.0


def random_edits(known: Known, count: int, *, seed: int, script: str = "") -> list[Candidate]:
    """So many different random edits: drawn evenly from every variant of every remedy that would change something.

    That makes it a strong control: it knows nothing of the findings, and wastes no trial on an edit without effect.
    Remedies that cost more than the run itself are left out, so that it has the same compute.
    """
    pool = [
        Candidate(name, variant.label, dict(variant.options))
        for name, remedy in catalog.load().items()
        if not remedy.MORE_COMPUTE
        for variant in remedy.variants(known)
    ]
    draw = random.Random(f"random edits {seed} {script}")
    return draw.sample(pool, min(count, len(pool)))

"""What a look at the curvature showed of the place where the run ended."""

from __future__ import annotations

from unstuck.findings.contract import Verdict
from unstuck.findings.evidence.curvature import (
    FEWEST_PARTS,
    last_look,
    measured_verdict,
    next_to,
    other_starts,
    trial,
    why_no_longer,
)
from unstuck.findings.evidence.head import number
from unstuck.findings.verdict.look import FEWEST_STEPS, USEFUL, Look


def measured(look: Look) -> Verdict | None:
    """What the last look at the curvature showed. A run that has learned is not called stuck for standing flat."""
    found = measured_verdict(look.recording)
    if found is not None and next_to(found) and not _others_end_lower(look, found):
        found = None  # what the course of the loss shows is simpler: converged, or learning still
    if found is not None:
        settled = look.progress.state == "learned"
        return None if settled and found.state in ("flat", "saddle") else found
    if look.progress.state in ("none", "some") and why_no_longer(look.recording) is None:
        tried = trial(look.recording)
        assert tried is not None
        multiple, fall = tried.best
        return Verdict(
            "slow",
            f"The loss falls slower than it could: from where the run ended, {tried.steps} updates at {multiple:g} times "
            f"the rate lower the loss of {tried.before:.4g} by {fall:.3g} on other batches, at its own rate by "
            f"{max(tried.own, 0.0):.2g}.",
            look.evidence(basis="probed", best_multiple=multiple, fall_best=fall, fall_own=tried.own),
        )
    return None


def next_to_a_minimum(look: Look) -> Verdict | None:
    """Where the course of the loss shows nothing: all that a descent from here gains is less than a thousandth of the loss."""
    found = measured_verdict(look.recording)
    return found if found is not None and next_to(found) else None


def _others_end_lower(look: Look, found: Verdict) -> bool:
    others, here = other_starts(look.recording), number(found.evidence.get("loss"))
    return others is not None and here is not None and here - others.lowest > LOWER * abs(here)


LOWER = 0.1
"""Of the loss at a minimum, by which another start must end lower to show that it is not the best; descents end within 1 %."""
FASTER = 5.0
"""Times what the last third of the run gained, and its two standard errors, that one longer step must gain."""
BEYOND_NOISE = 4.0
"""Standard errors of the kept batches' loss: the step was chosen on these batches."""
FEWEST_EXAMPLES = 50
"""Kept: within the noise of eight batches of one example nearly every gradient is."""
MATTERS = 0.01
"""Of the loss: less is no fall to speak of."""


def one_step_gains_more(look: Look) -> Verdict | None:
    """The loss stands, the gradient is alive, and one longer step along it gains far more than the run's own steps do."""
    seen, third = last_look(look.recording), look.third
    if seen is None or seen.data["state"] != "descending" or third is None or third.direction == "rises":
        return None
    if look.n < FEWEST_STEPS or look.opposed or look.impossible is not None:
        return None
    told = seen.data.get("evidence") or {}
    drop, noise = number(told.get("line_search_drop")), number(told.get("loss_noise"))
    if noise is None and told.get("noise_parts") == 1:
        noise = 0.0  # all that is trained on is in one batch
    if drop is None or noise is None:
        return None
    least = max(
        FASTER * (max(third.gain, 0.0) + 2 * third.error), BEYOND_NOISE * noise, MATTERS * max(abs(third.level), 1e-300)
    )
    tried = trial(look.recording)
    own = tried.own if tried is not None else 0.0
    if drop < least or not -MATTERS * abs(third.level) <= own <= drop / FASTER:
        return None
    return Verdict(
        "slow",
        f"The loss stands at {third.level:.4g} (change over the last third {-third.gain:+.2g} ± {third.error:.2g}) though its "
        f"gradient leads down: one longer step along it lowers the loss of {seen.data.get('examples')} kept examples by "
        f"{drop:.2g}.",
        look.evidence(basis="probed", line_search_drop=drop, loss_noise=noise, fall_own=own),
    )


def at_the_noise_floor(look: Look) -> Verdict | None:
    """Where the course of the loss shows nothing: the kept batches' gradient is within its noise, and so is the gain.

    One that rises, or measures nothing, is not at rest; two optimizers with losses of their own are not told by one.
    """
    seen, third = last_look(look.recording), look.third
    if seen is None or third is None or third.direction == "rises":
        return None
    if look.n < FEWEST_STEPS or look.opposed or look.impossible is not None:
        return None
    told = seen.data.get("evidence") or {}
    if seen.data["state"] != "converged" and not _gains_nothing(look, third.level):
        return None
    stands = max(third.most, third.error) <= USEFUL * max(abs(third.level), 1e-300)
    stands = stands or _at_a_constant_answer(look)
    # Two or three batches tell the noise badly; where the loss's own course stands still they are the second witness.
    if (number(told.get("noise_parts")) or 0) < (2 if stands else FEWEST_PARTS):
        return None
    if (number(seen.data.get("examples")) or 0) < FEWEST_EXAMPLES:
        return None
    gain, noise = number(told.get("gain_left")), number(told.get("loss_noise"))
    gain = number(told.get("line_search_drop")) if gain is None else gain
    left = f": a step along it gains {gain:.2g}, the loss is known to {noise:.2g}" if gain is not None and noise else ""
    within = "within its mini-batch noise" if seen.data["state"] == "converged" else "alive, but leads nowhere"
    nothing = look.progress.state == "none"
    where = f"; {look.progress.sentence}" if nothing else ""
    return Verdict(
        "converged",
        f"The loss is at {third.level:.4g} (change over the last third {-third.gain:+.2g} ± {third.error:.2g}), and the "
        f"gradient of {seen.data.get('examples')} kept examples is {within}{left}{where}.",
        look.evidence(basis="probed", gain_left=gain, loss_noise=noise, learned_nothing=nothing),
    )


def _at_a_constant_answer(look: Look) -> bool:
    """The loss shows no change and is that of a constant answer, within its error: where a bias alone comes to rest."""
    p, third = look.progress, look.third
    if p.state != "none" or p.baseline is None or third is None or third.direction != "level":
        return False
    return abs(third.level - p.baseline) <= 2 * third.error + MATTERS * abs(p.baseline)


def _gains_nothing(look: Look, level: float) -> bool:
    """The gradient is beyond its noise, but neither the best step along it nor twenty updates gain what noise would hide."""
    seen, tried = last_look(look.recording), trial(look.recording)
    if seen is None or seen.data["state"] != "descending" or tried is None:
        return False
    told = seen.data.get("evidence") or {}
    drop, noise = number(told.get("line_search_drop")), number(told.get("loss_noise"))
    if drop is None or noise is None:
        return False
    least = min(noise, MATTERS * max(abs(level), 1e-300))
    if look.third is not None and _at_a_constant_answer(look):
        # What one batch differs from the next, as long as it is little.
        least = max(least, min(look.third.scatter, 2 * MATTERS * abs(level)))
    return drop <= least and abs(tried.own) <= least


def jumps(look: Look) -> Verdict | None:
    """The loss stands where the run's own step, tried on the kept batches, is beyond the stable limit and raises it."""
    seen, third = last_look(look.recording), look.third
    if seen is None or seen.data["state"] != "bouncing" or third is None or third.direction == "falls":
        return None
    if look.n < FEWEST_STEPS or look.opposed or look.progress.state == "learned":
        return None
    return Verdict(
        "bouncing",
        f"The loss stands at {third.level:.4g} (change over the last third {-third.gain:+.2g} ± {third.error:.2g}). "
        f"{seen.data.get('sentence')}",
        look.evidence(basis="probed", rate_times_curvature=number(seen.data.get("rate_times_curvature"))),
    )

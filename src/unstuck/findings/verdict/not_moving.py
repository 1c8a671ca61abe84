"""Parameters that do not change though there is a gradient."""

from __future__ import annotations

import math
import statistics

from unstuck.findings.contract import Verdict
from unstuck.findings.evidence.gradients import norm
from unstuck.findings.evidence.liveness import gradients_stopped, left_out, owned, stepless
from unstuck.findings.evidence.trend import trend
from unstuck.findings.verdict.look import FEWEST_STEPS, SETTLED, Look
from unstuck.record.recording import Fact, Stream

HARDLY = 0.01
"""Of the way that the rates of a run add up to, for its second half: a cosine has 0.18 there, tenths at each
quarter 0.03."""
FELL = 0.005
"""Of the loss, in the second half of that time: a schedule that ends there broke off a descent. Chosen, and beyond
the trend's own error."""
SHORT = 0.01
"""Of the peak rate: from there on the schedule is over."""
GONE = 1e-8
"""Of the peak rate: a sixth of what 32 bits can tell apart, for steps as long as the weights themselves."""


def not_moving(look: Look) -> Verdict | None:
    never = stepless(look.recording)
    if never:
        return Verdict(
            "not-moving",
            f"{never} backward passes were made and no step: the parameters are those of the start.",
            look.evidence(backward_passes=never),
        )
    if not look.samples:
        return None
    left = left_out(look.recording)
    tail = [s for s in look.samples if s["s"] >= look.n - max(3, look.n // 3)]
    if all(_holds_nothing_alive(s, look.stream) for s in look.samples):
        # What the optimizer holds has no gradient: no later step can move it, so the first samples tell for all.
        others = [float(v["g"]) for s in look.samples for v in s["params"].values() if v.get("g")]
        if not others and not left:
            return None
        names = len(left) or len(others)
        return Verdict(
            "not-moving",
            f"What the optimizer holds has no gradient and does not change from step {look.samples[0]['s']} on, "
            f"while {names} other parameters have one.",
            look.evidence(since=int(look.samples[0]["s"]), others_with_gradient=names),
        )
    stopped = [e.data for e in gradients_stopped(look.recording) if e.data.get("o") == look.stream.number]
    if stopped and left and not stopped[-1].get("moved"):
        since = int(stopped[-1]["from"])
        return Verdict(
            "not-moving",
            f"What the optimizer holds has had no gradient from step {since} on and does not change, while {len(left)} "
            "other parameters have one.",
            look.evidence(since=since, others_with_gradient=len(left)),
        )
    gone = _rate_gone(look) or _hardly_on(look)
    if gone is not None and look.progress.state != "learned":
        return gone
    gradients: list[float] = []
    measured = 0
    for sample in tail:
        moves = [p.stat["u"] for p in owned(sample, look.stream) if p.stat.get("u") is not None]
        if not moves:
            continue
        measured += 1
        size = norm(sample, look.stream) or 0.0
        if all(u == 0 for u in moves) and size > 0:
            gradients.append(size)
    if measured < 2 or len(gradients) < measured or _settled_gradient(look, gradients):
        return None
    if look.progress.state == "learned":
        return None  # it moved when it mattered: an optimizer at its tolerance, a schedule at its end
    since = int(tail[0]["s"])
    for sample in reversed(look.samples):
        if any(p.stat.get("u") for p in owned(sample, look.stream)):
            break
        since = int(sample["s"])
    size = statistics.median(gradients)
    return Verdict(
        "not-moving",
        f"The parameters do not change at all from step {since} to step {look.n - 1}, though the gradient's norm "
        f"is {size:.3g}.",
        look.evidence(since=since, gradient_norm=size),
    )


def _hardly_on(look: Look) -> Verdict | None:
    """A schedule that was over long before the run was: what all later steps move is next to nothing of what was moved."""
    changes, p = _rates(look), look.progress
    if not changes or p.state == "learned" or look.n < 3 * FEWEST_STEPS:
        return None
    starts = [int(step) for step, _ in changes]
    rates = [max(rates, default=0.0) for _, rates in changes]
    lengths = [max(0, b - a) for a, b in zip(starts, [*starts[1:], look.n], strict=True)]
    sums = [rate * length for rate, length in zip(rates, lengths, strict=True)]
    whole, half = sum(sums), look.n // 2
    late = sum(r * max(0, min(a + n, look.n) - max(a, half)) for a, n, r in zip(starts, lengths, rates, strict=True))
    if whole <= 0 or late > HARDLY * whole:
        return None
    before = trend(
        look.loss, starts[0], next((a for a, r in zip(starts, rates, strict=True) if r < SHORT * max(rates)), half)
    )
    if before is None or before.direction != "falls":
        return None
    return Verdict(
        "not-moving",
        f"The learning rate came down from {max(rates):.3g} so early that the second half of {look.n} steps has "
        f"{late / whole:.1%} of all their way; the loss was falling until then, and stands at {p.end:.4g}.",
        look.evidence(peak_rate=max(rates), second_half_of_way=late / whole),
    )


def _rates(look: Look) -> list[tuple[int, list[float]]]:
    """The rates of all groups where they change, or the first group's at every step."""
    if len(look.stream.learning_rates) > 1:
        return look.stream.learning_rates
    return [(int(step), [rate]) for step, rate in look.stream.learning_rate.finite()]


def _rate_gone(look: Look) -> Verdict | None:
    """Whatever the rule, its step is a multiple of the rate: at so small a one no number in 32 bits changes."""
    changes = _rates(look)
    if not changes:
        return None
    peak = max(max(rates, default=0.0) for _, rates in changes)
    since = look.n
    for step, rates in reversed(changes):
        if max(rates, default=0.0) > GONE * peak:
            break
        since = int(step)
    if peak <= 0 or since > look.n * 2 // 3:
        return None
    return Verdict(
        "not-moving",
        f"The learning rate is less than a hundred-millionth of its peak of {peak:.3g} from step {since} of {look.n} on: steps "
        "so short change no number of 32 bits.",
        look.evidence(since=since, peak_rate=peak),
    )


def _holds_nothing_alive(sample: Fact, stream: Stream) -> bool:
    """The optimizer's own parameters have no gradient at all, and none of them moved."""
    own = list(owned(sample, stream))
    return bool(own) and all(p.gradient is None and p.stat.get("u") == 0 for p in own)


def _settled_gradient(look: Look, last: list[float]) -> bool:
    """The gradient is a thousandth of its first size and the loss fell: an optimizer that stops then has finished."""
    first = [g for s in look.samples[:3] if (g := norm(s, look.stream) or 0.0) > 0 and math.isfinite(g)]
    if not first or not last:
        return False
    fallen = look.fallen
    return statistics.median(last) <= SETTLED * max(first) and (fallen is None or fallen > 0.1)

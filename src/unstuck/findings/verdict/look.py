"""What all states of a run are judged by, measured once."""

from __future__ import annotations

import math
import statistics

from unstuck.findings.contract import Number
from unstuck.findings.evidence.gradients import norms
from unstuck.findings.evidence.liveness import with_parameters
from unstuck.findings.evidence.log_density import densities
from unstuck.findings.evidence.own_targets import own_targets
from unstuck.findings.evidence.progress import Progress, progress
from unstuck.findings.evidence.trend import Trend, trend
from unstuck.record.recording import Recording, Stream

FEWEST_STEPS = 8
"""Fewer losses than this are no history: a line through block means needs six points, and two to judge it by."""
USEFUL = 0.01
"""A fall over the last third of less than 1 % of what is left and of what was gained is not a useful rate."""
ALIVE = 0.05
"""A gradient norm of at least a twentieth of the first one is no small gradient."""
SETTLED = 1e-3
"""A gradient (or a loss that cannot be negative) at a thousandth of its first size has done what it came for."""


class Look:
    """What all states are judged by, measured once."""

    def __init__(self, recording: Recording, stream: Stream) -> None:
        self.recording = recording
        self.stream = stream
        self.loss = stream.loss
        self.n = stream.steps
        self.progress: Progress = progress(recording, stream)
        first = int(self.loss.steps[0]) if self.loss else 0
        span = self.n - first
        self.third: Trend | None = trend(self.loss, first + span - span // 3, self.n)
        self.half: Trend | None = trend(self.loss, first + span // 2, self.n)
        self.whole: Trend | None = trend(self.loss, first, self.n)
        self.samples = with_parameters(stream)
        self.tail = [s for s in stream.samples if s["s"] >= first + span // 2]
        self.share = self._noise("share", last=True)
        self.cosine = self._cosine()
        self.gradient = self._gradient()
        self.opposed = _opposed(recording)
        self.negated = _negated(stream)
        density = densities(stream)
        self.density_minimized = density is not None and density.minimized
        self.own_targets = own_targets(recording, stream)

    def _noise(self, key: str, *, last: bool) -> float | None:
        values = [s["noise"][key] for s in self.tail if (s.get("noise") or {}).get(key) is not None]
        values = [float(v) for v in values if math.isfinite(v)]
        if not values:
            return None
        return statistics.median(values[-5:]) if last else statistics.fmean(values)

    def _cosine(self) -> tuple[float, float] | None:
        """Mean and standard error of the cosine of successive gradients over the second half."""
        values = [s["noise"]["cos"] for s in self.tail if (s.get("noise") or {}).get("cos") is not None]
        values = [float(v) for v in values if math.isfinite(v)]
        if len(values) < 4:
            return None
        return statistics.fmean(values), statistics.stdev(values) / math.sqrt(len(values))

    def _gradient(self) -> tuple[float, float] | None:
        """The gradient's norm in the first steps and in the last quarter of the run; None when either is not known."""
        known = norms(self.stream).finite()
        first = [v for s, v in known if s < max(3, 0.02 * self.n) and v > 0]
        last = [v for s, v in known if s >= 0.75 * self.n]
        return (max(first), statistics.median(last)) if first and last else None

    @property
    def bounded(self) -> bool:
        """The loss cannot be negative: never seen negative, but for rounding."""
        return self.progress.course.bounded

    @property
    def impossible(self) -> str | None:
        """What the loss is, that cannot be negative, where it is negative all the same; None where nothing is amiss."""
        if self.bounded:
            return None
        if self.progress.course.kind == "nll":
            return "a negative log-likelihood of classes"
        seen = {
            str(t.get("kind")) for _, _, t in self.stream.terms() if not t.get("latent") and t.get("kind") != "penalty"
        }
        latent = any(t.get("latent") for _, _, t in self.stream.terms())
        return "a divergence of probabilities" if "kl" in seen <= {"kl", "nll"} and not latent else None

    @property
    def fallen(self) -> float | None:
        """How far the loss fell from its start, as a share of the start (of a loss that is not negative)."""
        p = self.progress
        if p.start is None or p.end is None or not math.isfinite(p.end) or p.start <= 0 or not self.bounded:
            return None
        return 1 - p.end / p.start

    def evidence(self, **more: Number) -> dict[str, Number]:
        p = self.progress
        found: dict[str, Number] = {"steps": self.n}
        if p.start is not None:
            found["first_loss"] = p.start
        if p.end is not None:
            found["last_loss"] = p.end
        if self.third is not None:
            found["fall_last_third"] = self.third.gain
            found["fall_standard_error"] = self.third.error
        if self.share is not None:
            found["gradient_signal_share"] = self.share
        if self.cosine is not None:
            found["gradient_cosine"] = self.cosine[0]
        found.update(more)
        return found


def _opposed(recording: Recording) -> bool:
    """Two optimizers that each have a loss of their own: neither loss says how far the run has come."""
    busy = [s for s in recording.streams.values() if s.steps >= FEWEST_STEPS and s.loss]
    if len(busy) < 2:
        return False
    a, b = sorted(busy, key=lambda s: -s.steps)[:2]
    if min(a.steps, b.steps) < 0.1 * a.steps or not _take_turns(a, b):
        return False
    n = min(len(a.loss), len(b.loss))
    same = sum(x == y for x, y in zip(list(a.loss.values)[:n], list(b.loss.values)[:n], strict=True))
    return same < 0.5 * n


def _take_turns(a: Stream, b: Stream) -> bool:
    """Both optimizers step in the same stretch of time; one after the other are two phases of one training."""
    if not a.seconds or not b.seconds:
        return True
    begins = max(a.seconds.first, b.seconds.first)
    ends = min(a.seconds.last, b.seconds.last)
    shorter = min(a.seconds.last - a.seconds.first, b.seconds.last - b.seconds.first)
    return ends - begins > 0.5 * shorter


def _negated(stream: Stream) -> bool:
    """The loss that is minimized is the negative of something that should be small."""
    kinds = ("nll", "cross_entropy_soft", "mse", "l1", "smooth_l1", "huber", "bce", "bce_logits", "kl", "hinge")
    signs = [loss.get("sign", 1) for _, loss, term in stream.terms() if term.get("kind") in kinds]
    return bool(signs) and all(sign == -1 for sign in signs)


def standing(look: Look) -> bool:
    """No fall of a useful size over the last third, beyond what noise allows."""
    t = look.third
    return t is not None and (t.direction != "falls" or not useful(look, t))


def useful(look: Look, t: Trend) -> bool:
    p = look.progress
    gained = abs(p.start - t.level) if p.start is not None else 0.0
    return t.gain > USEFUL * max(abs(t.level), gained)

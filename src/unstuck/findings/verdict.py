"""Where the run stands: one verdict, from the history of the loss and the noise of the gradient.

The states are tried in a fixed order and the first that can be shown wins. ``saddle``, ``maximum``, ``flat``,
``minimum`` and ``slow`` cannot be shown by watching: they need curvature or a replay. They come from the look that
the watcher takes on a copy of the model (``biopsy`` events), or from whoever puts a
:class:`~unstuck.findings.contract.Verdict` into ``recording.extras["measured"]``; each takes its place in the order.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable

from unstuck.findings.contract import Number, Verdict
from unstuck.findings.evidence.commands import run_again
from unstuck.findings.evidence.curvature import measured_verdict, trial, why_no_longer
from unstuck.findings.evidence.gradients import norms
from unstuck.findings.evidence.liveness import left_out, owned, stepless, trainable_names, with_parameters
from unstuck.findings.evidence.own_targets import own_targets
from unstuck.findings.evidence.progress import Progress, main_term, progress
from unstuck.findings.evidence.trend import Trend, trend
from unstuck.record.recording import Fact, Recording, Stream

STATES = (
    "diverging",
    "no-gradient",
    "not-moving",
    "saddle",
    "maximum",
    "flat",
    "minimum",
    "bouncing",
    "converged",
    "slow",
    "learning",
    "unknown",
)
MEASURED = ("saddle", "maximum", "flat", "minimum", "slow")
"""The states that need more than a recording of a watched run."""

FEWEST_STEPS = 8
"""Fewer losses than this are no history: a line through block means needs six points, and two to judge it by."""
USEFUL = 0.01
"""A fall over the last third of less than 1 % of what is left and of what was gained is not a useful rate."""
NOISE_FLOOR = 0.15
"""Share of the squared gradient that is signal, below which noise decides the direction of most steps."""
BELOW_NOISE = 1 / 3
"""A possible gain over a third of the run below a third of the batches' scatter drowns in it."""
SLOWED = 0.25
"""A third of the run that gains at most a quarter of what was gained in all: the curve has bent."""
ALIVE = 0.05
"""A gradient norm of at least a twentieth of the first one is no small gradient."""
ABOVE = 0.02
"""Two percent above a constant answer's loss: rounding and class shares from samples stay well below."""
BOUNCE = -0.3
"""Mean cosine of successive gradients below which steps undo each other; independent noise gives about 0."""
OWN_TARGETS = 100
"""Times the first loss. A value network's targets grow from one reward to the sum of a hundred (a discount of 0.99)
while it learns; a loss of squares then passes through larger numbers, but a network that runs away stops nowhere."""
SETTLED = 1e-3
"""A gradient (or a loss that cannot be negative) at a thousandth of its first size has done what it came for."""


def verdict(recording: Recording) -> Verdict:
    """Where the run stands, with the numbers it rests on.

    >>> verdict(Recording.of(loss=[2.3 * 0.97**i for i in range(60)])).state
    'learning'
    >>> verdict(Recording.of(loss=[2.3, 2.2])).state
    'unknown'
    """
    stream = recording.main
    made = _Look(recording, stream)
    for state in STATES:
        if state in MEASURED:
            measured = recording.extras.get("measured") or _measured(made)
            if isinstance(measured, Verdict) and measured.state == state:
                return measured
            continue
        if state == "unknown":
            break
        found = _SHOWN[state](made)
        if found is not None:
            return found
    return _unknown(made)


def _measured(look: _Look) -> Verdict | None:
    """What the last look at the curvature showed. A run that has learned is not called stuck for standing flat."""
    found = measured_verdict(look.recording)
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


class _Look:
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
        self.own_targets = own_targets(recording, stream)
        finite = self.loss.finite()
        self.lowest = min(finite.values) if finite else math.nan

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
        """The loss cannot be negative: a known kind, or never seen negative."""
        return bool(self.lowest >= 0)

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


def _diverging(look: _Look) -> Verdict | None:
    p = look.progress
    loss = look.loss
    if not loss:
        return None
    tail = loss.values[-max(1, len(loss) // 10) :]
    broken = sum(not math.isfinite(v) for v in tail)
    if broken and (not math.isfinite(loss.last) or 2 * broken >= len(tail)):
        first = next(s for s, v in loss if not math.isfinite(v))
        before = [v for s, v in loss if s < first]
        text = f"The loss is not a finite number from step {first} on"
        text += f"; just before, it was {before[-1]:.4g}." if before else ", the very first one."
        return Verdict("diverging", text, look.evidence(first_not_finite=first))
    bad = [e for e in look.recording.happened("nonfinite") if e.data.get("where") == "parameter"]
    if bad:
        name = bad[0].data.get("name", "a parameter")
        return Verdict(
            "diverging",
            f"{name} holds numbers that are not finite from step {bad[0].step} on.",
            look.evidence(first_not_finite=bad[0].step),
        )
    if p.start is None or p.end is None or look.n < FEWEST_STEPS:
        return None
    if look.negated and look.whole is not None and look.whole.direction == "falls":
        return Verdict(
            "diverging",
            f"The loss is negated: its data term rises from {-p.start:.4g} to {-p.end:.4g} over {look.n} steps.",
            look.evidence(),
        )
    if look.third is None or look.half is None or look.opposed:
        return None
    scale = max(abs(p.start), look.third.scatter)
    rising = look.third.direction == "rises" and look.half.direction == "rises"
    if not look.bounded and p.start < 0 and abs(p.end) < ALIVE * abs(p.start):
        return None  # to zero from below: a policy that became sure, so that its weighted logarithms are none
    if look.own_targets and p.end < OWN_TARGETS * max(p.start, loss.finite().first):
        return None  # the targets grow with what is learned
    above = (
        p.end > p.start + 3 * look.third.scatter / math.sqrt(max(1, look.n // 10)) and p.end - p.start > 0.05 * scale
    )
    if rising and above:
        return Verdict(
            "diverging",
            f"The loss rises: {p.start:.4g} at the start, {p.end:.4g} over the last tenth of {look.n} steps, and "
            f"by {-look.third.gain:.3g} ± {look.third.error:.2g} over the last third.",
            look.evidence(),
        )
    return None


def _no_gradient(look: _Look) -> Verdict | None:
    missing = look.recording.happened("no_graph")
    if missing and not any(s.steps for s in look.recording.streams.values()):
        return Verdict(
            "no-gradient",
            "No path leads from the loss to the parameters: backward was called on a number that has no graph.",
            look.evidence(),
        )
    samples = look.samples[-5:]
    if look.progress.state == "learned":
        return None  # whatever a sample showed, it was not the end
    if not samples or (len(look.samples) >= 5 and len(samples) < 3):
        return None
    settled = True
    only_biases = False
    for sample in samples:
        seen = [p for p in owned(sample, look.stream) if p.gradient is not None or "g" in p.stat]
        if not seen:
            return None
        alive = [p for p in seen if p.gradient is not None and not p.zero]
        if not alive and all(p.gradient is None for p in seen) and _others_alive(look, sample, {p.name for p in seen}):
            return None  # a gradient is there, but the optimizer holds what is frozen: that is `not-moving`
        weights = [p for p in seen if p.is_weight]
        if any(p.is_weight for p in alive) or (alive and (len(weights) < 2 or not any(p.zero for p in weights))):
            return None
        only_biases = only_biases or bool(alive)
        at = [v for s, v in look.loss if s == sample["s"]]
        settled = settled and bool(at) and at[0] == 0.0
    if settled and not look.negated:
        return None  # the loss is exactly zero: there is nothing left to gain, which is `converged`
    first = _since(look, only_biases)
    if not only_biases and any(norm > 0 for step, norm in look.stream.gradient_norm if step > first):
        return None  # it came back after the last full sample
    loss = f" The loss stands at {look.progress.end:.4g}." if look.progress.end is not None else ""
    if only_biases:
        return Verdict(
            "no-gradient",
            f"The gradient of every weight is exactly zero from step {first} on; only a bias of the output "
            f"still gets one." + loss,
            look.evidence(since=first, only_biases=True),
        )
    return Verdict(
        "no-gradient",
        f"The gradient of every parameter is exactly zero or missing from step {first} on." + loss,
        look.evidence(since=first, only_biases=False),
    )


def _others_alive(look: _Look, sample: Fact, own: set[str]) -> bool:
    """Parameters outside the optimizer get a gradient, and none of a model that asks for one is in it."""
    trainable = trainable_names(look.recording)
    if any(trainable.get(name, False) for name in own):
        return False
    outside = any(stat.get("g") for name, stat in (sample.get("params") or {}).items() if name not in own)
    return outside or bool(left_out(look.recording))


def _since(look: _Look, only_biases: bool) -> int:
    """The first sampled step from which no weight (or no parameter) has a gradient."""
    first = int(look.samples[-1]["s"])
    for sample in reversed(look.samples):
        alive = [p for p in owned(sample, look.stream) if p.gradient is not None and not p.zero]
        if any(p.is_weight for p in alive) or (alive and not only_biases):
            break
        first = int(sample["s"])
    return first


def _not_moving(look: _Look) -> Verdict | None:
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
    gradients: list[float] = []
    measured = 0
    for sample in tail:
        moves = [p.stat["u"] for p in owned(sample, look.stream) if p.stat.get("u") is not None]
        if not moves:
            continue
        measured += 1
        norm = _gradient_norm(sample, look.stream)
        if all(u == 0 for u in moves) and norm > 0:
            gradients.append(norm)
    if measured < 2 or len(gradients) < measured or _settled_gradient(look, gradients):
        return None
    if look.progress.state == "learned":
        return None  # it moved when it mattered: an optimizer at its tolerance, a schedule at its end
    since = int(tail[0]["s"])
    for sample in reversed(look.samples):
        if any(p.stat.get("u") for p in owned(sample, look.stream)):
            break
        since = int(sample["s"])
    norm = statistics.median(gradients)
    return Verdict(
        "not-moving",
        f"The parameters do not change at all from step {since} to step {look.n - 1}, though the gradient's norm "
        f"is {norm:.3g}.",
        look.evidence(since=since, gradient_norm=norm),
    )


def _holds_nothing_alive(sample: Fact, stream: Stream) -> bool:
    """The optimizer's own parameters have no gradient at all, and none of them moved."""
    own = list(owned(sample, stream))
    return bool(own) and all(p.gradient is None and p.stat.get("u") == 0 for p in own)


def _gradient_norm(sample: Fact, stream: Stream) -> float:
    return math.sqrt(sum(float(p.gradient or 0.0) ** 2 for p in owned(sample, stream)))


def _settled_gradient(look: _Look, last: list[float]) -> bool:
    """The gradient is a thousandth of its first size and the loss fell: an optimizer that stops then has finished."""
    first = [g for s in look.samples[:3] if (g := _gradient_norm(s, look.stream)) > 0 and math.isfinite(g)]
    if not first or not last:
        return False
    fallen = look.fallen
    return statistics.median(last) <= SETTLED * max(first) and (fallen is None or fallen > 0.1)


def _standing(look: _Look) -> bool:
    """No fall of a useful size over the last third, beyond what noise allows."""
    t = look.third
    return t is not None and (t.direction != "falls" or not _useful(look, t))


def _useful(look: _Look, t: Trend) -> bool:
    p = look.progress
    gained = abs(p.start - t.level) if p.start is not None else 0.0
    return t.gain > USEFUL * max(abs(t.level), gained)


def _bouncing(look: _Look) -> Verdict | None:
    t = look.third
    if t is None or look.n < 3 * FEWEST_STEPS or not _standing(look) or look.opposed:
        return None
    if look.progress.state == "learned" or look.gradient is None or look.gradient[1] < ALIVE * look.gradient[0]:
        return None
    rates = look.stream.learning_rate
    if rates and rates.last < 0.1 * max(rates.values):
        return None  # steps that a schedule has made short do not jump
    change = f"change over the last third {-t.gain:+.2g} ± {t.error:.2g}"
    if look.cosine is not None and look.cosine[0] + 2 * look.cosine[1] <= BOUNCE:
        mean, error = look.cosine
        return Verdict(
            "bouncing",
            f"The loss stands at {t.level:.4g} ({change}), yet successive gradients point against each other (mean "
            f"cosine {mean:.2f} ± {error:.2f}): the steps jump across the valley.",
            look.evidence(gradient_norm=look.gradient[1]),
        )
    constant = _worst_constant(look)
    if constant is not None and t.level > (1 + ABOVE) * constant + 3 * t.error and t.error < ABOVE * constant:
        return Verdict(
            "bouncing",
            f"The loss stands at {t.level:.4g} ({change}), above the {constant:.4g} that the output's bias alone "
            f"would reach, and the gradient's norm is {look.gradient[1]:.3g}: shorter steps would fall, these "
            "jump across the valley.",
            look.evidence(gradient_norm=look.gradient[1], constant_answer_loss=constant),
        )
    return None


def _worst_constant(look: _Look) -> float | None:
    """The loss of a constant answer by the largest of its definitions: class weights can turn shares into equal ones."""
    course = look.progress.course
    if course.baseline is None:
        return None
    if course.kind != "nll":
        return course.baseline
    sizes = []
    for sample in look.stream.samples:
        pair = main_term(sample)
        shape = (pair[1].get("output") or {}).get("shape") if pair else None
        if pair and shape:
            place = int(pair[1].get("class_dim", 1) or 0)
            if place < len(shape):
                sizes.append(int(shape[place]))
    return max(course.baseline, math.log(max(sizes))) if sizes and max(sizes) > 1 else course.baseline


def _converged(look: _Look) -> Verdict | None:
    p = look.progress
    t = look.third
    if p.end is None or not math.isfinite(p.end) or look.n < FEWEST_STEPS or t is None or look.opposed:
        return None
    if t.direction == "rises" and -t.gain > 0.05 * max(abs(t.level), 1e-12):
        return None
    # A first loss can be absurdly high; the constant answer's is the better measure of what there was to gain.
    whole = min(v for v in (p.start, p.baseline) if v is not None) if p.start is not None else None
    if look.bounded and whole is not None and whole > 0 and p.state != "none" and p.end <= SETTLED * whole:
        left = f"hardly anything of the {whole:.3g} that was at stake" if p.end > 0 else "nothing"
        return Verdict("converged", f"The loss is {p.end:.3g}: {left} is left to gain.", look.evidence(at_stake=whole))
    if not _standing(look):
        return None
    fell = (look.fallen or 0.0) > 0.05 or (look.fallen is None and _fell_at_all(look))
    if p.state == "none" or (p.state == "unknown" and not fell):
        return None
    change = f"change over the last third {-t.gain:+.2g} ± {t.error:.2g}"
    if look.share is not None and look.share <= NOISE_FLOOR:
        return Verdict(
            "converged",
            f"The loss stands at {t.level:.4g} ({change}) and only {look.share:.0%} of the squared gradient is "
            "signal: what is left to gain is smaller than the batch noise.",
            look.evidence(),
        )
    if look.gradient is not None and fell and look.gradient[1] <= SETTLED * look.gradient[0]:
        return Verdict(
            "converged",
            f"The loss stands at {t.level:.4g} ({change}) and the gradient's norm fell from {look.gradient[0]:.3g} "
            f"to {look.gradient[1]:.2g}: hardly anything is left to gain here.",
            look.evidence(gradient_norm=look.gradient[1]),
        )
    first = p.course.first if p.course.first is not None else t.level
    gained = abs(first - t.level) if p.baseline is None else max(p.baseline - t.level, 0.0)
    if p.state == "learned" and t.most <= USEFUL * max(abs(t.level), gained):
        return Verdict(
            "converged",
            f"The loss has come down from {first:.4g} to {t.level:.4g} and stands ({change}, less than "
            f"{USEFUL:.0%} of the way); {p.sentence}.",
            look.evidence(),
        )
    # The longer stretch tells a small change more surely, where the curve does not bend within it.
    flat = [part for part in (t, look.half) if part is not None and part.direction == "level"]
    best = min(flat, key=lambda part: part.most, default=None)
    if p.state in ("learned", "some") and best and best.most <= min(BELOW_NOISE * t.scatter, SLOWED * gained):
        over = "the last third" if best is t else "the second half"
        return Verdict(
            "converged",
            f"The loss stands at {t.level:.4g} (change over {over} {-best.gain:+.2g} ± {best.error:.2g}): what "
            f"it may still "
            f"gain at that pace is less than a third of what one batch differs from the next ({t.scatter:.2g}); "
            f"{p.sentence}.",
            look.evidence(batch_scatter=t.scatter),
        )
    return None


def _fell_at_all(look: _Look) -> bool:
    return look.whole is not None and look.whole.direction == "falls"


def _learning(look: _Look) -> Verdict | None:
    p = look.progress
    if p.start is None or p.end is None or look.n < FEWEST_STEPS or look.opposed:
        return None
    if look.bounded is False and p.course.kind == "nll":
        return None  # a log-likelihood of classes below zero: the numbers are not log-probabilities
    for part, name in ((look.third, "third"), (look.half, "half"), (look.whole, "run")):
        if part is None:
            continue
        if part.direction == "falls" and _useful(look, part):
            if name == "run" and look.third is not None and look.third.most < USEFUL * abs(look.third.level):
                return None
            over = {"third": "the last third", "half": "the second half", "run": "all"}[name]
            return Verdict(
                "learning",
                f"The loss still falls: from {p.start:.4g} to {p.end:.4g} in {look.n} steps, and by "
                f"{part.gain:.3g} ± {part.error:.2g} over {over} of the steps.",
                look.evidence(),
            )
    return None


def _unknown(look: _Look) -> Verdict:
    p = look.progress
    again = run_again(look.recording)
    if not look.loss:
        if not look.n:
            return Verdict("unknown", "No training step was seen.", look.evidence(), again)
        return Verdict("unknown", f"{look.n} steps were seen, but no loss.", look.evidence(), again)
    if look.n < FEWEST_STEPS:
        return Verdict(
            "unknown",
            f"Only {look.n} steps were seen: too few to tell a trend from noise (it takes {FEWEST_STEPS}). Train "
            "longer.",
            look.evidence(),
            again,
        )
    if look.opposed:
        return Verdict(
            "unknown",
            "Two optimizers work on losses of their own, as in adversarial training: neither loss alone says how "
            "far the run has come. Judge it by its outputs.",
            look.evidence(),
        )
    t = look.third
    if look.bounded is False and p.course.kind == "nll":
        return Verdict(
            "unknown",
            f"The loss went to {p.end:.4g}; a negative log-likelihood of classes cannot be negative, so this loss "
            "does not measure what it should.",
            look.evidence(),
            "unstuck explain L202",
        )
    if t is None:
        return Verdict(
            "unknown", "Too few finite losses to tell a trend from noise. Train longer.", look.evidence(), again
        )
    change = f"{-t.gain:+.2g} ± {t.error:.2g}"
    if t.direction == "rises":
        return Verdict(
            "unknown",
            f"The loss has turned up: {change} over the last third, to {t.level:.4g}, after {p.start:.4g} at the "
            "start. Whether it comes back down is not decided yet. Train longer.",
            look.evidence(),
            again,
        )
    if p.state == "none":
        return Verdict(
            "unknown",
            f"The loss stands at {t.level:.4g} (change over the last third {change}) and {p.sentence}. A plateau, "
            "a saddle and labels that cannot be predicted look alike from a recording; telling them apart takes "
            "curvature.",
            look.evidence(),
            again,
        )
    if max(t.most, t.error) > USEFUL * max(abs(t.level), 1e-300):
        return Verdict(
            "unknown",
            f"The loss is at {t.level:.4g} and changed by {change} over the last third: too noisy to tell standing "
            "still from falling. Train longer.",
            look.evidence(),
            again,
        )
    noise = "" if look.share is None else f" and {look.share:.0%} of the squared gradient is signal, not noise"
    return Verdict(
        "unknown",
        f"The loss stands at {t.level:.4g} (change over the last third {change}){noise}: a plateau, a saddle and a "
        "minimum look alike from a recording; telling them apart takes curvature.",
        look.evidence(),
        again,
    )


_SHOWN: dict[str, Callable[[_Look], Verdict | None]] = {
    "diverging": _diverging,
    "no-gradient": _no_gradient,
    "not-moving": _not_moving,
    "bouncing": _bouncing,
    "converged": _converged,
    "learning": _learning,
}

"""The gradient grows by orders of magnitude through the layers, or jumps far above its own history.

What it means
-------------
The gradient of an early layer is a product with one factor for every layer (or time step) above it. Where the
factors are above one, the product grows with every layer. In training the same shows as a sudden gradient
that is hundreds of times the usual one.

Why it hurts
------------
The step is the gradient times the learning rate. A step hundreds of times too long throws the weights far
away, from where they may not come back: units die or saturate, the loss leaps, numbers overflow.

How it is judged
----------------
Each of five tests asks that the run was hurt. First: at the first samples, the gradient times the weight of
some layer is more than three hundred times the loss at stake (that of a constant answer, or the first one), so
that it changes by a multiple of that with a change of a hundredth of the weights; and the run learned next
to nothing. Second: the same product is above sixty in the median of the first samples, and in a chain of
hidden layers more than eight times as large at the beginning as at the end; and the run is not nearly perfect.
The same holds for a recurrent network whose gradient is more than a hundred times as large at the first time
steps as at the last before the first step was taken: there the initial recurrent weights are to blame, and the leap
that follows is theirs. Third: at some step the gradient's norm is more than a hundred times the median of all steps
before it, and from there on the loss stays far above where it was, or is not finite. Fourth: a recurrent network whose
gradient is not clipped loses all it had learned, with a gradient several times that of the first steps, and
does not come back to its best. A clipped gradient that jumps, or a leap from which the run recovers, is not
reported.

When it is wrong
----------------
The sampled steps can miss the leap and see only what came after. A single broken example (an outlier in the
data) makes such a jump too; look at the batch of the step that is named.

What to do
----------
Clip the gradient's norm at a few times its usual size, lower the learning rate or warm it up, and use initial
weights that keep the size of the signal (orthogonal ones in recurrent networks). For recurrent networks clip
always. Look at the data of the named step.

Sources
-------
Pascanu, Mikolov, Bengio, On the difficulty of training recurrent neural networks, 2013. Zhang and others,
AutoTrainer, 2021. Philipp, Song, Carbonell, The exploding gradient problem demystified, 2017 (gradients
relative to the weights).
"""

from __future__ import annotations

import math
import statistics

from unstuck.findings.contract import Advice, Answer, Fired, Passed, Skipped
from unstuck.findings.evidence.gradients import TimeProfile, norms, time_profiles
from unstuck.findings.evidence.layers import Weight, weights
from unstuck.findings.evidence.places import model_line, model_name, optimizer_kind, optimizer_line
from unstuck.findings.evidence.progress import Progress, progress
from unstuck.findings.evidence.setbacks import relapse
from unstuck.findings.evidence.trend import clipped
from unstuck.record.recording import Recording, Stream

CODE = "G302"
NAME = "exploding-gradient"
CLAIM = "the gradient grows by orders of magnitude through the layers, or jumps far above its own history"
ENABLED = True
SICK = (
    "examples/sick/g302_digits_cell.py",
    "examples/sick/g302_digits_deep_tanh.py",
    "examples/sick/g302_digits_rnn.py",
)
HEALTHY = (
    "examples/mended/g302_digits_cell.py",
    "examples/mended/g302_digits_deep_tanh.py",
    "examples/mended/g302_digits_rnn.py",
    "examples/healthy/digits_lstm.py",
    "examples/healthy/docs_char_gpt.py",
)
THRESHOLDS = {
    "steep": (
        60.0,
        "times the loss at stake, median of the first five samples; 402 runs of 182 healthy scripts have at most "
        "12, but for one with class weights (59)",
    ),
    "growth": (8.0, "from the last third of the hidden layers to the first; the same runs have at most 3.9"),
    "through_time": (
        100.0,
        "from the last time steps back to the first, at step 0; 15 healthy recurrent runs have at most 2.2",
    ),
    "fewest_hidden": (4, "hidden layers, so that there is a growth to speak of"),
    "recurrent": (3.0, "times the median gradient of the first steps, where a recurrent network relapses"),
    "pull": (
        300.0,
        "times the loss at stake, for a relative change of one layer's weights; the same runs have at most 64",
    ),
    "jump": (100.0, "times the median of all earlier norms; mini-batch noise and spikes that recover stay below 30"),
    "fewest_before": (5, "norms before a jump, so that there is a history to jump above"),
    "left_behind": (2.0, "times the loss before the jump, at the end: less is a spike that the run recovered from"),
}


def _stake(loss: float, reached: Progress) -> str:
    least = reached.baseline is not None and loss == reached.baseline
    return f"a constant answer's loss of {loss:.3g}" if least else f"a loss of {loss:.3g}"


def judge(recording: Recording) -> Answer:
    """A gradient out of proportion to the loss at the start, then a jump above history."""
    stream = recording.main
    history = norms(stream)
    if not history:
        return Skipped("no gradient norms were recorded")
    reached = progress(recording)
    verdict = recording.extras.get("verdict")
    diverges = getattr(verdict, "state", "") == "diverging"
    hurt = reached.state == "none" or diverges
    through_time = _through_time(recording, reached, hurt=hurt)
    if through_time is not None:
        return through_time
    worst = _steepest(stream, reached.baseline)
    ends = stream.loss.last if stream.loss else 0.0
    measured = reached.baseline is not None or not math.isfinite(ends)  # a loss near zero is no measure of itself
    if worst is not None and worst[1] > THRESHOLDS["pull"][0] and hurt and measured:
        weight, ratio, loss = worst
        return Fired(
            sentence=f"At step {weight.step} the gradient of {weight.name} has norm {weight.g:.3g} with weights of "
            f"norm {weight.w:.3g}, where {_stake(loss, reached)} is at stake: a change of a hundredth of these "
            f"weights changes the loss by {ratio / 100:.2g} times that; {reached.sentence}.",
            severity="error",
            confidence=0.8,
            where=weight.layer,
            step=weight.step,
            evidence={"gradient_norm": weight.g, "weight_norm": weight.w, "loss": loss, "times_loss": ratio},
            advice=_advice(recording, median=None),
            line=optimizer_line(stream),
        )
    deep = _grows(stream, reached.baseline)
    if deep is not None and reached.course.outcome != "well":
        first, last, steep, growth, count = deep
        return Fired(
            sentence=f"The gradient grows {growth:.3g}-fold from {last.layer} back to {first.layer}, in units of "
            f"each layer's own weights, in the median of {count} samples: a change of these weights by one "
            f"percent changes the loss by {steep:.3g} percent of that of a constant answer; {reached.sentence}.",
            severity="error" if hurt else "warning",
            confidence=0.85 if hurt else 0.75,
            where=first.layer,
            step=first.step,
            evidence={"growth": growth, "times_loss": steep, "samples": count, "gradient_norm": first.g},
            advice=_advice(recording, median=None),
            line=optimizer_line(stream),
        )
    relapsed = _recurrent_relapse(recording, reached)
    if relapsed is not None:
        return relapsed
    jump = _jump(stream)
    if jump is not None:
        step, size, usual, before, after = jump
        lasting = not math.isfinite(after) or after > before + (THRESHOLDS["left_behind"][0] - 1) * abs(before)
        if lasting and (reached.state == "none" or not math.isfinite(after)):
            times = f"{size / usual:.3g} times the median of {usual:.3g}" if math.isfinite(size) else "not finite"
            return Fired(
                sentence=f"At step {step} the gradient's norm is {size:.3g}, {times} before it; the loss was "
                f"{before:.4g} until then and is {after:.4g} at the end.",
                severity="error",
                confidence=0.8,
                where=f"step {step}",
                step=step,
                evidence={
                    "gradient_norm": size,
                    "median_before": usual,
                    "loss_before": before,
                    "loss_at_end": after,
                },
                advice=_advice(recording, median=usual),
                line=optimizer_line(stream),
            )
        return Passed(f"the gradient jumped to {size:.3g} at step {step}, and the run recovered from it")
    finite = history.finite()
    if not finite:
        return Skipped("no gradient norm was finite")
    return Passed(f"the gradient's norm lay between {min(finite.values):.3g} and {max(finite.values):.3g}")


def _through_time(recording: Recording, reached: Progress, *, hurt: bool) -> Fired | None:
    """A recurrent network whose gradient grows from the last time step back to the first before anything was learned."""
    stream = recording.main
    if reached.course.outcome == "well" or not reached.baseline or not stream.samples or stream.samples[0]["s"] > 0:
        return None
    first = stream.samples[0]
    pulls = {w.name: w for w in weights(first, stream)}
    found: tuple[float, TimeProfile, Weight] | None = None
    for weight, profiles in time_profiles(stream, until=1).items():
        profile, seen = profiles[0], pulls.get(weight)
        growth = profile.early / profile.late if profile.late > 0 else 0.0
        if seen is None or seen.pull is None or not seen.pull / reached.baseline > THRESHOLDS["steep"][0]:
            continue
        if growth > THRESHOLDS["through_time"][0] and (found is None or growth > found[0]):
            found = growth, profile, seen
    if found is None:
        return None
    growth, profile, seen = found
    steep = (seen.pull or 0.0) / reached.baseline
    return Fired(
        sentence=f"Before the first step the gradient grows {growth:.3g}-fold from the last of {profile.length} time steps "
        f"of {profile.layer} back to the first: a change of {seen.name} by one percent changes the loss by "
        f"{steep:.3g} percent of that of a constant answer; {reached.sentence}.",
        severity="error" if hurt else "warning",
        confidence=0.85,
        where=profile.layer,
        step=0,
        evidence={
            "growth_through_time": growth,
            "time_steps": profile.length,
            "times_loss": steep,
            "gradient_norm": seen.g,
            "weight_norm": seen.w,
        },
        advice=(
            Advice(
                "orthogonal recurrent weights",
                "An orthogonal matrix passes the gradient from step to step at its own length.",
                f"torch.nn.init.orthogonal_({profile.weight})",
            ),
            *_advice(recording, median=None),
        ),
        line=model_line(recording),
    )


def _steepest(stream: Stream, baseline: float | None) -> tuple[Weight, float, float] | None:
    """The layer of the first samples whose relative change moves the loss most: (weight, times the loss, loss).

    The loss is that of a constant answer where it is known: a first loss that is itself enormous is no measure.
    """
    losses = dict(stream.loss)
    found: tuple[Weight, float, float] | None = None
    for sample in stream.samples[:3]:
        loss = losses.get(sample["s"])
        if sample["s"] > 3 or loss is None or not math.isfinite(loss) or abs(loss) < 1e-6:
            continue
        for weight in weights(sample, stream):
            scale = min(abs(loss), baseline) if baseline else abs(loss)
            ratio = (weight.pull or 0.0) / scale
            if math.isfinite(ratio) and (found is None or ratio > found[1]):
                found = (weight, ratio, scale)
    return found


def _grows(stream: Stream, baseline: float | None) -> tuple[Weight, Weight, float, float, int] | None:
    """(first layer, last hidden layer, times the loss, growth, samples) where both thresholds are passed."""
    if not baseline:
        return None
    steep: list[float] = []
    growth: list[float] = []
    ends: tuple[Weight, Weight] | None = None
    for sample in stream.samples[:5]:  # the start: what the steps make of it is another matter
        chain = [w for w in weights(sample, stream) if w.pull and math.isfinite(w.pull)]
        hidden = chain[:-1]  # the last layer's gradient passes nothing
        if len(hidden) < THRESHOLDS["fewest_hidden"][0]:
            continue
        third = max(1, len(hidden) // 3)
        late = statistics.median(w.pull or 0.0 for w in hidden[-third:])
        early = statistics.median(w.pull or 0.0 for w in hidden[:third])
        if late <= 0:
            continue
        steep.append(max(w.pull or 0.0 for w in chain) / baseline)
        growth.append(early / late)
        ends = ends or (hidden[0], hidden[-1])
    if len(steep) < 3 or ends is None:
        return None
    found = statistics.median(steep), statistics.median(growth)
    if found[0] < THRESHOLDS["steep"][0] or found[1] < THRESHOLDS["growth"][0]:
        return None
    return ends[0], ends[1], found[0], found[1], len(steep)


def _recurrent_relapse(recording: Recording, reached: Progress) -> Answer | None:
    """A recurrent network, not clipped, that lost what it had learned while its gradient was several times the usual."""
    stream = recording.main
    kinds = [str(m.get("kind")) for model in recording.models for m in model.get("modules") or ()]
    recurrent = [k for k in kinds if any(part in k for part in ("RNN", "LSTM", "GRU"))]
    back = relapse(stream, reached.baseline)
    if not recurrent or back is None or stream.clip_norm or reached.state == "learned":
        return None
    history = norms(stream).finite()
    usual = [v for s, v in history if s <= min(back.best_step, 10)] or [v for s, v in history if s <= back.best_step]
    later = [(v, s) for s, v in history if s > back.best_step]
    if not usual or not later:
        return None
    size, step = max(later)
    ratio = size / statistics.median(usual) if statistics.median(usual) > 0 else math.inf
    if ratio < THRESHOLDS["recurrent"][0]:
        return None
    return Fired(
        sentence=f"The loss fell to {back.best:.4g} by step {back.best_step}, was back at {back.worst:.4g} by step "
        f"{back.worst_step} and ends at {back.end:.4g}; the gradient's norm reached {size:.3g}, {ratio:.3g} times "
        f"that of the first steps, and nothing clips it ({recurrent[0]}).",
        severity="warning",
        confidence=0.75,
        where=recurrent[0],
        step=back.best_step,
        evidence={
            "best_loss": back.best,
            "worst_loss_after": back.worst,
            "loss_at_end": back.end,
            "gradient_norm": size,
            "times_first_steps": ratio,
            "at_step": step,
        },
        advice=_advice(recording, median=statistics.median(usual) / 3),
        line=optimizer_line(stream),
    )


def _jump(stream: Stream) -> tuple[int, float, float, float, float] | None:
    """The largest jump above the norms before it: (step, norm, median before, loss before, loss at the end)."""
    history = norms(stream)
    best: tuple[int, float, float, float, float] | None = None
    seen: list[float] = []
    n = max(1, len(stream.loss) // 10)
    end = list(stream.loss.values[-n:])
    after = statistics.fmean(clipped(end)) if end and all(map(math.isfinite, end)) else math.nan
    for step, size in history:
        if len(seen) >= THRESHOLDS["fewest_before"][0]:
            usual = statistics.median(seen)
            # An infinite norm is a number that overflowed: that is G308's, unless the finite ones before it grew.
            if usual > 0 and math.isfinite(size) and size > THRESHOLDS["jump"][0] * usual:
                earlier = stream.loss.between(max(0, step - 50), step).finite()
                if earlier and (best is None or size / usual > best[1] / best[2]):
                    best = (step, size, usual, statistics.median(earlier.values), after)
        if math.isfinite(size):
            seen.append(size)
    return best


def _advice(recording: Recording, *, median: float | None) -> tuple[Advice, ...]:
    name = model_name(recording)
    limit = f"{3 * median:.2g}" if median else "1.0"
    line = optimizer_line(recording.main)
    rate = recording.main.learning_rate.first if recording.main.learning_rate else None
    found = [
        Advice(
            "clip the gradient",
            "Bound the length of the step: clip the gradient's norm, between backward and step.",
            f"torch.nn.utils.clip_grad_norm_({name}.parameters(), max_norm={limit})",
        )
    ]
    if rate:
        found.append(
            Advice(
                "lower the learning rate",
                f"Lower the learning rate of {optimizer_kind(recording.main) or 'the optimizer'} from {rate:g}.",
                f"lr={rate / 10:g}",
                line,
            )
        )
    return tuple(found)

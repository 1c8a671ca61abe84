"""The schedule runs per batch instead of per epoch or the reverse, ends early, turns back up, or waits for the wrong
direction.

What it means
-------------
A schedule counts the calls of its own `step()`. Its numbers (a step size, a `T_max`, a count of warm-up calls)
mean epochs or batches only by where the script calls it. Called in the other place, it runs many times too fast
or too slow. A cosine that is called beyond its `T_max` climbs the way back up that it came down. `ReduceLROnPlateau` lowers
the rate when a measure no longer gets better, and its mode says what better is: with `mode="max"` a loss that falls, and
with `mode="min"` (which it has when nothing is said) an accuracy that rises, count as a training that stands still.

Why it hurts
------------
Too fast, and the rate is gone before the run has begun. Too slow, and the run ends inside the warm-up. A rate
that climbs back up throws away what the fall had won: the last steps are long ones.

How it is judged
----------------
The rate at every step is known. Too fast: it falls below a hundredth of its peak within the first quarter of the
run and stays there, and on the way it changes many times within one pass over the data (or, where the passes are
not known, at steps closer than a two-hundredth of the run). Too slow: the rate rises to the end of the run in a
few changes that lie as far apart as the passes over the data, and never comes near the rate that the schedule was
built to reach. By its count: the only schedule that was made runs over as many calls as the run has steps, so it
was meant for every step; yet the rate changed a few times only, as far apart as the passes, and a one-cycle
schedule never reached half of the rate that it was built for, or a fall (`CosineAnnealingLR`, `PolynomialLR`,
`LinearLR`) never came half of its way. A run that stopped early has fewer steps than its schedule has calls.
Back up: it falls to a twentieth of its peak or less, then climbs step by step to a third of it by the end. Too
fast and too slow must have hurt: the run has not come halfway, or has not come halfway in its loss. By its
count no harm need be shown: nobody builds a cycle to leave it in its first steps; a fall that was left there is
for information where the run did well. After
a turn the loss must have risen from where it stood at the lowest rate; if it has not, the finding is for
information. In waves: torch's `CosineAnnealingLR`, the only schedule that was made, falls and rises more than once,
which it does only when it is called more often than it was told; for information where the run did well. The wrong
direction: the measures handed to a plateau's schedule are heard. Until the rate is gone they go against its mode through
most of the calls (by the order of all pairs of them), before its first cut at least every other measure was the best so
far for the other mode, and the measure is known to be a loss (for `mode="max"`) or a score (for `mode="min"`): by what an
evaluation measured at the same step, by the name that the script calls it, or because it falls with the training loss. A
validation loss that rises because the network overfits, under the mode "min", is what such a schedule is for. Restarts that
jump, cycles that were asked for, and whatever learned are left alone.

When it is wrong
----------------
A triangle of one fall and one rise, asked for on purpose, looks like a cosine past its end. Decay that is very fast
on purpose looks like a call in the wrong place; it is as harmful.

What to do
----------
Call the schedule where its numbers belong: after each batch when they count batches, after each epoch when they
count epochs. Give a cosine the real number of calls. Give a plateau's schedule `mode="min"` for a loss or an error and
`mode="max"` for an accuracy or another score.

Sources
-------
PyTorch's documentation of `torch.optim.lr_scheduler` (`OneCycleLR` is called after every batch, most others after
every epoch; `CosineAnnealingLR` is periodic). Loshchilov and Hutter, SGDR, 2017. Smith, Cyclical learning rates,
2017 (half a cycle is two to ten epochs).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from unstuck.findings.contract import Advice, Answer, Fired, NotApplicable, Passed, Skipped
from unstuck.findings.evidence.head import number
from unstuck.findings.evidence.places import optimizer_line
from unstuck.findings.evidence.plateaus import agreement, bests, kind_of_measure, plateaus
from unstuck.findings.evidence.progress import Progress, progress
from unstuck.findings.evidence.rate_course import RateCourse, epoch_steps, rate_course
from unstuck.findings.evidence.schedule_count import schedule_count
from unstuck.findings.evidence.trend import mean_between, trend
from unstuck.record.recording import Recording, Stream

CODE = "U412"
NAME = "schedule-misused"
CLAIM = (
    "the schedule runs per batch instead of per epoch or the reverse, ends early, turns back up or waits for the wrong "
    "direction"
)
ENABLED = True
SICK = (
    "examples/sick/u412_digits_step.py",
    "examples/sick/u412_digits_one_cycle.py",
)
HEALTHY = (
    "examples/mended/u412_digits_step.py",
    "examples/mended/u412_digits_one_cycle.py",
    "examples/healthy/docs_char_gpt.py",
    "examples/healthy/digits_cnn_cosine.py",
)
THRESHOLDS = {
    "at_once": (
        0.25,
        "of the run; four healthy and mended runs of 92 have a rate that goes, after .66 of the run at the earliest",
    ),
    "in_a_pass": (4.0, "changes within one pass over the data: a schedule that counts epochs makes one at most"),
    "close": (1 / 200, "of the run between changes, where the passes are not known"),
    "reached": (
        0.5,
        "of the rate that the schedule was built for; all ten healthy and mended runs with a schedule reach all of it",
    ),
    "down": (0.05, "of the peak: a cosine's end, not the low side of a gentle cycle"),
    "up": (0.3, "of the peak at the end of the run, after the turn"),
    "by_epoch": (0.5, "of an epoch between changes of the rate: it is called once in an epoch, not after every batch"),
    "same_count": (0.02, "of the steps by which the calls that the schedule was built for may differ from them"),
    "fewer_calls": (
        1 / 3,
        "of the calls that it was built for; 39 sound runs whose schedule was built for as many calls as the run has "
        "steps make all of them",
    ),
    "waves": (2, "turns from low to high of a cosine that was made to fall once"),
    "risen": (0.1, "of the loss at the lowest rate, and beyond three standard errors, for the climb to have hurt"),
    "against": (
        0.6,
        "of the pairs of measures, less those the other way, go against the mode: six measures in a "
        "random order do so once in 15 times, ten once in 120",
    ),
    "bests": (
        0.5,
        "of the measures up to the first cut are the best so far for the other mode; in a random order two of nine are",
    ),
    "fewest_calls": (6, "measures until the rate is gone: fewer have no direction beyond chance"),
    "fewest_steps": (20, "fewer steps show no schedule"),
}


def judge(recording: Recording) -> Answer:
    """Courses that no schedule has by design, and what they did to the loss."""
    stream = recording.main
    course = rate_course(stream)
    if course is None:
        return Skipped("no learning rate was recorded")
    if course.steps < THRESHOLDS["fewest_steps"][0]:
        return Skipped(f"only {course.steps} steps")
    if course.constant:
        return NotApplicable("the learning rate is constant")
    reached = progress(recording)
    epoch = epoch_steps(recording)
    hurt = (reached.state != "learned" or reached.lagging) and not _settled(reached)
    if hurt and _by_a_schedule(recording) and (found := _too_fast(stream, course, epoch, reached)):
        return found
    if hurt and (found := _too_slow(recording, course, epoch, reached)):
        return found
    if found := _wrong_mode(recording, course, reached):
        return found
    if found := _by_its_count(recording, course, epoch, reached):
        return found
    if found := _back_up(stream, course, reached):
        return found
    if found := _in_waves(recording, course, epoch, reached):
        return found
    return Passed(f"the rate goes from {course.first:.3g} to {course.last:.3g}, at most {course.peak:.3g}")


def _settled(reached: Progress) -> bool:
    """Nothing is known but that the loss came down to half its start: no harm is shown."""
    return reached.state == "unknown" and (
        reached.start is None
        or reached.end is None
        or not math.isfinite(reached.end)
        or reached.end < 0.7 * reached.start
    )


def _by_a_schedule(recording: Recording) -> bool:
    """A schedule of torch's was made, as its note in the group or its event tells; rates set by hand are called nowhere."""
    groups = (recording.main.optimizer or {}).get("groups") or ()
    noted = any(group.get("initial_lr") is not None for group in groups)
    return noted or bool(recording.happened("schedule")) or not groups


def _too_fast(stream: Stream, course: RateCourse, epoch: int | None, reached: Progress) -> Fired | None:
    gone = course.gone_step
    if gone is None or gone - course.peak_step > THRESHOLDS["at_once"][0] * course.steps:
        return None
    if gone > 1.5 * THRESHOLDS["at_once"][0] * course.steps:
        return None
    on_the_way = [s for s in course.changes if course.peak_step < s <= gone]
    spacing = course.spacing(gone)
    if len(on_the_way) < 3 or spacing is None:
        return None
    if epoch is not None and epoch > 1:
        if epoch / spacing < THRESHOLDS["in_a_pass"][0]:
            return None
        passes = f"{epoch / spacing:.3g} times in each pass over the data of {epoch} steps"
    else:
        if spacing > THRESHOLDS["close"][0] * course.steps:
            return None
        passes = f"every {spacing:.3g} steps"
    return Fired(
        sentence=f"The learning rate falls from {course.peak:.3g} below a hundredth of it by step {gone} of "
        f"{course.steps} and ends at {course.last:.2g}: it changes {passes}, as a schedule that counts epochs does when "
        f"it is called after every batch; {reached.sentence}.",
        severity="error" if reached.state == "none" else "warning",
        confidence=0.85,
        where="learning rate",
        step=gone,
        evidence={
            "peak": course.peak,
            "last": course.last,
            "gone_at_step": gone,
            "steps": course.steps,
            "steps_between_changes": spacing,
            "steps_in_a_pass": epoch,
        },
        advice=(
            Advice(
                "call the schedule once per epoch",
                "Move the schedule's step() out of the loop over the batches, to the end of the loop over the epochs.",
                "for epoch in range(epochs):\n    for batch in loader:\n        ...\n    scheduler.step()",
                optimizer_line(stream),
            ),
        ),
        line=optimizer_line(stream),
    )


def _too_slow(recording: Recording, course: RateCourse, epoch: int | None, reached: Progress) -> Fired | None:
    stream = recording.main
    count = schedule_count(recording)
    if count is not None and count.counts_epochs(recording):
        return None  # the run ended before it was through
    aim = _aim(stream)
    if aim is None or course.peak > THRESHOLDS["reached"][0] * aim or course.last < course.peak:
        return None
    spacing = course.spacing(course.steps)
    if spacing is None or spacing < 3:
        return None
    if epoch is not None and epoch > 1 and not 0.5 * epoch <= spacing <= 2.0 * epoch:
        return None
    return Fired(
        sentence=f"The learning rate is still rising when the run ends: from {course.first:.2g} to {course.last:.2g}, "
        f"where the schedule was built to reach {aim:.3g}. It changes every {spacing:.3g} steps"
        + (f", once in each pass over the data of {epoch} steps" if epoch else "")
        + f", as a schedule that counts batches does when it is called once per epoch; {reached.sentence}.",
        severity="error" if reached.state == "none" else "warning",
        confidence=0.85,
        where="learning rate",
        step=0,
        evidence={
            "first": course.first,
            "last": course.last,
            "built_for": aim,
            "steps": course.steps,
            "steps_between_changes": spacing,
            "steps_in_a_pass": epoch,
        },
        advice=(
            Advice(
                "call the schedule after every batch",
                "Move the schedule's step() into the loop over the batches, right after the optimizer's.",
                "optimizer.step()\nscheduler.step()",
                optimizer_line(stream),
            ),
        ),
        line=optimizer_line(stream),
    )


def _aim(stream: Stream) -> float | None:
    """The largest rate that the schedule was built for, as torch's schedules note it in the group."""
    groups = (stream.optimizer or {}).get("groups") or ()
    group = groups[0] if groups else {}
    known = [group.get(key) for key in ("max_lr", "initial_lr")]
    rates = [float(rate) for rate in known if isinstance(rate, int | float) and not isinstance(rate, bool)]
    return max(rates, default=None)


def _by_its_count(recording: Recording, course: RateCourse, epoch: int | None, reached: Progress) -> Fired | None:
    """The schedule was built for as many calls as the run has steps, and was called once in an epoch."""
    stream = recording.main
    count = schedule_count(recording)
    if count is None or abs(count.built_for - course.steps) > THRESHOLDS["same_count"][0] * course.steps:
        return None
    name, built_for, told = count.name, count.built_for, count.data.get("options") or {}
    calls = len(course.changes) + 1
    spacing = course.spacing(course.steps)
    if spacing is None or spacing < 3 or calls > THRESHOLDS["fewer_calls"][0] * built_for:
        return None
    if epoch is not None and epoch > 1 and not 0.5 * epoch <= spacing <= 2.0 * epoch:
        return None
    short = _short_of(stream, course, name, told)
    if short is None:
        return None
    line = count.data.get("line") or optimizer_line(stream)
    return Fired(
        sentence=f"{name} was built for {built_for:g} calls, as many as the run has steps ({course.steps}), and got "
        f"{calls}: the rate changes every {spacing:.3g} steps"
        + (f", once in each pass over the data of {epoch} steps" if epoch else "")
        + f". {short}; {reached.sentence}.",
        severity="info" if name != "OneCycleLR" and reached.course.outcome == "well" else "warning",
        confidence=0.9,
        where="learning rate",
        step=0,
        evidence={
            "first": course.first,
            "last": course.last,
            "peak": course.peak,
            "built_for": _aim(stream),
            "built_for_calls": built_for,
            "calls": calls,
            "steps": course.steps,
            "steps_between_changes": spacing,
            "steps_in_a_pass": epoch,
        },
        advice=(
            Advice(
                "call the schedule after every batch",
                "Move the schedule's step() into the loop over the batches, right after the optimizer's.",
                "optimizer.step()\nscheduler.step()",
                line,
            ),
        ),
        line=line,
    )


def _short_of(stream: Stream, course: RateCourse, name: str, told: Mapping[str, Any]) -> str | None:
    """How far the rate stayed from where the schedule was built to bring it, in words; None when it came halfway."""
    share = THRESHOLDS["reached"][0]
    if name == "OneCycleLR":
        aim = _aim(stream)
        if aim is None or course.peak > share * aim:
            return None
        return f"It never came above {course.peak:.3g}, where the schedule was built to reach {aim:.3g}"
    if name == "LinearLR":
        start, end = number(told.get("start_factor")), number(told.get("end_factor"))
        if not start or end is None:
            return None
        low = course.first * end / start
    else:
        low = number(told.get("eta_min")) or 0.0
    if low > share * course.first or course.first - course.lowest > share * (course.first - low):
        return None
    return (
        f"It fell from {course.first:.3g} to {course.lowest:.3g} only, where the schedule was built to reach {low:.2g}"
    )


def _wrong_mode(recording: Recording, course: RateCourse, reached: Progress) -> Fired | None:
    """A plateau's schedule is given a measure that gets better the other way, and lowers the rate while it does."""
    for plateau in plateaus(recording):
        values = plateau.trained
        if not plateau.cuts or len(values) < THRESHOLDS["fewest_calls"][0]:
            continue
        other, meant = ("min", "loss") if plateau.mode == "max" else ("max", "score")
        expected = 1 if plateau.mode == "max" else -1
        before = values[: plateau.cuts[0][0]]
        if expected * agreement(values) > -THRESHOLDS["against"][0]:
            continue
        if len(before) < 2 or bests(before, other) < THRESHOLDS["bests"][0] * (len(before) - 1):
            continue
        if kind_of_measure(recording, plateau) != meant:
            continue
        _, step, rate, _ = plateau.cuts[0]
        goes, better = ("falls", "lower") if plateau.mode == "max" else ("rises", "higher")
        said = 'mode="max"' if plateau.mode == "max" else 'mode="min", as it has when nothing else is said'
        line = plateau.line or optimizer_line(recording.main)
        return Fired(
            sentence=f"{plateau.name} ({said}) is given a {meant} that {goes}, from {values[0]:.4g} to {values[-1]:.4g} in "
            f"{len(values)} calls: {better} is better here, and the schedule takes it for standing still. It lowered the "
            f"rate {len(plateau.cuts)} times, from {rate:.3g} to {plateau.cuts[-1][3]:.3g}, first at step {step} of "
            f"{course.steps}; {reached.sentence}.",
            severity="error" if reached.state == "none" else "warning",
            confidence=0.9,
            where=plateau.name,
            step=step,
            evidence={
                "mode": plateau.mode,
                "first_measure": values[0],
                "last_measure": values[-1],
                "measures": len(values),
                "cuts": len(plateau.cuts),
                "first_cut_at_step": step,
                "peak": course.peak,
                "last": course.last,
                "steps": course.steps,
            },
            advice=(
                Advice(
                    "the other mode",
                    f'Give the schedule mode="{other}", which a {meant} needs.',
                    f'torch.optim.lr_scheduler.{plateau.name}(optimizer, mode="{other}")',
                    line,
                ),
            ),
            line=line,
        )
    return None


def _in_waves(recording: Recording, course: RateCourse, epoch: int | None, reached: Progress) -> Fired | None:
    """torch's cosine, made to fall once, goes on to rise and fall: it is called more often than it was told."""
    stream = recording.main
    made = [e.data for e in recording.happened("schedule")]
    cosines = [d for d in made if d.get("name") == "CosineAnnealingLR"]
    if len(cosines) != 1 or len(made) != 1 or len(course.turns) < THRESHOLDS["waves"][0]:
        return None
    calls = (cosines[0].get("options") or {}).get("T_max")
    if not isinstance(calls, int | float) or isinstance(calls, bool) or calls <= 0:
        return None
    batches = f" A pass over the data has {epoch} steps." if epoch is not None and epoch > 1 else ""
    harmless = reached.course.outcome == "well"
    spacing = course.spacing(course.steps)
    if epoch is not None and spacing is not None and spacing >= THRESHOLDS["by_epoch"][0] * epoch:
        return _waves_of_epochs(stream, cosines[0], float(calls), course, reached)
    return Fired(
        sentence=f"The learning rate falls and rises {len(course.turns)} times between {course.peak:.3g} and "
        f"{course.lowest:.2g}: a cosine of T_max={calls:g} that is called many times that often in {course.steps} "
        f"steps, as one that counts epochs is when it is called after every batch.{batches} The run ends at a rate of "
        f"{course.last:.3g}; {reached.sentence}.",
        severity="info" if harmless else "error" if reached.state == "none" else "warning",
        confidence=0.85,
        where="learning rate",
        step=course.turns[0],
        evidence={
            "peak": course.peak,
            "lowest": course.lowest,
            "last": course.last,
            "turns": len(course.turns),
            "built_for_calls": float(calls),
            "steps": course.steps,
        },
        advice=(
            Advice(
                "call the schedule once per epoch",
                "Move the schedule's step() out of the loop over the batches, to the end of the loop over the epochs, or "
                f"give it as many calls as it gets (T_max={course.steps}).",
                "for epoch in range(epochs):\n    for batch in loader:\n        ...\n    scheduler.step()",
                optimizer_line(stream),
            ),
        ),
        line=cosines[0].get("line") or optimizer_line(stream),
    )


def _waves_of_epochs(
    stream: Stream, cosine: Mapping[str, Any], calls: float, course: RateCourse, reached: Progress
) -> Fired:
    """A cosine that is called once in an epoch, as it should be, for more epochs than it was told. Some mean it so."""
    line = cosine.get("line") or optimizer_line(stream)
    return Fired(
        sentence=f"The learning rate falls and rises {len(course.turns)} times between {course.peak:.3g} and "
        f"{course.lowest:.2g}: a cosine of T_max={calls:g} that is called once in an epoch, beyond its end. The run ends at "
        f"a rate of {course.last:.3g}; {reached.sentence}.",
        severity="info",
        confidence=0.6,
        where="learning rate",
        step=course.turns[0],
        evidence={
            "peak": course.peak,
            "lowest": course.lowest,
            "last": course.last,
            "turns": len(course.turns),
            "built_for_calls": calls,
            "steps": course.steps,
        },
        advice=(
            Advice(
                "let the schedule end with the run",
                "Give it as many calls as there are epochs; where waves are meant, use the cosine with warm restarts, which "
                "begins each of them at once.",
                "torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs)",
                line,
            ),
        ),
        line=line,
    )


def _back_up(stream: Stream, course: RateCourse, reached: Progress) -> Fired | None:
    if course.lowest > THRESHOLDS["down"][0] * course.peak or course.last < THRESHOLDS["up"][0] * course.peak:
        return None
    if len(course.turns) != 1 or course.lowest_step != course.turns[0]:
        return None
    low = course.lowest_step
    climb = [s for s in course.changes if s > low]
    values = dict(zip(stream.learning_rate.steps, stream.learning_rate.values, strict=True))
    rises = [values[b] - values[a] for a, b in zip([low, *climb], climb, strict=False)]
    if len(climb) < 4 or min(rises) <= 0 or max(rises) > 0.5 * (course.last - course.lowest):
        return None  # a restart jumps; a cycle falls again
    n = course.steps
    around = max(5, (n - low) // 4)
    then = mean_between(stream.loss, low - around, low + around // 2)
    now = trend(stream.loss, n - max(6, (n - low) // 3), n)
    if then is None or now is None:
        return None
    after = trend(stream.loss, low, n)
    risen = now.level - then
    hurt = (
        risen > THRESHOLDS["risen"][0] * max(abs(then), 0.01 * (reached.baseline or 0.0))
        and after is not None
        and after.direction == "rises"
    )
    return Fired(
        sentence=f"The learning rate falls from {course.peak:.3g} to {course.lowest:.2g} at step {low} of {n} and climbs "
        f"back to {course.last:.3g}: a cosine that is called beyond its end. The loss was {then:.4g} at the lowest rate "
        f"and is {now.level:.4g} at the end.",
        severity="warning" if hurt else "info",
        confidence=0.85 if hurt else 0.6,
        where="learning rate",
        step=low,
        evidence={
            "peak": course.peak,
            "lowest": course.lowest,
            "lowest_at_step": low,
            "last": course.last,
            "loss_at_lowest": then,
            "loss_at_end": now.level,
        },
        advice=(
            Advice(
                "let the schedule end with the run",
                f"Give the schedule as many calls as it gets; over {n} steps, when it is called after every batch.",
                f"torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max={n})",
                optimizer_line(stream),
            ),
        ),
        line=optimizer_line(stream),
    )

"""Training ended while the loss was falling usefully.

What it means
-------------
The last step was made while the network was still on its way down, with most of the way before it.

Why it hurts
------------
What was measured at the end is not what this network can do. Comparisons between settings are decided by who
was fastest at the start.

How it is judged
----------------
Nearly every short run still improves a little; that is no finding. It is a warning only when all of this holds:
the run ended by itself; over the last third of its steps the loss falls by more than three standard errors of
its own noise, and has not clearly flattened in its second half; the last third brought at least a fifth of
everything gained so far; and less than half of what separates a constant answer from a perfect one was reached,
by the loss and by right answers or explained variance. Right answers run ahead of the loss of a classifier:
where the loss came less than three tenths of its way, two thirds of right answers are still little, and where
right answers are not known, three tenths are asked of the loss. A fall that had not slowed down at all is also
a warning when the loss came less than half of its way and right answers less than nine tenths, and so is one that
slowed down but in its last third still took an eighth of the loss (a sixth for text) and a tenth of all it
gained, four standard errors sure, before four fifths of the way were done, unless a schedule had brought the
rate down. Where the noise of a short run hides its trend, the end's look may show it: twenty more updates from
the last weights took three hundredths of the loss of batches that they were not made on, at the run's own rate
and with a gradient that stood out of its noise, or a twentieth at four times the rate, which is about the way
of eighty updates. That is a warning where twenty updates are at least a tenth of the run, four fifths of the way
were not done and no schedule had brought the rate down; not for text. If the loss still falls usefully but much
was reached, the model reads text (whose lowest loss is far from zero and not known), or parts of it get no
gradient, it is information; otherwise nothing. Where
the run ended in the first half of what its learning-rate schedule was built for, that is told, and a rate that is still
short is then its consequence.

When it is wrong
----------------
The rest of the way does not exist: labels are noisy, or the network is too small, so the fall would have ended
soon. The recording cannot know the lowest loss that is possible.

What to do
----------
Train longer, and stop by the validation loss. If the loss falls in a straight line from the start, the learning
rate is probably too low: raise it three- or tenfold before buying more epochs.

Sources
-------
Prechelt, Early stopping – but when?, 1998. Faults C2 (one epoch), 51181393 and M1 (rate too low) of published
collections: three to fifty times more steps were missing. Trend by block means, error from their scatter.
"""

from __future__ import annotations

from unstuck.findings.contract import Advice, Answer, Fired, NotApplicable, Number, Passed, Skipped
from unstuck.findings.evidence.commands import run_again
from unstuck.findings.evidence.curvature import last_look, trial
from unstuck.findings.evidence.feeding import reads_tokens
from unstuck.findings.evidence.head import adversarial
from unstuck.findings.evidence.loss_course import LossCourse, loss_course
from unstuck.findings.evidence.schedule_count import cut_short
from unstuck.findings.evidence.trend import Trend, trend
from unstuck.record.recording import Recording

CODE = "T701"
NAME = "stopped-early"
CLAIM = "training ended while the loss was falling usefully"
ENABLED = True
SICK = ("examples/sick/t701_digits.py",)
HEALTHY = ("examples/mended/t701_digits.py", "examples/healthy/noisy_labels.py")
THRESHOLDS = {
    "steps": (24, "a third must have enough steps for a line through block means and its error"),
    "recent": (0.2, "part of all gained so far that the last third brought; an exponential decay that came 95 % of its "
               "way brought 9 %, a straight line 33 %"),
    "reached": (0.5, "halfway from a constant answer to a perfect one"),
    "loss_reached": (0.3, "the same by the loss of a classifier alone: right answers run ahead of it"),
    "skill_reached": (0.65, "the same by right answers then"),
    "full_speed": (0.3, "a third, less noise, is what the last third of a straight line brings: it had not slowed down"),
    "nearly": (0.9, "of the way by right answers: little is left, whatever the loss says"),
    "ending": (0.25, "part of the last third's fall that its second half may have brought; a line has a half"),
    "violent": (2, "times the loss of a constant answer: common initialization starts near 1"),
    "text_reached": (0.15, "of the way by the loss, for a model of text, whose lowest loss is far from zero"),
    "begun": (0.02, "part of the constant answer's loss that a straight fall must have brought to be more than noise"),
    "on_the_way": (0.8, "of the way: of 78 sound runs that came less far none met the next three"),
    "pays": (1 / 8, "of the loss that was left, in the last third"),
    "text_pays": (1 / 6, "the same for a model of text, which never comes near zero"),
    "halved": (0.5, "of the sum of several terms, in the last third"),
    "halved_recent": (0.05, "of all gained, as well: who has come 95 % of the way may halve the rest for ever"),
    "steady": (0.1, "of all gained, in the last third"),
    "surely": (4.0, "standard errors of the fall: about one chance in a thousand at ten degrees of freedom"),
    "goes_on": (0.03, "of the loss, in the updates measured after the end; of 47 sound runs that gained as much none had "
               "come less than .83 of its way"),
    "far_on": (0.05, "of the loss, at four times the rate; all ten sound runs of up to 800 steps that had come less than "
               "four fifths of their way lose by it"),
    "measured_share": (0.1, "of the run that these updates are: a pace does not hold for much longer than it was measured"),
    "useful": (0.05, "part of the remaining loss that the last third brought, below which going on pays little"),
}  # fmt: skip


def judge(recording: Recording) -> Answer:
    """Was it still on its way, with most of the way before it?"""
    stream = recording.main
    if not stream.loss:
        return NotApplicable("no loss was seen") if not stream.steps else Skipped("the loss was not recorded")
    if (recording.end or {}).get("exception"):
        return NotApplicable("the script ended with an exception")
    if not recording.complete and recording.end is None:
        return NotApplicable("the run was cut off or still goes on")
    if adversarial(recording):
        return NotApplicable("two optimizers with losses of their own: neither loss says how far the run is")
    course = loss_course(recording)
    if course.nonfinite_at is not None:
        return NotApplicable("the loss was not finite")
    n = len(stream.loss)
    if n < THRESHOLDS["steps"][0]:
        return Skipped(f"only {n} steps: too few to tell a trend from noise")
    if not course.bounded:
        return NotApplicable("a loss that can be negative has no known end")
    first, last = int(stream.loss.steps[0]), int(stream.loss.steps[-1]) + 1
    third = trend(stream.loss, last - (last - first) // 3, last)
    sixth = trend(stream.loss, last - max(6, (last - first) // 6), last)
    if third is None or sixth is None:
        return Skipped("too few finite losses to tell a trend from noise")
    settled = f"the loss had settled: it changed by {-third.gain:+.2g} ± {third.error:.2g} over the last third"
    answer = Passed(settled) if third.direction != "falls" else _judge(recording, course, third, sixth, settled)
    return (isinstance(answer, Passed) and _continued(recording, course)) or answer


def _judge(recording: Recording, course: LossCourse, third: Trend, sixth: Trend, settled: str) -> Answer:
    assert course.end is not None and course.start is not None
    top = course.start
    violent = course.baseline is not None and top > THRESHOLDS["violent"][0] * course.baseline
    if violent and course.baseline is not None and course.end < course.baseline:
        top = course.baseline  # what a violent start lost and won back does not count
    gained = top - course.end
    if gained < 0.8 * third.gain:
        return Passed("the loss had risen before it fell: its level does not tell how far the run is")
    recent = third.gain / gained
    reached = course.reached
    begun = gained >= THRESHOLDS["begun"][0] * top and recent >= THRESHOLDS["recent"][0]
    if third.gain < THRESHOLDS["useful"][0] * third.level and not begun:
        return Passed(settled)
    straight = sixth.most >= THRESHOLDS["ending"][0] * third.gain and recent >= THRESHOLDS["recent"][0]
    evidence: dict[str, Number] = {
        "fall_last_third": third.gain,
        "fall_standard_error": third.error,
        "part_of_all_gained": recent,
        **course.evidence(),
    }
    if reached is not None:
        evidence["part_of_the_way"] = reached
    text = (
        f"The loss was still falling when training ended: by {third.gain:.3g} ± {third.error:.2g} over the last "
        f"third of "
        f"{course.steps} steps, {min(recent, 1.0):.0%} of all it gained"
    )
    if not course.single:
        if _halved(recording, third, recent):
            whole = f"{text}, more than half of what it was before that; {course.sentence}."
            return _fired(recording, whole, evidence, third.stop, warn=not _obstructed(recording))
        return Passed("several terms make up the loss: none tells how much is left")
    # Text cannot be predicted but in part: nobody knows which, so only a run that has barely begun is told of.
    begun_only = reads_tokens(recording) and (course.fall is None or course.fall >= THRESHOLDS["text_reached"][0])
    little = (
        straight
        and not begun_only
        and (_half_way(course, recent, reached) or (reached is not None and _little_reached(course, reached)))
    )
    if little:
        return _fired(recording, f"{text}; {course.sentence}.", evidence, third.stop, warn=not _obstructed(recording))
    if _worth_going_on(recording, third, recent, reached):
        return _fired(recording, f"{text}; {course.sentence}.", evidence, third.stop, warn=not _obstructed(recording))
    if reached is not None and reached >= THRESHOLDS["nearly"][0]:
        return Passed(f"the loss still fell a little, but {course.sentence}")
    if straight:
        return _fired(recording, f"{text}; {course.sentence}.", evidence, third.stop, warn=False)
    return Passed(
        f"the loss still fell, ever more slowly: the last third brought {min(recent, 1.0):.0%} of all it gained"
    )


def _obstructed(recording: Recording) -> bool:
    """Parts of the model do not train: then it is slow for another reason than too few steps."""
    if any(recording.happened(kind) for kind in ("detached", "untracked", "stale_optimizer", "training_in_eval")):
        return True
    last = next((s for s in reversed(recording.main.samples) if s.get("params")), None)
    return last is not None and any(
        "g" in stat and stat["g"] is None and stat.get("trainable", True) for stat in last["params"].values()
    )


def _worth_going_on(recording: Recording, third: Trend, recent: float, reached: float | None) -> bool:
    """Slower than at first, yet an eighth of what is left went in the last third, at a rate that was not brought down."""
    rates = recording.main.learning_rate
    if reached is None or reached >= THRESHOLDS["on_the_way"][0] or (rates and rates.last < 0.1 * max(rates.values)):
        return False
    sure = third.gain >= THRESHOLDS["surely"][0] * third.error
    pays = THRESHOLDS["text_pays" if reads_tokens(recording) else "pays"][0]
    return sure and recent >= THRESHOLDS["steady"][0] and third.gain >= pays * abs(third.level)


def _halved(recording: Recording, third: Trend, recent: float) -> bool:
    """A sum of several terms that was never negative and lost half of itself in the last third, at a full rate."""
    rates = recording.main.learning_rate
    if (rates and rates.last < 0.1 * max(rates.values)) or recent < THRESHOLDS["halved_recent"][0]:
        return False
    before = third.level + 0.875 * third.gain  # the level is the mean of the last quarter
    return third.gain >= THRESHOLDS["halved"][0] * before > 0 and third.gain >= THRESHOLDS["surely"][0] * third.error


def _continued(recording: Recording, course: LossCourse) -> Fired | None:
    """More updates were measured, on batches they were not made on, and still gained of a run that was short."""
    tried, look = trial(recording), last_look(recording)
    rates, reached = recording.main.learning_rate, course.reached
    if tried is None or look is None or not tried.separate or not course.single or reads_tokens(recording):
        return None
    if reached is None or not 0 < reached < THRESHOLDS["on_the_way"][0]:
        return None
    if tried.steps < THRESHOLDS["measured_share"][0] * course.steps or (rates and rates.last < 0.1 * max(rates.values)):
        return None
    further = dict(zip(tried.multiples, tried.falls, strict=True)).get(4.0, 0.0)
    own = tried.own >= THRESHOLDS["goes_on"][0] * tried.before and look.data["state"] == "descending"
    if not own and further < THRESHOLDS["far_on"][0] * tried.before:
        return None
    fall, at = (tried.own, "the run's own rate") if own else (further, "four times the run's rate")
    return _fired(
        recording,
        f"Training ended on its way down, after {course.steps} steps: {tried.steps} more updates at {at} lower the loss of "
        f"other batches from {tried.before:.4g} by {fall:.3g}, {fall / tried.before:.1%}; {course.sentence}.",
        {
            "measured_before": tried.before,
            "measured_fall": fall,
            "measured_at_multiple": 1.0 if own else 4.0,
            "measured_updates": tried.steps,
            "part_of_the_way": reached,
            **course.evidence(),
        },
        recording.main.steps,
        warn=not _obstructed(recording),
    )


def _half_way(course: LossCourse, recent: float, reached: float | None) -> bool:
    """The fall had not slowed down at all, and the loss had come less than half of its way."""
    if course.fall is None or recent < THRESHOLDS["full_speed"][0]:
        return False
    return course.fall < THRESHOLDS["reached"][0] and (reached or 0.0) < THRESHOLDS["nearly"][0]


def _little_reached(course: LossCourse, reached: float) -> bool:
    """Less than half of the way; for classes, whose right answers run ahead of the loss, both are asked."""
    classes = course.baseline_kind != "variance of the targets"
    by_loss = course.fall is not None and course.fall < THRESHOLDS["loss_reached"][0]
    if not classes:
        return reached < THRESHOLDS["reached"][0]
    if course.skill is None:
        return by_loss
    return reached < THRESHOLDS["reached"][0] or (by_loss and course.skill < THRESHOLDS["skill_reached"][0])


def _fired(recording: Recording, text: str, evidence: dict[str, Number], stop: int, *, warn: bool) -> Fired:
    left = cut_short(recording)
    if left is not None:
        count, calls = left
        text = f"{text[:-1]}; {count.name} was built for {count.built_for:g} calls and got {calls}."
        evidence = {**evidence, "schedule_left": 1.0 - calls / count.built_for}
    rate = recording.main.learning_rate.last if recording.main.learning_rate else None
    optimizer = recording.main.optimizer or {}
    raise_it = (
        Advice(
            "raise the learning rate",
            f"If the loss has fallen in a straight line from the start, try {3 * rate:g} or {10 * rate:g} instead of "
            f"{rate:g}.",
            f"lr={3 * rate:g}",
            optimizer.get("line"),
        ),
    ) if rate else ()  # fmt: skip
    return Fired(
        sentence=text,
        severity="warning" if warn else "info",
        confidence=0.75 if warn else 0.5,
        where="end of training",
        step=stop - 1,
        evidence=evidence,
        advice=(
            Advice(
                "train longer",
                f"Run it again with more steps: {run_again(recording)} (and more epochs).",
                "epochs = 3 * epochs",
            ),
            *raise_it,
        ),
    )

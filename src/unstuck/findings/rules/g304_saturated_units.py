"""Sigmoid, tanh or softmax units that stand on their flat ends.

What it means
-------------
A sigmoid, a tanh and a softmax are flat far from zero: there the output hardly changes with the input, and
the gradient that passes is next to nothing, or exactly nothing when the number is rounded to 0 or 1.

Why it hurts
------------
A unit on its flat end passes no gradient. Hidden ones cut off the layers below them; an output one that is
sure and wrong gets no push to change its mind. Output units that are sure and right are no sickness: that is
what training is for.

How it is judged
----------------
The recording has the share of entries on the flat end for every activation on every sample (|tanh| above
.999, a sigmoid outside .001 to .999, a largest softmax entry above .9999). Hidden sigmoid and tanh layers
fire when more than half of the entries are flat in each of the last samples and the run learned next to
nothing, or when they are so in every sample from the first on and the run did not come halfway from a
constant answer to a perfect one, or when four fifths are so in every sample and the run did not do well. Output
activations fire when nine tenths are flat and the answers are no
better than a constant one. A softmax that weighs data (attention, a router) may well become sure in training:
it fires when more than half of its rows had all but a thousandth of their weight on one entry at the first
samples already, where scores of a sound size leave them nearly even, and still have so in the last ones, and the
run did not come halfway. Rows that a mask leaves fewer than three entries are not counted. A run that learns is
left alone. Attention inside a fused kernel cannot be seen.

When it is wrong
----------------
A run that learns nothing for another reason may hold saturated units by design (binary codes, gates, Gumbel softmax
at a low temperature, memories that are to pick one entry). A batch of a few examples shows little of a layer.

What to do
----------
Look at the first step. Units that are flat there come from inputs that are not normalized (D101) or weights
that are too large (G306); normalize, or use Glorot initialization. Units that became flat in the first steps
come from a step that was too long (U401). For an output, hand the scores to a loss that applies the softmax
or sigmoid itself. For attention, divide the scores by the root of the keys' width.

Sources
-------
LeCun, Bottou, Orr, Müller, Efficient BackProp, 1998. Glorot and Bengio, Understanding the difficulty of
training deep feedforward neural networks, 2010. DeepDiagnosis, 2022 (more than half of a layer). Vaswani and
others, Attention is all you need, 2017 (why scores are divided by the root of the width).
"""

from __future__ import annotations

import math

from unstuck.findings.contract import Advice, Answer, Fired, NotApplicable, Passed, Skipped
from unstuck.findings.evidence.activations import BOUNDED, Course, courses
from unstuck.findings.evidence.head import unseen
from unstuck.findings.evidence.layers import initial_gains
from unstuck.findings.evidence.places import model_line, optimizer_line
from unstuck.findings.evidence.progress import Progress, progress
from unstuck.record.recording import Recording

CODE = "G304"
NAME = "saturated-units"
CLAIM = "sigmoid, tanh or softmax units on their flat ends"
ENABLED = True
SICK = ("examples/sick/g304_digits_tanh.py", "examples/sick/g304_price_list.py")
HEALTHY = (
    "examples/mended/g304_digits_tanh.py",
    "examples/mended/g304_price_list.py",
    "examples/healthy/digits_lstm.py",
    "examples/healthy/digits_gan.py",
)
THRESHOLDS = {
    "hidden": (0.5, "more than half of a layer's entries, as DeepDiagnosis asks; only where the run learned nothing"),
    "extreme": (0.8, "of a layer's entries from the first sample to the last; 160 sound runs have at most .3"),
    "wide": (
        5.0,
        "the initial gain of most layers, and of three at least: 402 runs of 182 healthy scripts have 2.3 at most",
    ),
    "output": (0.9, "nearly all answers sure, and no better than a constant one"),
    "fewest_samples": (2, "one batch may be odd"),
    "rows": (
        0.5,
        "most rows of an attention sure of one entry, at the first samples and at the last; well-scaled ones begin at 0",
    ),
    "first_steps": (3, "steps in which nothing is learned yet"),
}


def judge(recording: Recording) -> Answer:
    """Hidden units on flat ends, or outputs that are sure and wrong, in a run that learned next to nothing."""
    stream = recording.main
    seen = courses(stream)
    if not seen:
        return Skipped("no activation function was seen in the samples")
    curved = [c for c in seen if c.kind in BOUNDED or (c.kind == "softmax" and not c.hidden)]
    weighing = [c for c in seen if c.kind == "softmax" and any(map(math.isfinite, c.sharp))]
    if not curved and not weighing:
        if "a fused kernel keeps none" in unseen(recording):
            return Skipped(
                "attention runs in a fused kernel, which keeps no weights; nothing else of the kind was seen"
            )
        return NotApplicable("no sigmoid, tanh, attention or output softmax")
    known = [c for c in curved if sum(map(math.isfinite, c.saturated)) >= THRESHOLDS["fewest_samples"][0]]
    sure = [c for c in weighing if sum(map(math.isfinite, c.sharp)) >= THRESHOLDS["fewest_samples"][0]]
    if not known and not sure:
        return Skipped("fewer than two samples of the activation functions")
    reached = progress(recording)
    answer = _units(recording, known, reached) if known else None
    if isinstance(answer, Fired):
        return answer
    attention = _attention(recording, sure, reached) if sure else None
    if isinstance(attention, Fired) or answer is None:
        return attention or Passed()
    return answer


def _units(recording: Recording, known: list[Course], reached: Progress) -> Answer:
    """Sigmoid and tanh units, and output softmaxes."""
    hidden = [c for c in known if c.hidden and c.last("saturated") > THRESHOLDS["hidden"][0]]
    output = [c for c in known if not c.hidden and c.last("saturated") >= THRESHOLDS["output"][0]]
    if reached.course.outcome == "diverged":
        # What stands where after the numbers broke says nothing, unless it stood there before the first step.
        from_start = [c for c in hidden if c.saturated[0] > THRESHOLDS["hidden"][0]]
        if from_start:
            return _fired(recording, from_start, "hidden", reached)
        return Passed("the loss diverged, and no hidden layer stood on its flat ends at the start")
    if reached.state == "none" and hidden:
        return _fired(recording, hidden, "hidden", reached)
    limit = THRESHOLDS["hidden"][0]
    throughout = [c for c in hidden if min(v for v in c.saturated if math.isfinite(v)) > limit]
    if reached.state == "some" and throughout:
        return _fired(recording, throughout, "hidden", reached)
    extreme = [c for c in throughout if min(v for v in c.saturated if math.isfinite(v)) >= THRESHOLDS["extreme"][0]]
    if extreme and reached.course.outcome != "well" and reached.state != "unknown":
        return _fired(recording, extreme, "hidden", reached)
    if throughout and _wide(recording):
        return _fired(recording, throughout, "hidden", reached)
    if reached.state == "none" and output:
        return _fired(recording, output, "output", reached)
    worst = max(known, key=lambda c: c.last("saturated") if math.isfinite(c.last("saturated")) else -1.0)
    if hidden or output:
        return Passed(
            f"{worst.last('saturated'):.0%} of {worst.name} is on its flat ends, and the run learns all the same"
        )
    return Passed(f"at most {worst.last('saturated'):.0%} of a layer was on its flat ends throughout ({worst.name})")


def _wide(recording: Recording) -> bool:
    """Most layers begin with weights so wide that it is no choice of a scale; such a network learns by heart at best."""
    gains = initial_gains(recording.main)
    large = [g for g in gains if g.gain > THRESHOLDS["wide"][0]]
    return len(large) >= 3 and 2 * len(large) > len(gains)


def _attention(recording: Recording, sure: list[Course], reached: Progress) -> Answer:
    """Softmaxes that weigh data: sure of one entry before anything was learned, and ever since."""
    limit = THRESHOLDS["rows"][0]
    shares = [(c, _at_first(c), c.last("sharp")) for c in sure]
    flat = [(c, first, last) for c, first, last in shares if first > limit and last > limit]
    if not flat:
        worst = max((first for _, first, _ in shares if math.isfinite(first)), default=0.0)
        return Passed(f"at the first samples at most {worst:.0%} of an attention's rows were sure of one entry")
    course, first, last = max(flat, key=lambda found: found[1])
    if reached.state not in ("none", "some"):
        return Passed(
            f"{first:.0%} of the rows of {course.name} were sure from the start, and the run learns all the same"
        )
    bad = min(first, last) >= THRESHOLDS["output"][0] and reached.state == "none"
    return Fired(
        sentence=f"{first:.0%} of the rows of {course.name} have all but a thousandth of their weight on one of "
        f"{course.units} entries before anything is learned, and {last:.0%} in each of the last samples: such a softmax "
        f"passes next to no gradient to the scores; {reached.sentence}.",
        severity="error" if bad else "warning",
        confidence=0.85 if bad else 0.7,
        where=course.after or course.name,
        step=course.steps[0],
        evidence={"saturated_share": last, "sure_at_start": first, "entries": course.units, "layers": len(flat)},
        advice=(
            Advice(
                "divide the scores",
                "Divide the scores by the root of the width of queries and keys: then they begin with a deviation of "
                "about one, and the weights nearly even.",
                "weights = torch.softmax(query @ key.transpose(-2, -1) / key.shape[-1] ** 0.5, dim=-1)",
            ),
            Advice(
                "normalize queries and keys",
                "A normalization layer on both bounds the scores, whatever training does to the weights before them.",
                "query, key = norm_q(query), norm_k(key)  # torch.nn.LayerNorm(width)",
            ),
        ),
        line=model_line(recording),
    )


def _at_first(course: Course) -> float:
    """The smallest share of sure rows in the first samples; NaN when there are none so early."""
    early = [v for s, v in zip(course.steps, course.sharp, strict=True) if s < THRESHOLDS["first_steps"][0]]
    known = [v for v in early if math.isfinite(v)]
    return min(known, default=math.nan)


def _fired(recording: Recording, flat: list[Course], place: str, reached: Progress) -> Answer:
    limit = THRESHOLDS[place][0]
    worst = min(flat, key=lambda c: (c.since("saturated", limit) or 0, -c.last("saturated")))
    since = worst.since("saturated", limit)
    share = worst.last("saturated")
    at_start = math.isfinite(worst.saturated[0]) and worst.saturated[0] >= limit
    began = "already at the first sample" if at_start else f"since step {since}"
    return Fired(
        sentence=f"{share:.0%} of the {place} {_named(worst)} stands on its flat ends in each of the "
        f"last samples, {began}; {reached.sentence}.",
        severity="error" if share >= THRESHOLDS["output"][0] and reached.state == "none" else "warning",
        confidence=0.85 if share >= THRESHOLDS["output"][0] else 0.65,
        where=worst.after or worst.name,
        step=since,
        evidence={
            "saturated_share": share,
            "at_first_sample": worst.saturated[0],
            "layers": len(flat),
            "since_step": since,
        },
        advice=_advice(recording, worst, place, at_start=at_start),
        line=model_line(recording),
    )


def _named(course: Course) -> str:
    """The layer by its kind and name; functions are named by their kind already."""
    return course.name if course.name.startswith(course.kind) else f"{course.kind} {course.name}"


def _advice(recording: Recording, worst: Course, place: str, *, at_start: bool) -> tuple[Advice, ...]:
    layer = worst.after or worst.name
    rate = recording.main.learning_rate.first if recording.main.learning_rate else None
    found = []
    if at_start:
        found.append(
            Advice(
                "smaller start",
                f"The units are flat before the first step: normalize what enters {layer}, and initialize it for "
                f"{worst.kind}.",
                f"torch.nn.init.xavier_uniform_(model.{layer}.weight)\ntorch.nn.init.zeros_(model.{layer}.bias)",
            )
        )
    elif rate:
        found.append(
            Advice(
                "lower the learning rate",
                f"The units became flat in training: lower the learning rate from {rate:g}, or warm it up.",
                f"lr={rate / 10:g}",
                optimizer_line(recording.main),
            )
        )
    if place == "output":
        found.append(
            Advice(
                "scores into the loss",
                "Give the raw scores to a loss that applies the activation itself: its gradient does not vanish "
                "when the answer is sure and wrong.",
                "torch.nn.BCEWithLogitsLoss()  # or torch.nn.CrossEntropyLoss(), on the scores",
            )
        )
    else:
        found.append(
            Advice(
                "normalize between layers",
                "A normalization layer before the activation keeps its input near zero.",
                f"torch.nn.LayerNorm({worst.units or 'width'})  # before the {worst.kind}",
            )
        )
    return tuple(found)

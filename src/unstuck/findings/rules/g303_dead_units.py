"""ReLU-like units that output zero for every example.

What it means
-------------
A ReLU passes what is positive and answers zero otherwise. A unit whose input is negative for every example
answers zero for every example. Its gradient is then exactly zero too, so no step changes the weights that
feed it: it stays dead.

Why it hurts
------------
A few dead units cost a little capacity and nothing else; many healthy networks have a fifth or even half of
them. A whole dead layer is a wall: no gradient passes it, nothing below it trains, and what comes after it
sees a constant. Only the last bias still learns, and the loss settles where a constant answer puts it.

How it is judged
----------------
On every sampled step the recording says which share of a layer's units was zero for every example of the
batch. A layer whose units are all zero in each of the last samples is dead: this needs no threshold. It is an
error when the run has learned next to nothing, and information when the network found a way around the layer.
A layer with nearly all units dead is a warning, and only when the run learns next to nothing. Fewer dead
units are never reported.

When it is wrong
----------------
Layers that are meant to be off in this phase (a gate that is closed, an expert that no example was sent to)
look dead. The recording sees one batch at a time: rare examples that would wake a unit can be missed.

What to do
----------
Dead units are an end state with several causes; look for the cause at the first step. Inputs far from zero
mean and unit variance (D101), a first step that was too long (U401), weights that start too large (G306) or
all equal (G305), and a summed loss (L209) all end here, and with one of them mended the units live. When none
applies: a lower learning rate with a warm-up, He initialization, a leaky ReLU or GELU in place of the ReLU,
or a normalization layer before it.

Sources
-------
Glorot, Bordes, Bengio, Deep sparse rectifier neural networks, 2011 (sparsity is normal). He and others,
Delving deep into rectifiers, 2015 (initialization). Lu and others, Dying ReLU and initialization, 2020 (why
narrow deep nets die).
"""

from __future__ import annotations

import math

from unstuck.findings.contract import Advice, Answer, Fired, NotApplicable, Passed, Skipped
from unstuck.findings.evidence.activations import RELU_LIKE, Course, courses
from unstuck.findings.evidence.progress import progress
from unstuck.record.recording import Recording

CODE = "G303"
NAME = "dead-units"
CLAIM = "ReLU-like units that output zero for every example"
ENABLED = True
SICK = (
    "examples/sick/g303_breast_cancer_narrow.py",
    "examples/sick/g303_digits_bias.py",
)
HEALTHY = (
    "examples/mended/g303_breast_cancer_narrow.py",
    "examples/mended/g303_digits_bias.py",
    "examples/healthy/digits_autoencoder.py",
    "examples/healthy/digits_mlp_adam.py",
)
THRESHOLDS = {
    "wall": (0.999, "every unit of a layer; the margin is for rounding of a share"),
    "nearly_all": (
        0.9,
        "published mended programs have at most .62 of a layer's ReLUs dead, 402 healthy runs at most .5; asked "
        "for only where the run learned next to nothing",
    ),
    "fewest_samples": (2, "one batch may be odd; two in a row that are entirely zero are not chance"),
}


def judge(recording: Recording) -> Answer:
    """Whole dead layers first, then nearly dead ones in a run that does not learn."""
    stream = recording.main
    seen = courses(stream)
    if not seen:
        return Skipped("no activation function was seen in the samples")
    relus = [c for c in seen if c.kind in RELU_LIKE]
    if not relus:
        return NotApplicable("no ReLU-like activation function")
    relus = [c for c in relus if sum(math.isfinite(d) for d in c.dead) >= THRESHOLDS["fewest_samples"][0]]
    if not relus:
        return Skipped("fewer than two samples of the activation functions")
    learned = progress(recording)
    walls = [c for c in relus if c.last("dead") >= THRESHOLDS["wall"][0]]
    if walls:
        return _wall(recording, walls, relus, learned.state, learned.sentence)
    if learned.state == "none":
        nearly = [c for c in relus if c.last("dead") >= THRESHOLDS["nearly_all"][0]]
        if nearly:
            return _nearly(recording, nearly, learned.sentence)
    worst = max(relus, key=lambda c: c.last("dead"))
    return Passed(f"at most {worst.last('dead'):.0%} of a layer's units were zero throughout ({worst.name})")


def _wall(recording: Recording, walls: list[Course], relus: list[Course], state: str, reached: str) -> Answer:
    first = min(walls, key=lambda c: (c.since("dead", THRESHOLDS["wall"][0]) or 0, c.order))
    since = first.since("dead", THRESHOLDS["wall"][0])
    layer = first.after or first.name
    count = f"{len(walls)} of {len(relus)} ReLU layers are" if len(walls) > 1 else f"{first.name} is"
    units = f"all {first.units} units" if first.units else "all units"
    stands = getattr(recording.extras.get("verdict"), "state", "")
    hurts = state == "none" or (state == "unknown" and stands not in ("learning", "converged"))
    return Fired(
        sentence=f"{count} dead: {units} of {first.name} are zero for every example from step {since} to the last "
        f"sample at step {first.steps[-1]}; {reached}.",
        severity="error" if hurts else "info",
        confidence=0.95 if state == "none" else 0.8 if hurts else 0.6,
        where=layer,
        step=since,
        evidence={
            "dead_share": first.dead[-1],
            "dead_at_first_sample": first.dead[0],
            "dead_layers": len(walls),
            "relu_layers": len(relus),
            "since_step": since,
        },
        advice=_advice(recording, layer, at_start=first.dead[0] >= THRESHOLDS["wall"][0]),
    )


def _nearly(recording: Recording, nearly: list[Course], reached: str) -> Answer:
    worst = max(nearly, key=lambda c: c.last("dead"))
    since = worst.since("dead", THRESHOLDS["nearly_all"][0])
    layer = worst.after or worst.name
    return Fired(
        sentence=f"{worst.last('dead'):.0%} of the units of {worst.name} are zero for every example in each of the "
        f"last samples, since step {since}; {reached}.",
        severity="warning",
        confidence=0.7,
        where=layer,
        step=since,
        evidence={"dead_share": worst.last("dead"), "dead_at_first_sample": worst.dead[0], "since_step": since},
        advice=_advice(recording, layer, at_start=worst.dead[0] >= THRESHOLDS["nearly_all"][0]),
    )


def _advice(recording: Recording, layer: str, *, at_start: bool) -> tuple[Advice, ...]:
    optimizer = recording.main.optimizer or {}
    line = optimizer.get("line")
    rate = recording.main.learning_rate.first if recording.main.learning_rate else None
    found = []
    if at_start:
        found.append(
            Advice(
                "initialize",
                f"The units are dead before the first step: check the inputs of {layer} and its initial weights.",
                f"torch.nn.init.kaiming_normal_(model.{layer}.weight, nonlinearity='relu')\n"
                f"torch.nn.init.zeros_(model.{layer}.bias)",
            )
        )
    else:
        lower = f" from {rate:g} to {rate / 10:g}" if rate else ""
        found.append(
            Advice(
                "lower the learning rate",
                f"The units died in training: lower the learning rate{lower}, or warm it up over the first steps.",
                f"lr={rate / 10:g}" if rate else "",
                line,
            )
        )
    found.append(
        Advice(
            "leaky units",
            "A unit with a slope on its negative side can come back to life.",
            "torch.nn.LeakyReLU(0.01)  # in place of torch.nn.ReLU()",
        )
    )
    return tuple(found)

"""A softmax over a single output is constant.

What it means
-------------
Softmax divides each number by the sum over a dimension. Over a dimension of size 1 it divides a number by
itself: the answer is 1 for every example, whatever the network computes.

Why it hurts
------------
A constant has no gradient. Every parameter's gradient is exactly zero, nothing ever trains, and the loss stands
where the constant 1 (for log-softmax: 0) puts it.

How it is judged
----------------
Exactly, from the graph of the loss: the last activation before it, the loss's own log-softmax included, runs
over a dimension of size 1, and the output was seen to be the same number for every example. No threshold.
Inside the model: in every sample a softmax ran over a dimension of size 1 (and over no other size), and the gradient of
the layer that feeds it was exactly zero, though other gradients were not. It is an error when the run did not come
halfway from a constant answer to a perfect one, else a warning: what stands before the softmax is of no use.

When it is wrong
----------------
Attention over a single key now and then (the first step of a decoder) is a softmax over one number too, and sound: it
is reported only where there never was a second key in any sample.

What to do
----------
For yes or no with one output use a sigmoid, best inside the loss: `BCEWithLogitsLoss`. For a number use no
activation at all. For classes give the last layer one output for each class. Weights over items (attention, pooling)
want the dimension that counts the items: `softmax(scores, dim=1)` for scores of shape (N, items, 1).

Sources
-------
Faults 31880720, 33969059 and 45442843 (questions on StackOverflow, collected by Wardat and others, DeepLocalize,
2021): gradient exactly zero in all three.
"""

from __future__ import annotations

import math

from unstuck.findings.contract import Advice, Answer, Fired, NotApplicable, Passed
from unstuck.findings.evidence.head import (
    SOFTMAXES,
    Place,
    TermSeen,
    activation_name,
    nothing_to_read,
    number,
    places,
    shape_text,
    statistic,
    unknown_head,
)
from unstuck.findings.evidence.liveness import owned
from unstuck.findings.evidence.loss_course import loss_course
from unstuck.record.recording import Fact, Recording, Stream

CODE = "L206"
NAME = "softmax-over-one-unit"
CLAIM = "a softmax over a single output is constant"
ENABLED = True
SICK = ("examples/sick/l206_breast_cancer.py",)
HEALTHY = ("examples/mended/l206_breast_cancer.py",)
THRESHOLDS = {
    "varies": (1e-6, "largest deviation of any output over a batch: a constant, but for rounding"),
    "inside": (
        3,
        "samples that show a softmax inside the model, its layer's gradient exactly zero in all: no accident",
    ),
}


def judge(recording: Recording) -> Answer:
    """Look for a softmax of size 1 before, or in, every loss."""
    nothing = nothing_to_read(recording)
    if nothing is not None:
        return nothing
    some = places(recording)
    sick = [p for p in some if p.share(_constant) > 0.5]
    if sick:
        return _fired(recording, sick[0])
    for stream in recording.streams.values():
        inside = _inside(stream)
        if inside is not None:
            return _weighing_one(recording, stream, inside)
    skipped = unknown_head(recording, some)
    if skipped is not None:
        return skipped
    if not any(_softmaxes(t) for p in some for t in p.seen):
        return NotApplicable("no softmax before or in the loss")
    return Passed("every softmax runs over more than one number")


def _softmaxes(seen: TermSeen) -> list[Fact]:
    """The loss's own softmax, and the script's last activation if that is one."""
    nearest = seen.nearest
    mine = [nearest] if nearest is not None and nearest.get("kind") in SOFTMAXES else []
    # A logarithm may stand between the softmax and the loss.
    head = seen.head or []
    if nearest is not None and nearest.get("kind") == "log" and len(head) > 1 and head[1].get("kind") == "softmax":
        mine = [head[1]]
    return [a for a in seen.own if a.get("kind") in SOFTMAXES] + mine


def _single(seen: TermSeen) -> Fact | None:
    return next((a for a in _softmaxes(seen) if a.get("size") == 1), None)


def _constant(seen: TermSeen) -> bool:
    """A softmax of size 1, and the output it makes does not vary."""
    activation = _single(seen)
    if activation is None:
        return False
    if activation.get("own"):
        return True  # nothing stands between the loss and its own softmax
    varies, deviation = number(seen.output.get("varies")), number(seen.output.get("std"))
    known = varies if varies is not None else deviation
    return known is None or not math.isfinite(known) or known <= THRESHOLDS["varies"][0]


def _inside(stream: Stream) -> Fact | None:
    """A softmax that ran over a single number in every sample, and whose layer never got any gradient."""
    shown = [sample for sample in stream.samples if sample.get("acts") and sample.get("params")]
    if len(shown) < THRESHOLDS["inside"][0]:
        return None
    first: dict[str, Fact] = {}
    for act in shown[0]["acts"]:
        if _over_one(act) and act.get("after"):
            first.setdefault(str(act["after"]), act)
    return next((act for layer, act in first.items() if all(_idle(sample, stream, layer) for sample in shown)), None)


def _over_one(act: Fact) -> bool:
    """A softmax of several numbers in all, each alone in its sum."""
    shape, dim = [int(n) for n in act.get("shape") or ()], act.get("dim")
    if act.get("kind") not in SOFTMAXES or dim is None or not 0 <= int(dim) < len(shape):
        return False
    return shape[int(dim)] == 1 and math.prod(shape) > 1


def _idle(sample: Fact, stream: Stream, layer: str) -> bool:
    """Every softmax after a layer runs over one number; the layer's gradients are exactly zero, and others are not."""
    behind = [act for act in sample["acts"] if act.get("kind") in SOFTMAXES and act.get("after") == layer]
    seen = list(owned(sample, stream))
    own = [p for p in seen if str(p.stat.get("layer") or p.name.rpartition(".")[0]) == layer]
    return (
        bool(behind)
        and all(_over_one(act) for act in behind)
        and any(p.is_weight for p in own)
        and all(p.gradient is not None and p.zero for p in own)
        and any(p.gradient for p in seen)
    )


def _weighing_one(recording: Recording, stream: Stream, act: Fact) -> Fired:
    course = loss_course(recording, stream)
    shape, dim, layer = [int(n) for n in act["shape"]], int(act["dim"]), str(act["after"])
    items = [d for d in range(1, len(shape)) if shape[d] > 1]
    over = f"dimension {items[-1]}" if items else "the dimension that counts them"
    constant = "0" if act.get("kind") == "log_softmax" else "1"
    return Fired(
        sentence=f"Inside the model the {activation_name(act)} runs over a single number ({shape_text(shape)}), so each is "
        f"{constant} whatever the network computes, and {layer} got a gradient of exactly zero in every sample; "
        f"{course.sentence}.",
        severity="error" if course.hurt else "warning",
        confidence=0.95,
        where=str(act.get("name") or layer),
        step=int(stream.samples[0]["s"]),
        evidence={"softmax_size": 1, "softmax_dimension": dim, "shape": shape_text(shape), **course.evidence()},
        advice=(
            Advice(
                "softmax over the items",
                f"Weights that share one sum among several items take the softmax over {over}. With one item only, leave "
                f"the softmax out, or use a sigmoid for a gate.",
                f"torch.softmax(scores, dim={items[-1] if items else 1})",
            ),
        ),
    )


def _fired(recording: Recording, place: Place) -> Fired:
    first = place.first(_constant)
    assert first is not None
    activation = _single(first) or {}
    course = loss_course(recording, recording.streams[place.stream])
    values = statistic(place.seen, "output", "mean")
    own = bool(activation.get("own"))
    name = "The loss's own log-softmax" if own else activation_name(activation)
    constant = 0 if own or activation.get("kind") == "log_softmax" else 1
    text = f"{name} runs over a single number, so it is {constant} for every example and no parameter gets a gradient"
    if course.start is not None and course.end is not None:
        text += f"; the loss was {course.start:.4g} at the start and is {course.end:.4g} after {course.steps} steps"
    evidence = {"softmax_size": 1, "samples": len(place.seen), **course.evidence()}
    if values and not own:
        evidence["output_mean"] = values[-1]
    numbers = place.kind in ("mse", "l1", "smooth_l1", "huber") and not first.target.get("binary")
    advice = (
        Advice(
            "no activation on numbers",
            "The targets are numbers: let the network end in its last linear layer.",
            "output = model(x)                   # no softmax at the end\nloss = "
            "torch.nn.functional.mse_loss(output, y)",
            place.line,
        )
        if numbers
        else Advice(
            "a sigmoid for one output",
            "One output for yes or no wants a sigmoid, best inside the loss; otherwise one output for each class.",
            "score = model(x).squeeze(1)         # no softmax at the end\n"
            "loss = torch.nn.functional.binary_cross_entropy_with_logits(score, y.float())",
            place.line,
        )
    )
    return Fired(
        sentence=text[0].upper() + text[1:] + ".",
        severity="error",
        confidence=0.98,
        where=str(activation.get("name") or place.where) if not own else place.where,
        step=first.step,
        evidence=evidence,
        advice=(advice,),
        line=place.line,
    )

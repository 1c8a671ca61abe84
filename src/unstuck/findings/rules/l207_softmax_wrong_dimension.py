"""The softmax runs over the batch or another wrong axis.

What it means
-------------
Softmax turns numbers along one dimension into shares of one. It should run over the classes; here it runs over
another dimension, most often over the batch, so the examples of a batch compete with each other for each class.

Why it hurts
------------
What the network says about one example depends on which others are in the batch. The probabilities of an example
do not sum to one, the loss starts near the logarithm of the batch size, and its lowest value is far from zero.

How it is judged
----------------
Exactly, from the graph: the last activation before the loss is a softmax or log-softmax over a dimension other
than that of the classes, and the rows that entered the loss were seen not to be normalized over the classes. Where
the script picks the entry of the right class by hand, the classes lie where its index of classes points (a square, as of
a contrastive loss, is left alone). Its
input must have the very shape that enters the loss, so that the dimensions are the same. Inside the model: a softmax
before a layer with weights, or one that weighs parts of the answer (the gate of a mixture, where the loss is one error of
the answers and nothing else), runs, in nearly every sample, over dimension 0 with as many entries as there are examples,
each with one target (and no other dimension has as many). Right answers in training are no excuse: they lean on the
batch.

When it is wrong
----------------
Losses in which the examples of a batch are meant to compete (contrastive losses in both directions) take a softmax
over the batch on purpose. They pick the diagonal by hand or transpose the scores for cross-entropy, and do not
hand a softmax over dimension 0 to a loss that expects classes in dimension 1.

What to do
----------
Give the dimension of the classes: `dim=1` for (N, C) and (N, C, H, W), `dim=-1` where the classes lie last. Better
still, use cross-entropy on raw scores and no softmax.

Sources
-------
PyTorch, documentation of `Softmax` (`dim`) and `NLLLoss` (classes in dimension 1). Fault TDC softmax_dim0 in Ben
Braiek and Khomh, Testing feedforward neural networks training programs, 2023.
"""

from __future__ import annotations

import math

from unstuck.findings.contract import Advice, Answer, Fired, NotApplicable, Number, Passed
from unstuck.findings.evidence.head import (
    CLASS_KINDS,
    SOFTMAXES,
    Place,
    TermSeen,
    activation_name,
    data_terms,
    nothing_to_read,
    number,
    places,
    shape_text,
    unknown_head,
)
from unstuck.findings.evidence.loss_course import LEARNED, LossCourse, loss_course
from unstuck.record.recording import Fact, Recording

CODE = "L207"
NAME = "softmax-wrong-dimension"
CLAIM = "the softmax runs over the batch or another wrong axis"
ENABLED = True
SICK = ("examples/sick/l207_digits_log_softmax.py",)
HEALTHY = ("examples/mended/l207_digits_log_softmax.py",)
THRESHOLDS = {
    "inside": (3, "samples that show a softmax inside the model over as many entries as there are targets"),
    "normalized": (
        0.5,
        "share of rows normalized over the classes: all when the dimension is right, next to none else",
    ),
    "samples": (0.5, "the same place may compute another loss in some steps: the majority of its samples counts"),
}


def judge(recording: Recording) -> Answer:
    """Compare the dimension of the last softmax with that of the classes."""
    nothing = nothing_to_read(recording)
    if nothing is not None:
        return nothing
    some = places(recording, "nll", "gather", "cross_entropy_soft", "mse", "l1", "kl", "bce", "smooth_l1", "huber")
    skipped = unknown_head(recording, some) if some else None
    if skipped is not None:
        return skipped
    inside = _over_examples(recording)
    if inside is not None:
        return inside
    with_softmax = [p for p in some if p.first(lambda t: _softmax(t) is not None) is not None]
    if not with_softmax:
        return NotApplicable("no softmax of the script's own before a loss")
    sick = [p for p in with_softmax if p.share(_wrong) >= THRESHOLDS["samples"][0]]
    if sick:
        return _fired(sick[0], loss_course(recording, recording.streams[sick[0].stream]))
    return Passed("the softmax runs over the classes")


def _over_examples(recording: Recording) -> Fired | None:
    """A softmax inside the model, before a layer with weights, that makes the examples of a batch share one sum."""
    stream = recording.main
    found: list[Fact] = []
    looked = 0
    for sample in stream.samples:
        rows = {
            int(shape[0])
            for loss in sample.get("losses") or ()
            for term in data_terms(loss)
            # One target for each example: with more, the first dimension may be time.
            if (shape := (term.get("target") or {}).get("shape")) and math.prod(map(int, shape[1:])) == 1
        }
        softmaxes = [a for a in sample.get("acts") or () if a.get("kind") == "softmax"]
        weighing = [a for a in softmaxes if a.get("hidden") or (_leads_to_the_output(sample) and not a.get("feeds"))]
        if len(rows) != 1 or not weighing:
            continue
        looked += 1
        (batch,) = rows
        for act in weighing:
            shape = [int(n) for n in act.get("shape") or ()]
            # Where a sequence is as long as the batch is large, the dimension cannot be told from time.
            if act.get("dim") == 0 and len(shape) > 1 and shape[0] == batch and batch > 1 and batch not in shape[1:]:
                found.append(act)
                break
    course = loss_course(recording, stream)
    if len(found) < THRESHOLDS["inside"][0] or len(found) < 0.9 * looked:
        return None
    act = found[0]
    shape = [int(n) for n in act["shape"]]
    name = str(act["name"])
    return Fired(
        sentence=f"The {name if name.startswith('softmax') else f'softmax {name}'} runs over the batch ({shape[0]} entries of "
        f"{shape_text(shape)}): the examples "
        f"share one sum, so that each answer depends on which others are in the batch; {course.sentence}.",
        severity="error" if course.outcome in ("nothing", "diverged") else "warning",
        confidence=0.85,
        where=str(act["name"]),
        step=stream.samples[0]["s"],
        evidence={"softmax_dimension": 0, "shape": shape_text(shape), "samples": len(found), **course.evidence()},
        advice=(
            Advice(
                "softmax inside each example",
                "Let it run over the dimension that is to be weighed, not over the examples of the batch.",
                f"torch.softmax(scores, dim={len(shape) - 1})",
            ),
        ),
    )


def _leads_to_the_output(sample: Fact) -> bool:
    """Whether a softmax in the graph can only be on the way to the answers: nothing but one error makes up the loss, and no
    activation stands between it and the answers. So the gate of a mixture is told from a term of the loss."""
    losses = list(sample.get("losses") or ())
    terms = [term for loss in losses for term in loss.get("terms") or ()]
    return len(losses) == 1 and len(terms) == 1 and len(data_terms(losses[0])) == 1 and not terms[0].get("head")


def _softmax(seen: TermSeen) -> Fact | None:
    """The script's softmax right before the loss; a logarithm may stand between."""
    head = list(seen.head or [])
    if head and head[0].get("kind") == "log":
        head = head[1:]
    return head[0] if head and head[0].get("kind") in SOFTMAXES else None


def _wrong(seen: TermSeen) -> bool:
    activation = _softmax(seen)
    shape = list(seen.output.get("shape") or ())
    if activation is None or len(shape) < 2 or activation.get("dim") is None:
        return False
    if list(activation.get("shape") or ()) != shape:
        return False
    dim = int(activation["dim"]) % len(shape)
    classes = _class_dimension(seen, shape)
    if classes is None or dim == classes or shape[dim] == 1:
        return False
    if seen.kind == "gather" and shape[dim] == shape[classes]:
        return False  # picked from a square: a contrastive loss may want either dimension
    normalized = [
        v
        for v in (number(seen.term.get("log_normalized")), number(seen.output.get("log_normalized")))
        if v is not None and activation.get("kind") == "log_softmax"
    ]
    if activation.get("kind") == "softmax" and (rows := number(seen.output.get("row_sum_one"))) is not None:
        normalized.append(rows)
    # With one example in the batch a softmax over it is constant; with as many examples as classes, values still tell.
    return not any(v >= THRESHOLDS["normalized"][0] for v in normalized)


def _class_dimension(seen: TermSeen, shape: list[int]) -> int | None:
    """Where the classes lie; None when the targets do not tell."""
    if seen.kind in CLASS_KINDS:
        return seen.class_dim
    target = seen.target
    if len(shape) == 2 and shape[1] > 1 and (target.get("one_hot") or (seen.kind == "kl")):
        return 1
    return None


def _fired(place: Place, course: LossCourse) -> Fired:
    first = place.first(_wrong)
    assert first is not None
    activation = _softmax(first) or {}
    shape = list(first.output.get("shape") or ())
    dim = int(activation["dim"]) % len(shape)
    classes = _class_dimension(first, shape)
    evidence: dict[str, Number] = {
        "softmax_dimension": dim,
        "class_dimension": classes,
        "output_shape": shape_text(shape),
        "samples": len(place.seen),
        **course.evidence(),
    }
    axis = "the batch" if dim == 0 else f"dimension {dim}"
    name = activation.get("name")
    log = "log_softmax" if activation.get("kind") == "log_softmax" else "softmax"
    return Fired(
        sentence=f"{activation_name(activation)} runs over {axis} ({shape[dim]} entries of {shape_text(shape)}), but "
        f"the classes lie "
        f"on dimension {classes} ({shape[classes or 0]} entries); {course.sentence}.",
        # Over the batch, right answers in training are no excuse: they lean on the other examples of the batch.
        severity="warning" if dim != 0 and course.skill is not None and course.skill >= LEARNED else "error",
        confidence=0.97,
        where=str(name or place.where),
        step=first.step,
        evidence=evidence,
        advice=(
            Advice(
                "softmax over the classes",
                f"Let {name or 'the softmax'} run over dimension {classes}, or drop it and use cross-entropy on raw "
                f"scores.",
                f"torch.nn.functional.{log}(scores, dim={classes})",
                place.line,
            ),
        ),
        line=place.line,
    )

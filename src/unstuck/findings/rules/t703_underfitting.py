"""The model cannot fit even one small batch, or the training loss's floor is the model's capacity.

What it means
-------------
The network has too little to work with: a hidden layer of one or two units through which everything must pass, a straight
line for a curved relation, a part that is cut off. However long it is trained, the training loss stays up.

Why it hurts
------------
What cannot be fitted cannot be learned. More data, more epochs and regularization do not help, and the last makes it
worse.

How it is judged
----------------
Proved only by a probe (`--probe`): a fresh copy of the model is trained on one small batch of the run, without
dropout. A network that can learn the task fits it nearly perfectly; if it stays above a fifth of the loss of a
constant answer (and below nine tenths of right answers, or of explained variance) it cannot, and that is an error.
From watching alone three cases are reported, as warnings. One: a classifier of five classes and more whose every hidden
signal passes a layer of one or two units, and whose loss has settled with less than half of the way made. Two: all
layers, two or more, follow each other with nothing nonlinear between them, as the loss's graph shows exactly; however
many they are, they can draw straight lines only. Three: the loss has settled with less than half of the way made, and
the five nearest neighbors among the kept examples, a few hundred, answer far better than the network (which has no
dropout): either it has too little to work with or its steps do not get there. Narrow layers on purpose (a
linear autoencoder, a factor of low rank) are left alone, and so is a run that still learns. Where such a chain learned
well it is a remark. Any other run that learned well passes; everything else is skipped, since noise in the labels looks
the same.

When it is wrong
----------------
The probe's steps are too few or its rate unfit for a network that is hard to train (the sickness is then another one);
equal inputs with different targets cannot be fitted by anything, and the probe's result says when a batch has them.
Neighbors vouch for each other's targets without knowing anything where examples overlap, as windows of one series do.
Deep linear networks are also written to study how they learn; then noise in the targets may be what is left.

What to do
----------
Put a nonlinearity between layers that have none. Widen the narrowest layer, add a hidden layer, check that all parts
are trained. First make the network fit one batch, then the whole set.

Sources
-------
Karpathy, A recipe for training neural networks, 2019 (overfit one batch). Goodfellow, Bengio, Courville, Deep learning,
2016, sections 5.2 (capacity) and 6.1 (why a hidden layer must be nonlinear). Saxe, McClelland, Ganguli, Exact solutions
to the nonlinear dynamics of learning in deep linear neural networks, 2014. TheDeepChecker (Ben Braiek and Khomh, 2023):
fit a small sample first. Cover and Hart, Nearest neighbor pattern classification, 1967 (their error is at most twice the
least possible).
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

from unstuck.findings.contract import Advice, Answer, Fired, NotApplicable, Number, Passed, Skipped
from unstuck.findings.evidence.batch_norms import module_kinds
from unstuck.findings.evidence.commands import run_with_probe
from unstuck.findings.evidence.dependence import FEWEST, Relation, relation
from unstuck.findings.evidence.head import CLASS_KINDS, seen_terms
from unstuck.findings.evidence.layers import weights
from unstuck.findings.evidence.loss_course import LossCourse, loss_course
from unstuck.findings.evidence.places import model_line, model_name
from unstuck.findings.evidence.probe_results import figure, probe_result
from unstuck.findings.evidence.trend import trend
from unstuck.findings.verdict import verdict
from unstuck.record.recording import Fact, Recording

CODE = "T703"
NAME = "underfitting"
CLAIM = "the model cannot fit even one small batch, or the training loss's floor is the model's capacity"
ENABLED = True
SICK = ("examples/sick/t703_digits_narrow.py",)
HEALTHY = ("examples/mended/t703_digits_narrow.py", "examples/healthy/noisy_labels.py")
THRESHOLDS = {
    "fits": (0.2, "of the constant answer's loss: a network that can fit a batch of 16 gets below a hundredth"),
    "right": (0.9, "right answers (or explained variance) on the batch that it was trained on"),
    "narrow": (
        2,
        "units: ten classes behind two units can be told apart only by their angle; healthy runs: at least 8",
    ),
    "classes": (5, "more than twice the units"),
    "neighbors": (
        0.5,
        "of the way from a constant answer to all right, that the five nearest of at most 400 examples reach",
    ),
    "ahead": (0.3, "of that way, by which they are ahead of the network, which had all examples"),
    "steps": (100, "before a run can be said to have settled"),
    "chain": (2, "layers in a row with nothing nonlinear between them; exact, read from the loss's graph"),
}
_STANDS = frozenset({"unknown", "converged", "bouncing", "minimum", "flat", "saddle"})
_HEADS = frozenset({"softmax", "log_softmax", "sigmoid", "log_sigmoid"})
_MATRICES = frozenset({"linear", "conv"})
# Operations on the way from the last layer to the loss that bend what passes, though they are no activations.
_BENDING = ("MaxPool", "AdaptiveMaxPool", "Max", "Min", "Clamp", "Where", "MaskedFill", "NanToNum", "Abs", "Pow")


@dataclass(frozen=True)
class _Narrow:
    layer: str
    parameter: str
    units: int


@dataclass(frozen=True)
class _Chain:
    layers: tuple[str, ...]
    widest: int  # of the hidden widths


def judge(recording: Recording) -> Answer:
    """Could the model fit one batch; and if nobody tried, does everything pass one or two units, or is all linear?"""
    result = probe_result(recording, "overfit-one-batch")
    if result is not None:
        return _probed(recording, result)
    if not recording.main.steps:
        return NotApplicable("no training step was seen")
    course = loss_course(recording)
    chain = _linear_chain(recording)
    if chain is not None and _stands(recording, course):
        return _linear(recording, chain, course)
    if course.outcome == "well":
        return Passed(f"the model fits: {course.sentence}")
    narrow = _narrowest(recording)
    if narrow is not None and course.hurt and not course.diverged and _settled(recording):
        return _watched(recording, narrow, course)
    tied = relation(recording)
    if tied is not None and course.hurt and not course.diverged and _settled(recording):
        behind = _behind_neighbors(recording, tied, course)
        if behind is not None:
            return behind
    return Skipped(
        "watching cannot tell a model that is too small from labels that are noisy; a probe can: "
        + run_with_probe(recording)
    )


def _probed(recording: Recording, result: Fact) -> Answer:
    if result.get("unseen"):
        return Skipped(f"the probe could not be made: {result['unseen']}")
    last, constant = figure(result, "last_loss"), figure(result, "constant_loss")
    first, steps = figure(result, "first_loss"), figure(result, "steps")
    right = figure(result, "accuracy")
    right = figure(result, "r2") if right is None else right
    examples = int(figure(result, "examples") or 0)
    if last is None:
        return Skipped("the probe gave no loss")
    if result.get("distinct_inputs") is False:
        return Skipped("the probe's batch holds equal inputs with different targets, which nothing can fit")
    level = constant if constant is not None and constant > 0 else first
    if level is None or level <= 0:
        return Skipped("the probe gave nothing to compare its loss with")
    share = last / level
    course = loss_course(recording)
    if course.outcome == "well" or (course.fall is not None and course.fall >= 1 - THRESHOLDS["fits"][0]):
        return Passed(f"the run itself fits its data: {course.sentence}")
    began = "a constant answer has" if level == constant else "it began at"
    shown = f"{last:.3g} after {steps or 0:.0f} steps on {examples} examples ({began} {level:.3g})"
    if share <= THRESHOLDS["fits"][0] or (right is not None and right >= THRESHOLDS["right"][0]):
        return Passed(f"a copy of the model fits one batch: its loss is {shown}")
    evidence: dict[str, Number] = {
        "examples": examples,
        "steps": steps,
        "first_loss": first,
        "last_loss": last,
        "constant_answer_loss": constant,
        "right": right,
    }
    told = f", {right:.0%} of the answers right" if right is not None else ""
    return Fired(
        sentence=f"A fresh copy of the model cannot fit even one batch: its loss is {shown}{told}.",
        severity="error",
        confidence=0.9 if share > 0.5 else 0.75,
        where=model_name(recording),
        step=None,
        evidence=evidence,
        advice=_advice(None),
        line=model_line(recording),
        basis="probed",
    )


def _settled(recording: Recording) -> bool:
    stream = recording.main
    if stream.steps < THRESHOLDS["steps"][0]:
        return False
    third = trend(stream.loss, stream.steps - stream.steps // 3, stream.steps)
    return third is not None and (third.direction == "level" or third.gain < 0.05 * abs(third.level))


def _stands(recording: Recording, course: LossCourse) -> bool:
    """It is known what came of the run, and it no longer learns usefully."""
    if course.outcome == "well":
        return True
    found = recording.extras.get("verdict") or verdict(recording)
    return course.outcome in ("nothing", "some", "learned") and found.state in _STANDS


def _linear_chain(recording: Recording) -> _Chain | None:
    """All layers of the loss's path, when in every sample nothing nonlinear stands between the first and the loss."""
    samples = [sample for sample in recording.main.samples if sample.get("layers")]
    names = _chained(samples[0]) if samples else ()
    if not names or any(_chained(sample) != names for sample in samples[1:]):
        return None
    widths = _widths(samples[0], recording)
    if len(widths) != len(names) + 1:
        return None
    ends = min(widths[0], widths[-1])
    # Narrower than what it comes from and what it goes to: an autoencoder's code, a factor of low rank.
    wide = [
        width
        for before, width, after in zip(widths[:-2], widths[1:-1], widths[2:], strict=True)
        if width >= max(ends, min(before, after))
    ]
    return _Chain(names, max(wide)) if wide else None


def _chained(sample: Fact) -> tuple[str, ...]:
    """The layers of a sample's only loss in forward order, when they are one linear chain up to the loss; else ()."""
    # A batch normalization is part of the chain where it is one: in training the layer behind it says that it is not.
    layers = [layer for layer in sample["layers"] if layer.get("kind") != "batch_norm"]
    if len(layers) < THRESHOLDS["chain"][0] or any(layer.get("kind") not in _MATRICES for layer in layers):
        return ()
    layers.sort(key=lambda layer: layer.get("order") or 0)
    if layers[0].get("after_linear") != "" or not all(layer.get("after_linear") for layer in layers[1:]):
        return ()
    losses = list(sample.get("losses") or ())
    if len(losses) != 1:
        return ()
    terms = [term for term in losses[0].get("terms") or () if term.get("kind") != "penalty"]
    for term in terms:
        head = term.get("head")
        bent = any(str(op).startswith(_BENDING) for op in term.get("op") or ())
        if term.get("layer") != layers[-1]["name"] or head is None or bent:
            return ()
        if any(not entry.get("own") and entry.get("kind") not in _HEADS for entry in head):
            return ()
    return tuple(str(layer["name"]) for layer in layers) if len(terms) == 1 else ()


def _widths(sample: Fact, recording: Recording) -> list[int]:
    """What goes in for each example (or place), what is passed on from layer to layer, and what comes out."""
    layers = sorted(
        (layer for layer in sample["layers"] if layer.get("kind") in _MATRICES),
        key=lambda layer: layer.get("order") or 0,
    )
    widths: list[int] = []
    for layer in layers:
        shape = layer.get("in_shape")
        if layer.get("kind") == "conv" and shape:
            widths.append(math.prod(int(n) for n in shape[1:]))
        elif layer.get("fan_in"):
            widths.append(int(layer["fan_in"]))
    last = layers[-1]
    for weight in weights(sample, recording.main):
        size = int(weight.stat.get("n") or 0)
        if weight.layer == last["name"] and last.get("kind") == "linear" and last.get("fan_in"):
            return [*widths, size // int(last["fan_in"])]
    output = next(t.output.get("shape") or () for t in seen_terms(recording.main))
    return [*widths, math.prod(int(n) for n in output[1:])]


def _linear(recording: Recording, chain: _Chain, course: LossCourse) -> Fired:
    names, count = chain.layers, len(chain.layers)
    shown = ", ".join(names[: 3 if count > 4 else count - 1])
    shown += f", … and {names[-1]}" if count > 4 else f" and {names[-1]}"
    well = course.outcome == "well"
    return Fired(
        sentence=f"{shown} follow each other without a nonlinearity between them: {count} layers like that are one "
        f"linear layer, and can draw straight lines only; {course.sentence}.",
        severity="info" if well else "warning",
        confidence=0.75,
        where=names[0],
        step=None,
        evidence={"layers": count, "widest_hidden": chain.widest, **course.evidence()},
        advice=(
            Advice(
                "a nonlinearity between layers",
                f"Apply torch.relu (or tanh, gelu) to what {names[0]} puts out, and to every layer after it but the "
                f"last.",
                _relu_code(names),
            ),
        ),
        line=model_line(recording, names[0].partition(".")[0]) or model_line(recording),
    )


def _relu_code(names: tuple[str, ...]) -> str:
    """Lines for ``forward`` with the module's own names; for a Sequential, what goes between its parts."""
    inner = [name.partition(".")[2] or name for name in names[:-1]]
    if all(name.isdigit() for name in inner):
        return "torch.nn.ReLU(),   # after each layer of the Sequential but the last"
    lines = []
    for name in inner[:3]:
        parts = name.split(".")
        path = "".join(f"[{part}]" if part.isdigit() else f".{part}" for part in parts)
        lines.append(f"x = torch.relu(self{path}(x))")
    return "\n".join(lines)


def _narrowest(recording: Recording) -> _Narrow | None:
    """A hidden layer of one or two units between two layers of a classifier, in a chain of layers."""
    classes = {t.class_count or 0 for t in seen_terms(recording.main) if t.kind in CLASS_KINDS}
    if len(classes) != 1 or max(classes) < THRESHOLDS["classes"][0]:
        return None
    shapes = {
        str(p.get("name")): [int(n) for n in p.get("shape") or ()]
        for model in recording.models
        for p in model.get("params") or ()
    }
    for sample in recording.main.samples[:1]:
        chain = [w for w in weights(sample, recording.main) if len(shapes.get(w.name, ())) == 2]
        for one, following in itertools.pairwise(chain):
            units = shapes[one.name][0]
            # Everything passes it: the next layer takes these units and no others.
            if units <= THRESHOLDS["narrow"][0] and shapes[following.name][1] == units:
                return _Narrow(one.layer, one.name, units)
    return None


def _watched(recording: Recording, narrow: _Narrow, course: LossCourse) -> Fired:
    return Fired(
        sentence=f"Everything passes the {narrow.units} unit{'s' if narrow.units > 1 else ''} of {narrow.layer}, and the loss "
        f"has settled; {course.sentence}.",
        severity="warning",
        confidence=0.7,
        where=narrow.layer,
        step=recording.main.steps - 1,
        evidence={"units": narrow.units, **course.evidence()},
        advice=_advice(narrow),
        line=model_line(recording),
    )


def _behind_neighbors(recording: Recording, tied: Relation, course: LossCourse) -> Fired | None:
    """The loss has settled, and a handful of neighbors tell the targets far better than the network does."""
    reached = course.reached
    if tied.neighbors is None or reached is None or tied.examples < FEWEST:
        return None
    if any("Dropout" in kind for kind in module_kinds(recording).values()):  # its figure is that of the thinned network
        return None
    if tied.neighbors < THRESHOLDS["neighbors"][0] or tied.neighbors - max(0.0, reached) < THRESHOLDS["ahead"][0]:
        return None
    return Fired(
        sentence=f"Neighbors tell the targets better than the network does: the five nearest among {tied.examples} of the "
        f"training examples come {tied.neighbors:.0%} of the way from a constant answer to all right, the network "
        f"{max(0.0, reached):.0%}, and its loss has settled; {course.sentence}.",
        severity="warning",
        confidence=0.6,
        where=model_name(recording),
        step=recording.main.steps - 1,
        evidence={"neighbors_skill": tied.neighbors, "network_skill": reached, **course.evidence()},
        advice=(
            *_advice(None),
            Advice(
                "try another rule",
                "Where the network can fit one batch, it is the steps that do not get there: try Adam, or another rate.",
                "optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)",
            ),
        ),
        line=model_line(recording),
        basis="probed",
    )


def _advice(narrow: _Narrow | None) -> tuple[Advice, ...]:
    where = f"Widen {narrow.layer}" if narrow is not None else "Widen the narrowest layer, or add a hidden one"
    return (
        Advice(
            "more capacity",
            f"{where}, until the network fits one batch of 16 examples to nearly no loss.",
            "torch.nn.Linear(features, 64)   # instead of a handful of units",
        ),
    )

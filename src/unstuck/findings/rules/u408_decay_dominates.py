"""Weight decay or another penalty outweighs the data's gradient.

What it means
-------------
A penalty pulls every weight towards zero, the data pull them to where they answer rightly. When the first pull is
the stronger one, the weights shrink however the answers fare, and the loss of a constant answer is all that is left.
In a variational autoencoder the divergence of the latent distribution is such a penalty: it pulls towards codes that tell
nothing of the input.

Why it hurts
------------
The network cannot hold what it learns: with each step it forgets more than the batch teaches. It underfits, whatever
its size and however long it runs.

How it is judged
----------------
For decay in the optimizer the pull is its coefficient times the norm of the weights, compared with the norm of the
gradient (for decoupled decay: what one step takes off the weights, compared with the whole change of the step).
Matrices are judged first, and where they show nothing, the tables of embeddings: of a table the pull is that on the rows
that the batch asked for, since the others have no gradient to compare it with.
For a penalty in the loss the angle between each weight and its gradient tells: the gradient of a penalty points along
the weight, that of the data hardly ever does. Where the loss was seen to hold a penalty, one weight that it bears on
is enough; where it was seen to be the data's alone, the angle tells nothing. One of these must be large in the median
sample, the weights must have shrunk by a twentieth at least and at a pace that takes them below half of what they
were by the end of the run, and the run must not have come halfway from a constant answer to a perfect one. Where the
loss of a constant answer is not known, the loss must have stayed near its start.
For a divergence of the latent distribution beside the reconstruction's error: the whole loss stands, over the second half
of the run, where the best constant answer puts the error alone, and never came below. So the divergence fell to nothing
and the reconstruction is the mean (any code that was of use would have made the loss lower). And each entry of the
latent distribution weighs at least twice what an entry of the reconstruction does, in units of their natural sum.

When it is wrong
----------------
Where the data hold nothing to learn, any decay wins; the labels are at fault then. A network whose units are dead
has no data gradient; but usual decay takes far more steps than a run has to halve its weights. The rows of a table that
are hardly ever asked for shrink under any decay in the gradient, which Adam divides by its size: a run that learns
nothing for another reason may then be named. An autoencoder whose
inputs are noise has nothing to put into its code.

What to do
----------
Lower the coefficient tenfold, or leave it out until the network can fit the training data; then raise it for the sake
of the validation data. Usual are 1e-4 to 1e-3 for plain gradient descent, 1e-2 to 1e-1 for AdamW. Leave biases and
normalization layers out of it. The error of a reconstruction is summed over its entries (and averaged over the examples) as
the divergence is; a factor on the divergence then grows from zero to one.

Sources
-------
Krogh and Hertz, A simple weight decay can improve generalization, 1992. Loshchilov and Hutter, Decoupled weight decay
regularization, 2019. TheDeepChecker, 2021 (over-regularization among its seeded faults). Kingma and Welling,
Auto-encoding variational Bayes, 2014 (both terms are sums); Bowman and others, Generating sentences from a continuous
space, 2016 (a code that tells nothing).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass

from unstuck.findings.contract import Advice, Answer, Fired, NotApplicable, Passed, Skipped
from unstuck.findings.evidence.head import TermSeen, data_terms, number
from unstuck.findings.evidence.layers import Weight, tables, weights
from unstuck.findings.evidence.liveness import with_parameters
from unstuck.findings.evidence.places import backward_line, optimizer_kind, optimizer_line
from unstuck.findings.evidence.progress import Progress, progress
from unstuck.record.recording import Fact, Recording, Stream

CODE = "U408"
NAME = "decay-dominates"
CLAIM = "weight decay or another penalty outweighs the data gradient"
ENABLED = True
SICK = (
    "examples/sick/u408_digits_decay.py",
    "examples/sick/u408_wine_penalty.py",
)
HEALTHY = (
    "examples/mended/u408_digits_decay.py",
    "examples/mended/u408_wine_penalty.py",
    "examples/healthy/breast_cancer_lbfgs.py",
)
THRESHOLDS = {
    "pull": (
        0.5,
        "of the gradient's norm, or of the step's change; 14 healthy and mended runs with decay have at most .005",
    ),
    "along": (
        0.7,
        "cosine of gradient and weight, median over weights; 82 healthy and mended runs have at most .16, but one (.64)",
    ),
    "shrunk": (0.5, "of their norm at the start is left of the weights by the end, at the pace that was sampled"),
    "begun": (0.95, "of their norm is left in the last sample, at most, for a pace to be seen"),
    "stayed": (
        0.9,
        "of the loss at the start is left at the end, where a constant answer's loss is not known; a table that decay "
        "held at nothing kept .98 of it, the same run with sound decay .17",
    ),
    "constant": (
        0.99,
        "of the constant answer's loss, which no tenth of the second half may be below; six healthy and mended "
        "variational autoencoders come down to .56 to .92, two collapsed ones to 1.001 and 1.006",
    ),
    "settled": (1.03, "of the constant answer's loss at most, in the same tenths: what a divergence near zero leaves"),
    "outweighs": (2, "times its natural weight beside the reconstruction; a sum of both has 1, by the lower bound"),
    "fewest_steps": (100, "steps, so that a tenth of the second half is a mean of some losses"),
    "fewest_samples": (4, "samples, so that a course of the weights is known"),
}


_Kind = Callable[[Fact, Stream], list[Weight]]
"""The parameters that the pull is measured on: matrices, or tables of embeddings."""


@dataclass(frozen=True)
class _Pull:
    size: float  # of the penalty's pull over the data's
    by: str  # "weight_decay", "decoupled weight_decay" or "penalty"
    coefficient: float | None


@dataclass(frozen=True)
class _Left:
    share: float  # of the weights' norm, in the last sample
    first: int  # steps of the two samples
    last: int

    def by_end(self, steps: int) -> float:
        """What would be left at the end of the run if the weights went on shrinking like that."""
        return float(self.share ** (max(1, steps - self.first) / (self.last - self.first)))


def judge(recording: Recording) -> Answer:
    """The pull of the penalty, the course of the weights, and what the run has learned."""
    stream = recording.main
    collapse = _collapse(stream)
    if collapse is not None:
        return _collapsed(stream, collapse)
    samples = with_parameters(stream)
    if not samples:
        return Skipped("no parameters were looked at")
    if len(samples) < THRESHOLDS["fewest_samples"][0]:
        return Skipped(f"only {len(samples)} samples")
    coefficient = _coefficient(stream)
    terms = [term for _, _, term in stream.terms()]
    penalty = any(term.get("kind") == "penalty" for term in terms)
    found = _decay(stream, samples, coefficient) if coefficient else None
    matrices: _Kind = weights
    if coefficient and (found is None or found.size < THRESHOLDS["pull"][0]):
        of_tables = _decay(stream, samples, coefficient, tables)
        if of_tables is not None and (found is None or of_tables.size >= THRESHOLDS["pull"][0]):
            found, matrices = of_tables, tables
    alone = not penalty and bool(terms) and len(terms) == len({s for s, _, _ in stream.terms()})
    name = _most_along(stream, samples) if penalty else None
    along = None if alone else _along(stream, samples, name)
    if found is None and along is None and not penalty:
        return NotApplicable("no weight decay, and no gradient along the weights was measured")
    if along is not None and (found is None or found.size < THRESHOLDS["pull"][0]):
        found, matrices = _Pull(along, "penalty", None), weights
    if found is None:
        return Skipped("neither the weights nor their gradients were measured")
    left = _left(stream, samples, name if found.by == "penalty" else None, matrices)
    strong = found.size >= THRESHOLDS["along" if found.by == "penalty" else "pull"][0]
    told = (
        f"the cosine of gradient and weights is {found.size:.2g} in the median"
        if found.by == "penalty"
        else f"the pull of the {found.by} is {found.size:.2g} of the data's"
    )
    if not strong:
        return Passed(told)
    if left is None:
        return Skipped("the norms of the weights were not measured")
    if left.share > THRESHOLDS["begun"][0] or left.by_end(stream.steps) > THRESHOLDS["shrunk"][0]:
        return Passed(
            f"the pull of the {found.by} is {found.size:.2g}, but {left.share:.0%} of the weights' norm is left"
        )
    reached = progress(recording)
    if (reached.state not in ("none", "some") and not _stayed(reached)) or reached.course.diverged:
        return Passed(f"the weights shrink to {left.share:.0%} of their norm, and the run learns: {reached.sentence}")
    return _fired(recording, found, left, reached.state == "none", reached.sentence)


@dataclass(frozen=True)
class _Collapse:
    """A loss of a reconstruction and a latent divergence that stands at the constant answer's."""

    constant: float  # the loss of the best constant reconstruction, without any divergence
    end: float
    outweighs: float  # the weight of an entry of the divergence over its natural one
    columns: int  # entries of the reconstruction of one example
    about: str  # "about", or "up to" where the divergence is a mean over entries whose number is not known


def _collapse(stream: Stream) -> _Collapse | None:
    constants, weighs, columns, about = [], [], [], "about"
    for sample in stream.samples:
        for loss in sample.get("losses") or ():
            terms = [TermSeen(int(sample["s"]), stream.number, loss, term) for term in data_terms(loss)]
            data = [t for t in terms if number(t.term.get("constant")) is not None and t.direction > 0 and t.plain]
            latent = [t for t in terms if t.term.get("latent") and (number(t.term.get("weight")) or 0.0) > 0]
            shape = [int(n) for n in data[0].target.get("shape") or ()] if data else []
            if len(terms) != 2 or len(data) != 1 or len(latent) != 1 or len(shape) < 2:
                return None  # something else is in the loss
            summed = number(data[0].term.get("sum_over")) or 1.0
            constants.append(data[0].weight * summed * float(data[0].term["constant"]))
            # Of one entry, in the whole loss. The natural divergence of a Gaussian has a factor of one half.
            one = data[0].weight * summed / math.prod(shape)
            about = about if (number(latent[0].term.get("sum_over")) or 1.0) > 1 else "up to"
            over_batch = (number(latent[0].term.get("sum_over_batch")) or 1.0) > 1
            weighs.append(2 * latent[0].weight / (1 if over_batch else shape[0]) / one if one > 0 else 0.0)
            columns.append(math.prod(shape[1:]))
    values = stream.loss.values
    n = len(values)
    if len(constants) < THRESHOLDS["fewest_samples"][0] or n < THRESHOLDS["fewest_steps"][0]:
        return None
    constant = statistics.median(constants)
    tenths = [statistics.fmean(values[n * i // 10 : n * (i + 1) // 10]) for i in range(5, 10)]
    low, high = (THRESHOLDS[key][0] * constant for key in ("constant", "settled"))
    outweighs = statistics.median(weighs)
    if constant <= 0 or outweighs < THRESHOLDS["outweighs"][0] or not all(low <= v <= high for v in tenths):
        return None
    return _Collapse(constant, tenths[-1], outweighs, int(statistics.median(columns)), about)


def _collapsed(stream: Stream, found: _Collapse) -> Fired:
    line = backward_line(stream)
    return Fired(
        sentence=f"The divergence of the latent distribution outweighs the reconstruction ({found.about} "
        f"{found.outweighs:.3g} times its natural weight): over the second half of the run the loss stands at "
        f"{found.end:.4g}, where the best constant reconstruction puts it ({found.constant:.4g}), so the code tells "
        f"nothing of the input.",
        severity="error",
        confidence=0.9,
        where="the divergence in the loss",
        step=0,
        evidence={
            "last_loss": found.end,
            "constant_answer_loss": found.constant,
            "outweighs": found.outweighs,
            "entries": found.columns,
            "by": "divergence",
        },
        advice=(
            Advice(
                "sum both terms alike",
                f"Sum the error over the {found.columns} entries of each example and average over the examples, as the "
                f"divergence is; or divide the divergence by {found.columns}.",
                "error = torch.nn.functional.mse_loss(reconstruction, x, reduction='sum') / len(x)\n"
                "loss = error + divergence",
                line,
            ),
        ),
        line=line,
    )


def _fired(recording: Recording, found: _Pull, left: _Left, lost: bool, sentence: str) -> Fired:
    stream = recording.main
    kind = optimizer_kind(stream) or "the optimizer"
    if found.by == "penalty":
        pull = f"The gradient points along the weights (cosine {found.size:.2f} in the median): a penalty outweighs the data"
        where, line = "the penalty in the loss", backward_line(stream)
        advice = Advice(
            "lower the penalty",
            "Lower the factor of the penalty tenfold, and divide it by the number of weights if it sums over them.",
            "loss = data_loss + 0.1 * factor * penalty",
            line,
        )
    else:
        share = (
            f"{found.size:.2g} times the data's gradient"
            if found.by == "weight_decay"
            else f"{found.size:.2g} of the whole change of a step"
        )
        pull = f"The pull of {kind}'s weight_decay={found.coefficient:g} is {share}"
        where, line = f"{kind}(weight_decay={found.coefficient:g})", optimizer_line(stream)
        lower = (found.coefficient or 0.0) / 100
        advice = Advice(
            "lower the weight decay",
            f"Lower weight_decay from {found.coefficient:g}, and raise it again only for the sake of validation data.",
            f"weight_decay={lower:.0e}",
            line,
        )
    return Fired(
        sentence=f"{pull}, and by step {left.last} {left.share:.1%} of the weights' norm is left; {sentence}.",
        severity="error" if lost else "warning",
        confidence=0.85,
        where=where,
        step=0,
        evidence={
            "pull": found.size,
            "weight_norm_left": left.share,
            "at_step": left.last,
            "coefficient": found.coefficient,
            "by": found.by,
        },
        advice=(advice,),
        line=line,
    )


def _coefficient(stream: Stream) -> float | None:
    """The largest weight decay of any group; None when there is none."""
    values = [group.get("weight_decay") for group in (stream.optimizer or {}).get("groups") or ()]
    known = [float(v) for v in values if isinstance(v, int | float) and not isinstance(v, bool) and v > 0]
    return max(known, default=None)


def _decoupled(stream: Stream) -> bool:
    groups = (stream.optimizer or {}).get("groups") or ()
    if any(group.get("decoupled_weight_decay") is True for group in groups):
        return True
    kind = optimizer_kind(stream)
    return kind.endswith("W") or kind in ("Lion", "Muon", "LAMB", "Lamb", "Adafactor")


def _stayed(reached: Progress) -> bool:
    """Nothing is known but the loss itself, and it ends near its start."""
    start, end = reached.start, reached.end
    known = reached.state == "unknown" and start is not None and end is not None and math.isfinite(end)
    return known and start > 0 and end > THRESHOLDS["stayed"][0] * start  # type: ignore[operator]


def _asked_for(weight: Weight) -> float:
    """The share of a weight's squares that a batch has a gradient for: the rows of a table that it looked up."""
    zeros = number(weight.stat.get("gz")) if weight.stat.get("role") == "embedding" else None
    return 1.0 if zeros is None else max(0.0, 1.0 - zeros)


def _decay(stream: Stream, samples: list[Fact], coefficient: float, matrices: _Kind = weights) -> _Pull | None:
    """The decay's pull over the gradient's, the larger of the medians of the first samples and of all."""
    decoupled = _decoupled(stream)
    rates = dict(stream.learning_rate)
    held = {
        str(name): float(group["weight_decay"])
        for group in (stream.optimizer or {}).get("groups") or ()
        if isinstance(group.get("weight_decay"), int | float)
        for name in group.get("params") or ()
    }
    ratios = []
    for sample in samples:
        pulled, other = 0.0, 0.0
        for weight in matrices(sample, stream):
            own = held.get(weight.name, coefficient)
            if own <= 0 or weight.g is None or not math.isfinite(weight.w):
                continue
            if decoupled:
                change = weight.stat.get("u")
                rate = rates.get(weight.step)
                if change is None or rate is None:
                    continue
                pulled += (rate * own * weight.w) ** 2
                other += float(change) ** 2
            elif math.isfinite(weight.g):
                pulled += (own * weight.w) ** 2 * _asked_for(weight)
                other += weight.g**2
        if pulled > 0 and other > 0 and math.isfinite(other):
            ratios.append(math.sqrt(pulled / other))
    if not ratios:
        return None
    size = max(statistics.median(ratios[:10]), statistics.median(ratios))
    return _Pull(size, "decoupled weight_decay" if decoupled else "weight_decay", coefficient)


def _cosines(stream: Stream, samples: list[Fact]) -> dict[str, list[float]]:
    """Of each weight, the cosines with its gradient over the first samples."""
    found: dict[str, list[float]] = {}
    for sample in samples[:20]:
        for weight in weights(sample, stream):
            cosine = weight.stat.get("gw")
            if cosine is not None:
                found.setdefault(weight.name, []).append(float(cosine))
    return found


def _most_along(stream: Stream, samples: list[Fact]) -> str | None:
    """The weight whose gradient points along it the most."""
    medians = {name: statistics.median(values) for name, values in _cosines(stream, samples).items()}
    return max(medians, key=medians.__getitem__, default=None)


def _along(stream: Stream, samples: list[Fact], name: str | None) -> float | None:
    """Median over the first samples of the cosine of a weight and its gradient; None when it was not measured.

    Without a name: of the median over the weights.
    """
    found = []
    for sample in samples[:20]:
        cosines = [
            float(w.stat["gw"])
            for w in weights(sample, stream)
            if w.stat.get("gw") is not None and name in (None, w.name)
        ]
        if cosines:
            found.append(statistics.median(cosines))
    return statistics.median(found) if len(found) >= THRESHOLDS["fewest_samples"][0] else None


def _left(stream: Stream, samples: list[Fact], only: str | None, matrices: _Kind) -> _Left | None:
    """The norm of all weights (or tables), or of one, in the last sample over that in the first."""
    first, last = (
        {w.name: w.w for w in matrices(sample, stream) if math.isfinite(w.w) and only in (None, w.name)}
        for sample in (samples[0], samples[-1])
    )
    both = [name for name in first if name in last]
    before = math.sqrt(sum(first[name] ** 2 for name in both))
    if before <= 0 or samples[-1]["s"] <= samples[0]["s"]:
        return None
    share = math.sqrt(sum(last[name] ** 2 for name in both)) / before
    return _Left(share, int(samples[0]["s"]), int(samples[-1]["s"]))

"""The loss is being maximized.

What it means
-------------
A loss that measures error is negated, or the logarithm of a density (`Normal(mean, width).log_prob(y).mean()`) is
minimized where minus that logarithm belongs; or the optimizer is told to maximize an error, or an update by hand adds
the gradient instead of subtracting it. Every step makes the network worse on purpose.

Why it hurts
------------
An error has no highest value: the weights grow without end and the error grows with them, until numbers overflow.
What is printed may look like good progress, since a negated loss falls. The width that a network gives shrinks to its
least value while the mean moves away from the targets: there a log-density has no lowest value.

How it is judged
----------------
Exactly. The sign is read from the graph of the loss, for losses that cannot be negative (cross-entropy, squared and
absolute error, binary cross-entropy) and for log-probabilities picked by hand; `maximize=True` from the optimizer; the
direction of updates from the cosine between step and gradient, +1 where steepest descent has −1. Signs that cancel
are no finding. The rule is silent when several optimizers work against each other, when another data term of the same
loss is minimized, when the parameters of no model are being trained, and when the error fell by a tenth or the run
learned to give right answers.

The log-density of a Gaussian or of Laplace is told by what the graph holds: squared or absolute differences between the
output and constant targets, all with factors of one sign, a scale that is positive for every element, the logarithm of
that scale, and nothing else. That of Poisson: counts times the logarithm of a rate, less that rate. `torch.distributions`
and formulas by hand read the same. The rule is silent when single examples have weights or are masked, when samples of
the network itself stand in place of targets, when a factor changed between samples (returns and costs of actions do;
so for class and yes-or-no log-probabilities), when the log-density rose from the start to the end of the run, and when
the output explains half of the targets' variance at the end.

Of a policy gradient the sign tells less: `(log_prob * weight).mean()` is right for costs and wrong for returns, and the
weights fall over the run either way. But nearly everybody weighs by returns or advantages: of 18 scripts of the clinic
the thirteen that learn have minus signs, and the five that have none were to have one. So a plus sign in every sample is
a warning, and no more; where no variable in sight of the loss is named like a reward, or one like a cost, it is a remark.

When it is wrong
----------------
Making a network forget on purpose, or searching for inputs that fool it, maximize a loss by design. A policy gradient
whose weights are costs, regrets or the terms of a variational bound rightly has no minus sign.

What to do
----------
Remove the minus sign (or `maximize=True`). For log-probabilities by hand and log-densities, the loss is minus their
mean. Updates by hand subtract the gradient.

Sources
-------
PyTorch, documentation of `torch.optim.SGD` (`maximize`). Fault TDC_flipped_sign in Ben Braiek and Khomh, 2023: the
loss ends not finite.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from unstuck.findings.contract import Advice, Answer, Fired, NotApplicable, Number, Passed
from unstuck.findings.evidence.head import (
    NUMBER_KINDS,
    Place,
    TermSeen,
    adversarial,
    nothing_to_read,
    number,
    places,
)
from unstuck.findings.evidence.log_density import FEW, STEADY, Densities, densities
from unstuck.findings.evidence.loss_course import LEARNED, LossCourse, loss_course
from unstuck.findings.evidence.places import at
from unstuck.record.recording import Fact, Recording, Stream

CODE = "L211"
NAME = "wrong-sign"
CLAIM = "the loss is being maximized"
ENABLED = True
SICK = ("examples/sick/l211_digits_log_prob.py", "examples/sick/l211_diabetes_minus.py")
HEALTHY = (
    "examples/mended/l211_digits_log_prob.py",
    "examples/mended/l211_diabetes_minus.py",
    "examples/healthy/corridor_reinforce.py",
)
THRESHOLDS = {
    "ascent": (0.99, "cosine between an update and the gradient: exactly +1 for plain ascent, −1 for plain descent"),
    "fell": (0.9, "error at the end over that at the start: whoever maximizes it ends above 1"),
    "samples": (0.9, "share of the samples that must agree"),
    "steady": (
        STEADY,
        "relative change of a factor over the run: a constant keeps its seven digits, a return does not",
    ),
    "policy_samples": (10, "every one with the same sign; a healthy actor-critic's all have the other"),
    "few": (FEW, "samples of a log-density below which a factor that never changed may be chance"),
}
_NEVER_NEGATIVE = NUMBER_KINDS | {"bce", "bce_logits", "soft_margin", "hinge", "cross_entropy_soft"}

# Their log-probabilities of sampled actions are multiplied with returns and costs, one number for each step.
_SAMPLED = frozenset({"nll", "gather", "bce", "bce_logits"})
_COSTS = ("cost", "regret", "penalt", "tour", "elbo")
_GAINS = ("reward", "return", "adv", "gain", "payoff", "profit", "sold", "click", "score")
_DISTRIBUTIONS = {"gaussian": "Normal(mean, width)", "laplace": "Laplace(mean, width)", "poisson": "Poisson(rate)"}


@dataclass(frozen=True)
class _Sign:
    """What is done to an error: +1 lowers it, −1 raises it; and by what."""

    direction: int
    by: str


@dataclass(frozen=True)
class _Seen:
    """What a finding says of the loss."""

    kind: str
    samples: int
    first_step: int
    where: str
    line: Fact | None


def judge(recording: Recording) -> Answer:
    """Multiply the signs between the error and the step."""
    nothing = nothing_to_read(recording)
    if nothing is not None:
        return nothing
    if adversarial(recording):
        return NotApplicable("several optimizers: one may work against another by design")
    stream = recording.main
    measuring = [p for p in places(recording) if p.stream == stream.number and p.alone and _error(p)]
    density = densities(stream) if not measuring else None
    policy = _policy(stream) if density is None and _trains_a_model(recording, stream) else None
    if policy is not None:
        return policy
    if not measuring and density is None:
        return NotApplicable("no loss that is known to measure an error, or not the only term")
    if not _trains_a_model(recording, stream):
        return NotApplicable("the optimizer holds no parameters of a model")
    if density is not None:
        return _judge_density(recording, stream, density)
    place = measuring[0]
    by = "log-probability" if place.kind == "gather" else "negated"
    sign = _sign([t.direction for t in place.seen], by, stream)
    if sign.direction > 0:
        return Passed("the error is minimized")
    if place.kind in _SAMPLED and not _steady(place):
        return NotApplicable("the factor of the log-probability changes: it may be a return or a cost")
    course = loss_course(recording, stream)
    if course.skill is not None and course.skill >= LEARNED:
        return Passed("the signs read like ascent, but the run learned to give right answers")
    if _fell(sign, course):
        return Passed("the signs read like ascent, but the error fell")
    seen = _Seen(place.kind, len(place.seen), place.seen[0].step, place.where, place.line)
    return _fired(seen, stream, sign, course)


def _policy(stream: Stream) -> Fired | None:
    """Log-probabilities of drawn classes, times numbers of either sign, added to the loss instead of subtracted."""
    groups: Sequence[Fact] = (stream.optimizer or {}).get("groups") or ()
    if groups and all(group.get("maximize") is True for group in groups):
        return None
    signs: list[tuple[int, bool, Fact]] = []  # its sign, whether by numbers of either sign, the loss
    for sample in stream.samples:
        for loss in sample.get("losses") or ():
            for term in loss.get("terms") or ():
                drawn = (term.get("target") or {}).get("integer") and any(a.get("own") for a in term.get("head") or ())
                weight = number(term.get("weight"))
                if drawn and term.get("kind") in ("custom", "gather") and weight:
                    signed = term["kind"] == "custom"
                    plus = weight < 0 if signed else term.get("sign") == -1
                    signs.append((-1 if plus else 1, signed, loss))
    if len(signs) < THRESHOLDS["policy_samples"][0] or any(sign > 0 for sign, _, _ in signs):
        return None
    if sum(signed for _, signed, _ in signs) < 0.5 * len(signs):
        return None
    line = signs[0][2].get("line")
    names = {str(name).lower() for _, _, loss in signs for name in loss.get("names") or ()}
    # What cannot be told from numbers: who calls something a cost lowers it, and rightly.
    costs = any(word in name for name in names for word in _COSTS)
    gains = not names or any(word in name for name in names for word in _GAINS)
    return Fired(
        sentence=f"The log-probabilities of drawn actions are multiplied with numbers of either sign and minimized, in all "
        f"{len(signs)} samples: with returns or advantages this makes good actions rarer; with costs it would be right.",
        severity="warning" if gains and not costs else "info",
        confidence=0.7 if gains and not costs else 0.4,
        where=at(line) or "the loss",
        step=int(stream.samples[0]["s"]),
        evidence={"samples": len(signs)},
        advice=(
            Advice(
                "turn the sign",
                "If the numbers are rewards, returns or advantages, minimize minus the mean; leave costs as they are.",
                "loss = -(log_prob * advantage).mean()",
                line,
            ),
        ),
        line=line,
    )


def _judge_density(recording: Recording, stream: Stream, density: Densities) -> Answer:
    """The same for a log-density, which has either sign of its own: what counts is whether it fell."""
    if not density.steady:
        return NotApplicable("the factor of the log-density changes, or too few samples: it may be a return or a cost")
    sign = _sign(density.signs, "log-density", stream)
    if sign.direction > 0:
        return Passed("the log-density of the targets is maximized")
    course = loss_course(recording, stream)
    if density.r2 is not None and density.r2 >= LEARNED:
        return Passed("the signs read like ascent, but the output explains the targets")
    flip = 1 if sign.by == "log-density" else -1  # what is recorded is the log-density, or minus it
    known = course.start is not None and course.end is not None
    if known and math.isfinite(course.end or 0.0) and flip * (course.end or 0.0) >= flip * (course.start or 0.0):
        return Passed("the signs read like ascent, but the log-density of the targets rose")
    where = at(density.line) or "the loss"
    return _fired(
        _Seen(density.kind, len(density.signs), density.first_step, where, density.line), stream, sign, course
    )


def _fell(sign: _Sign, course: LossCourse) -> bool:
    """The error at the end is clearly below that of the start: whatever was read, it is not being maximized."""
    if course.start is None or course.end is None or not math.isfinite(course.end):
        return False
    flip = -1 if sign.by in ("negated", "log-probability") else 1
    return flip * course.end < THRESHOLDS["fell"][0] * flip * course.start


def _error(place: Place) -> bool:
    """The term is an error (never negative), or log-probabilities whose sign is plain."""
    if place.share(lambda t: t.plain) < THRESHOLDS["samples"][0]:
        return False
    if place.kind in _NEVER_NEGATIVE:
        return True
    if place.kind == "nll":
        return place.share(_log_probabilities) > THRESHOLDS["samples"][0]
    return place.kind == "gather" and place.share(_picked) > THRESHOLDS["samples"][0]


def _log_probabilities(seen: TermSeen) -> bool:
    if seen.applies_softmax:
        return True
    share = number(seen.term.get("log_normalized"))
    share = number(seen.output.get("log_normalized")) if share is None else share
    return share is not None and share > 0.5


def _picked(seen: TermSeen) -> bool:
    """Log-probabilities of the right classes picked by hand: their plain mean, or minus it.

    Weighted by returns, as in policy gradients, its value has either sign and is left alone.
    """
    value = number(seen.loss.get("value"))
    nearest = (seen.nearest or {}).get("kind")
    logs = any(a.get("kind") == "log_softmax" for a in seen.own) or nearest in ("log_softmax", "log")
    # The mean of log-probabilities is negative, and minus it positive: anything else was multiplied with something.
    return logs and value is not None and (not math.isfinite(value) or value * seen.direction >= 0)


def _steady(place: Place) -> bool:
    """The term has the same factor throughout the run."""
    weights = [t.weight for t in place.seen if math.isfinite(t.weight)]
    usual = statistics.median(weights) if weights else 0.0
    near = sum(abs(w - usual) <= THRESHOLDS["steady"][0] * usual for w in weights)
    return near >= THRESHOLDS["samples"][0] * len(place.seen)


def _trains_a_model(recording: Recording, stream: Stream) -> bool:
    """At least one parameter of the optimizer belongs to a model; true when that is not known."""
    known = {p["name"] for model in recording.models for p in model.get("params") or ()}
    groups = (stream.optimizer or {}).get("groups") or ()
    held = [name for group in groups for name in group.get("params") or ()]
    return not known or not held or any(name in known for name in held)


def _sign(signs: Sequence[int], by: str, stream: Stream) -> _Sign:
    """``by``: what a minus sign in the graph is called."""
    plus, minus = sum(s > 0 for s in signs), sum(s < 0 for s in signs)
    if max(plus, minus) < THRESHOLDS["samples"][0] * len(signs):
        return _Sign(1, "mixed")
    direction, by = (1, "") if plus >= minus else (-1, by)
    groups = (stream.optimizer or {}).get("groups") or ()
    if groups and all(group.get("maximize") is True for group in groups):
        direction, by = -direction, "maximize" if direction > 0 else ""
    elif _ascends(stream):
        direction, by = -direction, "update" if direction > 0 else ""
    return _Sign(direction, by)


def _ascends(stream: Stream) -> bool:
    """The parameters move along the gradient: plain ascent. With momentum or Adam the cosine tells nothing."""
    cosines = [
        float(stat["d"])
        for sample in stream.samples
        for stat in (sample.get("params") or {}).values()
        if stat.get("d") is not None and math.isfinite(float(stat["d"])) and stat.get("g")
    ]
    if len(cosines) < 4:
        return False
    return sum(c > THRESHOLDS["ascent"][0] for c in cosines) >= THRESHOLDS["samples"][0] * len(cosines)


def _fired(seen: _Seen, stream: Stream, sign: _Sign, course: LossCourse) -> Fired:
    line = seen.line
    code = "loss = criterion(model(x), y)      # no minus sign"
    match sign.by:
        case "maximize":
            what = f"{(stream.optimizer or {}).get('kind', 'the optimizer')} is told to maximize a {_name(seen.kind)}"
            line = (stream.optimizer or {}).get("line") or line
            code = "torch.optim.SGD(model.parameters(), lr=lr)      # without maximize=True"
        case "update":
            what = f"every update goes along the gradient of a {_name(seen.kind)} instead of against it"
            code = "with torch.no_grad():\n    p -= lr * p.grad      # minus: against the gradient"
        case "log-probability":
            what = "the log-probability of the right class is minimized"
            code = "loss = -log_probability[torch.arange(len(y)), y].mean()"
        case "log-density":
            what = f"the {_name(seen.kind).removeprefix('negative ')} of the targets is minimized"
            code = f"loss = -{_DISTRIBUTIONS.get(seen.kind, 'distribution')}.log_prob(y).mean()"
        case _:
            what = f"a {_name(seen.kind)} is negated and then minimized"
    evidence: dict[str, Number] = {"loss_kind": seen.kind, "samples": seen.samples, **course.evidence()}
    flips = -1 if sign.by == "negated" else 1  # print the error, not its negative
    went = ""
    if course.first is not None and course.end is not None:
        if math.isfinite(course.end):
            named = {"gather": "the log-probability", **dict.fromkeys(_DISTRIBUTIONS, "it")}
            name = named.get(seen.kind, "the error itself")
            went = f"; {name} went from {flips * course.first:.4g} to {flips * course.end:.4g} in {course.steps} steps"
        else:
            went = f"; {course.sentence}"
    return Fired(
        sentence=(what + went + ".")[0].upper() + (what + went + ".")[1:],
        severity="error",
        confidence=0.96,
        where=seen.where,
        step=seen.first_step,
        evidence=evidence,
        advice=(Advice("turn the sign", "Minimize the error.", code, line),),
        line=line,
    )


def _name(kind: str) -> str:
    return {
        "nll": "negative log-likelihood",
        "cross_entropy_soft": "cross-entropy",
        "mse": "squared error",
        "l1": "absolute error",
        "bce": "binary cross-entropy",
        "bce_logits": "binary cross-entropy",
        "gaussian": "negative Gaussian log-density",
        "laplace": "negative Laplace log-density",
        "poisson": "negative Poisson log-density",
    }.get(kind, f"{kind} loss")

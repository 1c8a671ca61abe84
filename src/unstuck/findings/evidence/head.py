"""Reading sampled losses: where each is computed, what kind it is, and which activations stand before it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from unstuck.findings.contract import NotApplicable, Skipped
from unstuck.findings.evidence.places import at
from unstuck.record.recording import Fact, Recording, Stream

CLASS_KINDS = frozenset({"nll", "cross_entropy_soft", "gather"})
BINARY_KINDS = frozenset({"bce", "bce_logits", "soft_margin", "hinge"})
NUMBER_KINDS = frozenset({"mse", "l1", "smooth_l1", "huber"})
SOFTMAXES = frozenset({"softmax", "log_softmax"})


@dataclass(frozen=True)
class TermSeen:
    """One data term of one sampled loss."""

    step: int
    stream: int
    loss: Fact
    term: Fact

    @property
    def kind(self) -> str:
        """Kind of the term as recorded."""
        return str(self.term.get("kind", "custom"))

    @property
    def head(self) -> list[Fact] | None:
        """The script's own activations before the loss, from the loss inward; None when the graph was not readable."""
        head = self.term.get("head")
        return None if head is None else [a for a in head if not a.get("own")]

    @property
    def own(self) -> list[Fact]:
        """The activations that the loss applies itself (the log-softmax of cross-entropy)."""
        return [a for a in self.term.get("head") or () if a.get("own")]

    @property
    def nearest(self) -> Fact | None:
        """The script's activation that stands right before the loss; None when there is none or it is unknown."""
        head = self.head
        return head[0] if head else None

    @property
    def output(self) -> Fact:
        """Statistics of what enters the loss; empty when unknown."""
        return self.term.get("output") or {}

    @property
    def target(self) -> Fact:
        """Statistics of the targets; empty when unknown."""
        return self.term.get("target") or {}

    @property
    def applies_softmax(self) -> bool:
        """The loss applies a log-softmax itself."""
        return any(a.get("kind") in SOFTMAXES for a in self.own)

    @property
    def class_dim(self) -> int:
        """The dimension of the output on which the classes lie."""
        given = self.term.get("class_dim")
        if given is not None:
            return int(given)
        shape = self.output.get("shape") or ()
        return 1 if len(shape) > 1 else 0

    @property
    def class_count(self) -> int | None:
        """How many classes the output has; None when its shape is unknown."""
        for activation in self.own:
            if activation.get("kind") in SOFTMAXES and activation.get("size"):
                return int(activation["size"])
        shape = self.output.get("shape")
        if not shape or self.class_dim >= len(shape):
            return None
        return int(shape[self.class_dim])

    @property
    def direction(self) -> int:
        """+1 when the term is minimized, −1 when it is maximized, 0 when its sign does not tell.

        A log-probability has its own sign: minus its mean is what is minimized.
        """
        given = number(self.term.get("sign"))
        if given is not None:
            return int(given)
        if self.kind == "gather":
            return 0
        return -1 if (number(self.loss.get("sign")) or 1.0) < 0 else 1

    @property
    def weight(self) -> float:
        """The size of the factor that one element of the term has in the whole loss."""
        factor, weight = number(self.loss.get("factor")), number(self.term.get("weight"))
        return abs((1.0 if factor is None else factor) * (1.0 if weight is None else weight))

    @property
    def plain(self) -> bool:
        """No weights for single examples, no root or logarithm around it, no other function of it."""
        return not any(self.term.get(key) for key in ("weighted", "through", "modified", "latent"))


@dataclass(frozen=True)
class Place:
    """One place in the script where a term of a loss is computed, with every time it was seen."""

    stream: int
    kind: str
    line: Fact | None  # of the backward call
    seen: tuple[TermSeen, ...]
    alone: bool  # the only data term of its loss, and the only loss of its step

    def share(self, holds: Callable[[TermSeen], bool]) -> float:
        """In what share of the samples something holds."""
        return sum(holds(t) for t in self.seen) / len(self.seen)

    def first(self, holds: Callable[[TermSeen], bool]) -> TermSeen | None:
        """The first time it holds."""
        return next((t for t in self.seen if holds(t)), None)

    @property
    def where(self) -> str:
        """The script's line, or the kind of the loss when no line is known."""
        return at(self.line) or f"the loss ({self.kind})"


def number(value: object) -> float | None:
    """A finite or infinite number, or None.

    >>> number("nan"), number(None), number(3)
    (nan, None, 3.0)
    """
    if value is None or isinstance(value, bool):
        return None
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None


def activation_name(activation: Fact) -> str:
    """How a person would name an activation: by the layer that it follows, when that is known.

    >>> activation_name({"kind": "softmax", "name": "softmax after out", "dim": 1})
    'softmax after out (over dimension 1)'
    """
    kind = str(activation.get("kind", "activation")).replace("_", "-")
    name = str(activation.get("name") or kind).replace("_softmax", "-softmax")
    if kind not in name:
        name += f" ({kind})"
    if activation.get("dim") is not None and activation.get("kind") in SOFTMAXES:
        name += f" (over dimension {activation['dim']})"
    return name


def data_terms(loss: Fact) -> list[Fact]:
    """The terms of a loss that look at data: penalties on the parameters left out."""
    return [t for t in loss.get("terms") or () if t.get("kind") != "penalty"]


def seen_terms(stream: Stream) -> Iterator[TermSeen]:
    """Every data term of every sampled loss of a stream."""
    for step, loss, term in stream.terms():
        if term.get("kind") != "penalty":
            yield TermSeen(step, stream.number, loss, term)


def places(recording: Recording, *kinds: str) -> list[Place]:
    """The places where losses are computed, the most often seen first; with ``kinds``, only those kinds.

    A term belongs to the same place as another when stream, backward line, position in the loss and kind agree.
    """
    found: dict[tuple[object, ...], list[TermSeen]] = {}
    lines: dict[tuple[object, ...], Fact | None] = {}
    alone: dict[tuple[object, ...], bool] = {}
    for stream in recording.streams.values():
        for sample in stream.samples:
            losses = sample.get("losses") or ()
            marks = {at(loss.get("line")) for loss in losses}
            for number_of_loss, loss in enumerate(losses):
                terms = data_terms(loss)
                for position, term in enumerate(terms):
                    kind = str(term.get("kind", "custom"))
                    if kinds and kind not in kinds:
                        continue
                    mark = at(loss.get("line")) or f"#{number_of_loss}"
                    key = (stream.number, mark, position, kind)
                    found.setdefault(key, []).append(TermSeen(int(sample["s"]), stream.number, loss, term))
                    lines.setdefault(key, loss.get("line"))
                    alone[key] = alone.get(key, True) and len(terms) == 1 and len(marks) == 1
    result = [Place(int(k[0]), str(k[3]), lines[k], tuple(v), alone[k]) for k, v in found.items()]  # type: ignore[call-overload]
    return sorted(result, key=lambda p: -len(p.seen))


def nothing_to_read(recording: Recording) -> NotApplicable | Skipped | None:
    """Why no loss can be judged; None when at least one was seen."""
    if not any(s.steps or s.samples or s.loss for s in recording.streams.values()):
        return NotApplicable("no training step was seen")
    samples = [sample for stream in recording.streams.values() for sample in stream.samples]
    if not samples:
        return Skipped("no step was sampled, so no loss was looked into")
    if any(data_terms(loss) for sample in samples for loss in sample.get("losses") or ()):
        return None
    return Skipped("no sampled loss could be read: " + (unseen(recording) or "its graph names no known loss"))


def unseen(recording: Recording) -> str:
    """What stood in the way of looking, in a few words; empty when nothing did."""
    reasons: dict[str, None] = {}
    for stream in recording.streams.values():
        for sample in stream.samples:
            for item in sample.get("unseen") or ():
                reasons.setdefault(
                    f"{item.get('what')} ({item.get('why')})" if item.get("why") else str(item.get("what"))
                )
    for event in recording.happened("unseen"):
        reasons.setdefault(_reason(event.data))
    return ", ".join(list(reasons)[:3])


def _reason(item: Fact) -> str:
    return f"{item.get('what')} ({item.get('why')})" if item.get("why") else str(item.get("what"))


def unknown_head(recording: Recording, some: list[Place]) -> Skipped | None:
    """A skip when at no place the activations before the loss are known."""
    if any(t.head is not None for place in some for t in place.seen):
        return None
    return Skipped(
        "the activations before the loss could not be read: " + (unseen(recording) or "no graph was recorded")
    )


def all_custom(recording: Recording) -> bool:
    """Every loss seen is of a kind that was not recognized."""
    kinds = {t.kind for stream in recording.streams.values() for t in seen_terms(stream)}
    return bool(kinds) and kinds <= {"custom"}


def adversarial(recording: Recording) -> bool:
    """Two optimizers take turns on losses of their own: one may be another one's opponent.

    Optimizers that share one loss (a backbone and a head, say) are no opponents.
    """
    busy = [s for s in recording.streams.values() if s.steps >= 1 and s.loss]
    if len(busy) < 2:
        return False
    most = max(s.steps for s in busy)
    busy = [s for s in busy if s.steps >= 0.1 * most]
    first = dict(busy[0].loss)
    for other in busy[1:]:
        if not _overlap(busy[0], other):
            continue  # one after the other: stages of training
        common = [(first[step], value) for step, value in other.loss if step in first]
        if not common or sum(a == b or a != a for a, b in common) < 0.9 * len(common):
            return True
    return False


def _overlap(one: Stream, other: Stream) -> bool:
    if not one.seconds or not other.seconds:
        return True
    return one.seconds.first <= other.seconds.last and other.seconds.first <= one.seconds.last


def bounds(kind: str) -> tuple[float, float] | None:
    """The range of an activation's values; None when it has no bound.

    >>> bounds("sigmoid"), bounds("relu"), bounds("leaky_relu")
    ((0.0, 1.0), (0.0, inf), None)
    """
    return {
        "sigmoid": (0.0, 1.0),
        "hardsigmoid": (0.0, 1.0),
        "softmax": (0.0, 1.0),
        "tanh": (-1.0, 1.0),
        "hardtanh": (-1.0, 1.0),
        "softsign": (-1.0, 1.0),
        "relu": (0.0, math.inf),
        "relu6": (0.0, 6.0),
        "softplus": (0.0, math.inf),
        "exp": (0.0, math.inf),
        "abs": (0.0, math.inf),
        "log_softmax": (-math.inf, 0.0),
        "log_sigmoid": (-math.inf, 0.0),
        "elu": (-1.0, math.inf),
        "gelu": (-0.17, math.inf),
        "silu": (-0.279, math.inf),
    }.get(kind)


def shape_text(shape: object) -> str:
    """A shape as people write it.

    >>> shape_text([32, 1]), shape_text([32])
    ('(32, 1)', '(32,)')
    """
    if not isinstance(shape, list | tuple):
        return "?"
    return f"({shape[0]},)" if len(shape) == 1 else "(" + ", ".join(str(n) for n in shape) + ")"


def statistic(terms: tuple[TermSeen, ...], part: str, key: str) -> list[float]:
    """One statistic of ``output`` or ``target`` over the samples that have it."""
    values = []
    for seen in terms:
        block = seen.term.get(part)
        value = number(block.get(key)) if isinstance(block, Mapping) else None
        if value is not None:
            values.append(value)
    return values

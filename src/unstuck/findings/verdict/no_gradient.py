"""Weights that get no gradient."""

from __future__ import annotations

from unstuck.findings.contract import Verdict
from unstuck.findings.evidence.liveness import left_out, owned, trainable_names
from unstuck.findings.verdict.look import Look
from unstuck.record.recording import Fact


def no_gradient(look: Look) -> Verdict | None:
    missing = look.recording.happened("no_graph")
    if missing and not any(s.steps for s in look.recording.streams.values()):
        return Verdict(
            "no-gradient",
            "No path leads from the loss to the parameters: backward was called on a number that has no graph.",
            look.evidence(),
        )
    samples = look.samples[-5:]
    if look.progress.state == "learned":
        return None  # whatever a sample showed, it was not the end
    if not samples or (len(look.samples) >= 5 and len(samples) < 3):
        return None
    settled = True
    only_biases = False
    for sample in samples:
        seen = [p for p in owned(sample, look.stream) if p.gradient is not None or "g" in p.stat]
        if not seen:
            return None
        alive = [p for p in seen if p.gradient is not None and not p.zero]
        if not alive and all(p.gradient is None for p in seen) and _others_alive(look, sample, {p.name for p in seen}):
            return None  # a gradient is there, but the optimizer holds what is frozen: that is `not-moving`
        weights = [p for p in seen if p.is_weight]
        if any(p.is_weight for p in alive) or (alive and (len(weights) < 2 or not any(p.zero for p in weights))):
            return None
        only_biases = only_biases or bool(alive)
        at = [v for s, v in look.loss if s == sample["s"]]
        settled = settled and bool(at) and at[0] == 0.0
    if settled and not look.negated:
        return None  # the loss is exactly zero: there is nothing left to gain, which is `converged`
    first = _since(look, only_biases)
    if not only_biases and any(norm > 0 for step, norm in look.stream.gradient_norm if step > first):
        return None  # it came back after the last full sample
    loss = f" The loss stands at {look.progress.end:.4g}." if look.progress.end is not None else ""
    if only_biases:
        return Verdict(
            "no-gradient",
            f"The gradient of every weight is exactly zero from step {first} on; only a bias of the output "
            f"still gets one." + loss,
            look.evidence(since=first, only_biases=True),
        )
    return Verdict(
        "no-gradient",
        f"The gradient of every parameter is exactly zero or missing from step {first} on." + loss,
        look.evidence(since=first, only_biases=False),
    )


def _others_alive(look: Look, sample: Fact, own: set[str]) -> bool:
    """Parameters outside the optimizer get a gradient, and none of a model that asks for one is in it."""
    trainable = trainable_names(look.recording)
    if any(trainable.get(name, False) for name in own):
        return False
    outside = any(stat.get("g") for name, stat in (sample.get("params") or {}).items() if name not in own)
    return outside or bool(left_out(look.recording))


def _since(look: Look, only_biases: bool) -> int:
    """The first sampled step from which no weight (or no parameter) has a gradient."""
    first = int(look.samples[-1]["s"])
    for sample in reversed(look.samples):
        alive = [p for p in owned(sample, look.stream) if p.gradient is not None and not p.zero]
        if any(p.is_weight for p in alive) or (alive and not only_biases):
            break
        first = int(sample["s"])
    return first

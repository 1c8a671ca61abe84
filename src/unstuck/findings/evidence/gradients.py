"""The size of the whole gradient over the run."""

from __future__ import annotations

import math

from unstuck.findings.evidence.liveness import owned
from unstuck.record.recording import Fact, Series, Stream


def norm(sample: Fact, stream: Stream) -> float | None:
    """Norm of the gradient of all parameters of this stream's optimizer; None when there is none; may be infinite."""
    values = [seen.gradient for seen in owned(sample, stream) if seen.gradient is not None]
    return math.sqrt(sum(float(v) ** 2 for v in values)) if values else None


def norms(stream: Stream) -> Series:
    """The gradient norm where it is known: before clipping where the script clips, else as the step found it."""
    known = {int(s): float(v) for s, v in stream.gradient_norm}
    known |= {int(s["s"]): n for s in stream.samples if (n := norm(s, stream)) is not None}
    known.update({int(s): float(v) for s, v in stream.clip_norm})
    steps = sorted(known)
    return Series(steps, [known[s] for s in steps])

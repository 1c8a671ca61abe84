"""How noisy the mini-batch gradient is, and the batch size at which noise and signal would be equal."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from unstuck.findings.evidence.head import number
from unstuck.record.recording import Stream

LEAST_PAIRS = 4
"""Pairs of neighboring gradients that an estimate of one sample must rest on."""


@dataclass(frozen=True)
class GradientNoise:
    """Medians over the samples of a stretch of the run."""

    share: float  # |mean gradient|² / mean |gradient|²: 1 without noise, 0 for noise alone
    samples: int
    batch: float  # examples in a step

    @property
    def scale(self) -> float:
        """The batch size at which the gradient's noise is as large as the gradient (infinite where none was found).

        McCandlish and others 2018, equation 2.9, solved for the measured share: B (1 − share) / share.
        """
        return self.batch * (1 - self.share) / self.share if self.share > 0 else float("inf")


def gradient_noise(stream: Stream, start: float = 0.0, stop: float = 1.0) -> GradientNoise | None:
    """The noise between two parts of the run (0 = its first step, 1 = past its last); None when it was not measured.

    The share is averaged before the scale is taken: single estimates may be zero, and the scale is not linear.
    """
    steps = max(1, stream.steps)
    found = []
    for sample in stream.samples:
        if not start * steps <= sample["s"] < max(1.0, stop * steps):
            continue
        noise = sample.get("noise") or {}
        share = number(noise.get("share"))
        if share is not None and int(noise.get("pairs") or 0) >= LEAST_PAIRS:
            found.append(share)
    sizes = [v for v in stream.batch_size.values if v > 0]
    if not found or not sizes:
        return None
    return GradientNoise(statistics.fmean(found), len(found), statistics.median(sizes))

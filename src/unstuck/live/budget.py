"""What watching may cost: an allowance for the first samples, then a share of the step time."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter, thread_time

FULL_SAMPLES = 20
ALLOWANCE_SECONDS = 1.0
# The part of a tap that its own clock readings cannot see: the call into it, the return, one clock reading.
# Measured with the clock taken out: 0.35 µs a tap on a 3 GHz core.
UNSEEN_SECONDS = 4e-7

# Beyond, the reading (a hundredth of a second) may have met one long interruption, and the run itself crawls.
MOST_CONTENTION = 4.0


def contention(seconds: float = 0.01) -> float:
    """How many times longer computing takes than on a free core, from 1 to 4: others may use the machine as well.

    What is allowed once (the first samples, the look at the end) is meant in seconds of a free core: on a shared one a
    run would otherwise be seen less well only because it ran beside others. *Cost*: ``seconds`` of processor time.

    >>> 1.0 <= contention(0.001) <= 4.0
    True
    """
    began, used = perf_counter(), thread_time()
    while thread_time() - used < seconds:
        pass
    return min(MOST_CONTENTION, max(1.0, (perf_counter() - began) / (thread_time() - used)))


@dataclass
class Budget:
    """Own time spent, and whether a sample of a known price may be taken now.

    ``share`` is the part of the step time that may be spent after the first samples.

    >>> budget = Budget(share=0.03)
    >>> budget.allows_first(0.01), budget.spend_first(1.0), budget.allows_first(0.01)
    (True, None, False)
    """

    share: float
    allowance: float = ALLOWANCE_SECONDS  # of a free core
    contention: float = 1.0  # of this machine when the run began
    first: float = 0.0  # spent on the first samples
    running: float = 0.0  # spent since
    starting: float = 0.0  # spent on installing
    stages: int = 0  # later optimizers whose first steps were sampled as well
    began: float = 0.0  # clock reading when the first samples were done; 0 while they are taken

    def allows_first(self, price: float) -> bool:
        return self.first + price <= self.most_first

    def spend_first(self, seconds: float) -> None:
        self.first += seconds

    def close_first(self, now: float) -> None:
        self.began = now

    def credit(self, now: float) -> float:
        """Seconds that may be spent now."""
        if not self.began:
            return 0.0
        elapsed = now - self.began - self.running
        return self.share * elapsed - self.running

    @property
    def most_first(self) -> float:
        """Seconds that the first samples may take here, half as much again for each later stage of the training."""
        return self.allowance * self.contention * (1 + 0.5 * self.stages)

    @property
    def total(self) -> float:
        return self.first + self.running + self.starting


clock = perf_counter

"""What a remedy is: one change to a training run, applied from outside while the script runs unmodified.

A remedy is one file in ``treatment/remedies/``, found by folder. It says which findings it answers (here and nowhere
else), when it fits, what it does to a running script, and what the change would look like in the script's text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    import torch

    from unstuck.treatment.stage import Stage

Options = Mapping[str, Any]
Known = Mapping[str, Any]  # what the untouched replay showed: treatment.facts


@dataclass(frozen=True)
class Variant:
    """One way to apply a remedy. ``label`` is what the table shows."""

    label: str
    options: Options = field(default_factory=dict)


@dataclass(frozen=True)
class Edit:
    """A change of the script's text: put ``lines`` ``before`` or ``after`` a line, or ``replace`` it.

    ``line`` is {file, line, text} as the recording knows it. The lines stand at the indentation of that line.
    """

    where: str
    line: Mapping[str, Any]
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Change:
    """What a remedy looks like in the script: edits where the lines are known, and the same in words and code."""

    code: str
    edits: tuple[Edit, ...] = ()


@dataclass
class Treatment:
    """What a remedy is given inside the replay."""

    stage: Stage
    options: Options
    known: Known
    generator: torch.Generator  # its own: the script's random numbers stay what they were
    notes: list[str] = field(default_factory=list)  # what was done; nothing noted means nothing was changed

    def done(self, text: str) -> None:
        """Note that the remedy has acted; the same note is kept once."""
        if text not in self.notes and len(self.notes) < 20:
            self.notes.append(text)


@runtime_checkable
class Remedy(Protocol):
    """The names a remedy's module must have."""

    __doc__: str | None
    NAME: str
    ANSWERS: tuple[str, ...]  # codes of the findings
    TEXT: str  # what to do, in a sentence
    RISK: str  # what it may cost
    SPECIFIC: bool  # it fits only where the fault that it mends was seen
    MORE_COMPUTE: bool  # it helps by spending more of it

    @staticmethod
    def variants(known: Known) -> Sequence[Variant]: ...  # the likeliest first; none when it does not fit

    @staticmethod
    def treat(treatment: Treatment) -> None: ...

    @staticmethod
    def change(known: Known, options: Options) -> Change: ...

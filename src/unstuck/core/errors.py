"""Errors that a user can act on."""

from __future__ import annotations


class UnstuckError(Exception):
    """Something the user can mend; its text says what was got, what is wanted and a hint."""


class BadInput(UnstuckError, ValueError):
    """An argument, a file or a model that cannot be used as given.

    >>> raise BadInput("overhead", got=3, want="a share of the step time in (0, 1]", hint="3 % is 0.03")
    Traceback (most recent call last):
    ...
    unstuck.core.errors.BadInput: overhead: got 3, want a share of the step time in (0, 1]; 3 % is 0.03
    """

    def __init__(self, name: str, *, got: object, want: str, hint: str = "") -> None:
        text = f"{name}: got {got!r}, want {want}" + (f"; {hint}" if hint else "")
        super().__init__(text)
        self.name = name

"""torch's own derivative in place of one that was written by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from unstuck.treatment.contract import Change, Known, Options, Treatment, Variant

NAME = "own-backward"
ANSWERS = ("G309",)
TEXT = "Leave the derivative to torch: call the forward computation directly instead of a hand-written Function."
RISK = "Slower and larger than a hand-written backward pass that is right."
SPECIFIC = True
MORE_COMPUTE = False


def variants(known: Known) -> Sequence[Variant]:
    """Where functions with a backward pass of the user's own were called."""
    names = known.get("own_functions") or []
    return (Variant(f"torch's own derivative of {names[0]}"),) if names else ()


def treat(treatment: Treatment) -> None:
    """``apply`` runs the forward computation under autograd, with a context that keeps what it is given."""
    import torch

    from unstuck.launch.frames import is_users_class

    original = torch.autograd.Function.__dict__["apply"]

    def apply(cls: Any, *args: Any, **kwargs: Any) -> Any:
        # With a separate setup_context the forward takes no context.
        separate = cls.setup_context is not torch.autograd.Function.setup_context
        if not is_users_class(cls) or treatment.stage.quiet:
            return original.__get__(None, cls)(*args, **kwargs)
        treatment.done(f"{cls.__name__}: torch's own derivative")
        return cls.forward(*args, **kwargs) if separate else cls.forward(_Context(), *args, **kwargs)

    torch.autograd.Function.apply = classmethod(apply)  # type: ignore[method-assign, assignment]


class _Context:
    """Takes what a forward pass gives its context, and forgets it."""

    def save_for_backward(self, *tensors: Any) -> None:
        self.saved_tensors = tensors

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **kwargs: None


def change(known: Known, options: Options) -> Change:
    """At the call."""
    names = known.get("own_functions") or ["Function"]
    return Change(f"# write out what {names[0]}.forward computes in place of {names[0]}.apply(...)")

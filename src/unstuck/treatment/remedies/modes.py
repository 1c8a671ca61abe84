"""Training in training mode, evaluation in evaluation mode."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from unstuck.treatment.contract import Change, Known, Options, Treatment, Variant

if TYPE_CHECKING:
    import torch

NAME = "modes"
ANSWERS = ("B605", "B604")
TEXT = "Call model.train() before training and model.eval() before evaluating."
RISK = "Dropout that is kept at evaluation by design (to sample) is switched off."
SPECIFIC = True
MORE_COMPUTE = False


def variants(known: Known) -> Sequence[Variant]:
    """Where a model with dropout or batch statistics was used in the wrong mode."""
    modes = known.get("modes") or {}
    wrong = modes.get("training_in_eval", 0) + modes.get("evaluation_in_training", 0)
    return (Variant("train() in training, eval() in evaluation"),) if wrong else ()


def treat(treatment: Treatment) -> None:
    """Set the mode of a model by whether gradients are asked for."""
    import torch

    def begins(module: torch.nn.Module, args: tuple, kwargs: dict) -> None:
        wanted = torch.is_grad_enabled()
        if module.training != wanted:
            treatment.done("modes set")
            module.train(wanted)

    treatment.stage.hear.root_begins.append(begins)


def change(known: Known, options: Options) -> Change:
    """At the head of the training loop's body."""
    return Change("model.train()  # before each epoch's training\nmodel.eval()  # before each evaluation")

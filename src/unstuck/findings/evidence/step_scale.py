"""Which update rules take longer steps when the loss is multiplied."""

from __future__ import annotations

_SCALE_FREE = frozenset(
    {
        "adam", "adamw", "nadam", "radam", "adamax", "sparseadam", "rmsprop", "adagrad", "adadelta", "rprop", "lion",
        "adafactor", "signsgd", "lamb", "lars", "adan", "adabelief", "amsgrad", "prodigy", "novograd", "muon", "sophia",
        "shampoo", "soap", "adamp", "yogi", "lbfgs",
    }
)  # fmt: skip


def grows_with_loss(kind: str) -> bool:
    """Whether an optimizer's step grows in proportion to the loss: SGD and its kin do, rules that divide do not.

    An unknown name is taken by what it contains, and for scale-free otherwise, so that nothing is claimed of it.

    >>> grows_with_loss("SGD"), grows_with_loss("AdamW"), grows_with_loss("MyAdam"), grows_with_loss("Strange")
    (True, False, False, False)
    """
    name = kind.lower()
    if any(free in name for free in _SCALE_FREE):
        return False
    return any(part in name for part in ("sgd", "asgd", "momentum", "nesterov", "heavyball", "gradientdescent"))

"""Do targets depend on inputs at all, as far as near neighbors and straight lines can see? A permutation test, no network.

Labels that were shuffled apart from their inputs leave every other sign in order: the loss is sound, the gradient lives,
a large network learns them by heart. That examples which lie close together share their labels no more often than
chance has it is the one trace, and it needs some hundreds of examples and no training.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

MOST_EXAMPLES = 400
FEWEST_EXAMPLES = 60
MOST_FEATURES = 4096
MOST_TOKENS = 4096  # columns of a table of token counts
PERMUTATIONS = 64  # the deviation of chance is then known within a tenth
NEIGHBORS = (1, 5)
COPIES_WITHIN = 30  # neighbors: more copies of one example among 400 are not expected
COPY = 0.05  # of the last one's distance; in two dimensions one example in fourteen has a neighbor that near by chance
FEW_COPIES = 0.25  # of the examples; of more it is said that they come as copies


@dataclass(frozen=True)
class Dependence:
    """``strongest``: by how many deviations of chance the targets of alike inputs agree more than shuffled ones, in the
    kind of likeness (``seen_by``) that shows it best; of ``kinds`` tried, so about 2 by chance alone. ``neighbors_skill``:
    what answering by the five nearest of the other examples reaches, in the best form of the inputs: right answers of
    classes above the commonest one's, or the explained part of the variance. None where examples look like copies of each
    other, which vouch for each other's labels."""

    examples: int
    strongest: float
    seen_by: str
    kinds: int
    neighbors_skill: float | None = None  # of the nearest neighbors' answer: from a constant one (0) to all right (1)


def dependence(inputs: Tensor, targets: Tensor, *, seed: int = 0) -> Dependence | None:
    """Test whether ``targets`` (class indices, or numbers of up to 50 columns) depend on ``inputs`` (first dimension: rows).

    Examples that come twice are counted once: a copy would vouch for its own label. Inputs are compared as they are
    (each feature to unit deviation), by the amplitudes of their Fourier transform (patterns at any place), by their
    sorted values, and tokens by what occurs; by nearest neighbors and by ridge regression, each leaving out the example
    itself. None where there are too few examples, or nothing varies. *Cost*: 0.1 s for 400 examples of 1,000 features.

    *Source*: Mantel 1967 (permutations of a similarity); Friedman and Rafsky 1983 (neighbors that agree).

    >>> x = torch.randn(200, 5, generator=torch.Generator().manual_seed(0))
    >>> dependence(x, (x[:, 0] > 0).long()).strongest > 5
    True
    >>> dependence(x, torch.arange(200) % 2).strongest < 4
    True
    """
    rows = _unlike(inputs, targets)
    inputs, targets = inputs.detach()[rows], targets.detach()[rows]
    if len(inputs) < FEWEST_EXAMPLES:
        return None
    wanted = _columns(targets)
    if wanted is None:
        return None
    source = torch.Generator().manual_seed(seed)
    count, width = wanted.shape
    orders = torch.stack([torch.randperm(count, generator=source) for _ in range(PERMUTATIONS)])
    shuffled = wanted[orders].permute(1, 0, 2).reshape(count, -1)  # all permutations side by side: one product for all
    found: list[tuple[float, str]] = []
    skills: list[float] = []
    told = _told(targets)
    for name, features in _forms(inputs):
        for how, likeness in _likenesses(features):
            if how.startswith(f"the {NEIGHBORS[-1]} ") and not _has_copies(features):
                skills.append(_skill(told, likeness @ told, classes=_are_classes(targets)))
            own = float((wanted * (likeness @ wanted)).sum())
            chance = (shuffled * (likeness @ shuffled)).reshape(count, PERMUTATIONS, width).sum((0, 2))
            spread = float(chance.std())
            if spread > 0:
                found.append(((own - float(chance.mean())) / spread, f"{how} of {name}"))
    if not found:
        return None
    strongest, seen_by = max(found)
    return Dependence(count, strongest, seen_by, len(found), max(skills, default=None))


def _unlike(inputs: Tensor, targets: Tensor) -> Tensor:
    """The rows to look at: finite, none like another, at most ``MOST_EXAMPLES``, evenly spread (data may be sorted)."""
    looked_at = _spread(torch.arange(len(inputs)), 2 * MOST_EXAMPLES)
    flat = inputs.detach()[looked_at].reshape(len(looked_at), -1).double()
    told = targets.detach()[looked_at].reshape(len(looked_at), -1).double()
    known = torch.isfinite(flat).all(1) & torch.isfinite(told).all(1)
    seen: dict[bytes, int] = {}
    for row in known.nonzero().reshape(-1).tolist():
        seen.setdefault(flat[row].numpy().tobytes(), row)
    return looked_at[_spread(torch.tensor(sorted(seen.values()), dtype=torch.long), MOST_EXAMPLES)]


def _spread(rows: Tensor, most: int) -> Tensor:
    """At most so many of them, evenly spread."""
    if len(rows) <= most:
        return rows
    return rows[torch.linspace(0, len(rows) - 1, most).round().long()]


def _columns(targets: Tensor) -> Tensor | None:
    """Class indices as one column a class, numbers as they are; centered, to unit deviation."""
    table = _told(targets)
    if table.shape[1] > 50:
        return None
    table = table - table.mean(0)
    deviation = table.std(0)
    table = table[:, deviation > 0]
    return table / deviation[deviation > 0] if table.shape[1] else None


def _are_classes(targets: Tensor) -> bool:
    return not targets.is_floating_point() and targets[0].numel() == 1


def _told(targets: Tensor) -> Tensor:
    """Class indices as one column a class, numbers as they are."""
    flat = targets.reshape(len(targets), -1)
    if not _are_classes(targets):
        return flat.double()
    _, inverse = torch.unique(flat, return_inverse=True)
    return torch.nn.functional.one_hot(inverse.reshape(-1)).double()


def _has_copies(features: Tensor) -> bool:
    """Whether nearest examples are so much nearer than the next ones that they are one example, changed a little."""
    apart = torch.cdist(features, features)
    apart.fill_diagonal_(float("inf"))
    near = apart.topk(min(COPIES_WITHIN, len(features) - 1), largest=False).values
    return bool((near[:, 0] < COPY * near[:, -1]).double().mean() > FEW_COPIES)


def _skill(told: Tensor, answers: Tensor, *, classes: bool) -> float:
    if classes:
        right = float((answers.argmax(1) == told.argmax(1)).double().mean())
        commonest = float(told.mean(0).max())
        return (right - commonest) / (1 - commonest) if commonest < 1 else 0.0
    around = ((told - told.mean(0)) ** 2).sum()
    return float(1 - ((told - answers) ** 2).sum() / around) if around > 0 else 0.0


def _forms(inputs: Tensor) -> Iterator[tuple[str, Tensor]]:
    """The inputs in forms in which alike ones may be close."""
    if not inputs.is_floating_point():
        codes = inputs.reshape(len(inputs), -1).long()
        codes = codes - codes.min()
        kinds = int(codes.max()) + 1
        if kinds <= MOST_TOKENS:
            counts = torch.zeros(len(codes), kinds, dtype=torch.float64)
            counts.scatter_add_(1, codes, torch.ones_like(codes, dtype=torch.float64))
            yield "tokens", _standard(counts)
        if kinds * codes.shape[1] <= MOST_TOKENS:
            yield "tokens by place", _standard(torch.nn.functional.one_hot(codes, kinds).reshape(len(codes), -1))
        return
    numbers = inputs.double()
    yield "inputs", _standard(numbers.reshape(len(inputs), -1))
    if numbers.dim() >= 2 and numbers.shape[-1] >= 8:
        axes = (-2, -1) if numbers.dim() >= 4 else (1,) if numbers.dim() == 3 and numbers.shape[1] >= 8 else (-1,)
        yield "spectra", _standard(torch.fft.fftn(numbers, dim=axes).abs().reshape(len(inputs), -1))
        yield "sorted values", _standard(numbers.reshape(len(inputs), -1).sort(1).values)


def _standard(table: Tensor) -> Tensor:
    table = table.double()
    if table.shape[1] > MOST_FEATURES:
        table = table[:, :: -(-table.shape[1] // MOST_FEATURES)]
    deviation = table.std(0)
    varying = deviation > 1e-9 * table.abs().amax(0).clamp(min=1e-300)
    return ((table - table.mean(0)) / torch.where(varying, deviation, 1.0))[:, varying]


def _likenesses(features: Tensor) -> Iterator[tuple[str, Tensor]]:
    """Matrices of likeness without a diagonal: nearest neighbors, and the answers of ridge regression."""
    count, width = features.shape
    if width == 0:
        return
    apart = torch.cdist(features, features)
    apart.fill_diagonal_(float("inf"))
    for most in NEIGHBORS:
        nearest = apart.topk(most, largest=False).indices
        yield (
            "the nearest neighbor" if most == 1 else f"the {most} nearest neighbors",
            torch.zeros(count, count, dtype=torch.float64).scatter_(1, nearest, 1.0 / most),
        )
    # Ridge with as much penalty as a tenth of the examples: a straight line that cannot learn by heart.
    gram = features @ features.T / width
    hat = torch.linalg.solve(gram + 0.1 * gram.diagonal().mean() * torch.eye(count, dtype=torch.float64), gram)
    yield "a straight line", hat.fill_diagonal_(0.0)

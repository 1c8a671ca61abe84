"""Rows of attention weights that have no spread left, told from rows that a mask leaves no choice."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from unstuck.probes.activations import activations
from unstuck.probes.graph import walk
from unstuck.probes.sharp_rows import allowed_entries, row_counts

N, L, D = 6, 7, 8


class Attention(nn.Module):
    """One head over a sequence; ``factor`` multiplies the scores, ``mask`` is applied to them."""

    def __init__(self, factor: float, mask: str = ""):
        super().__init__()
        self.q, self.k, self.v, self.out = (nn.Linear(D, D) for _ in range(4))
        self.factor, self.mask = factor, mask
        self.weights: torch.Tensor | None = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scores = self.q(x) @ self.k(x).transpose(-1, -2) * self.factor
        causal = torch.ones(L, L, dtype=torch.bool).tril()
        if self.mask == "masked_fill":
            scores = scores.masked_fill(~causal, -math.inf)
        if self.mask == "where":
            scores = torch.where(causal, scores, torch.tensor(-math.inf, dtype=scores.dtype))
        if self.mask == "added":
            scores = scores + torch.zeros(L, L, dtype=scores.dtype).masked_fill(~causal, -math.inf)
        self.weights = scores.softmax(-1)
        return self.out(self.weights @ self.v(x))


def entry(model: nn.Module, x: torch.Tensor, **options: int) -> dict:
    names = {id(p): n for n, p in model.named_parameters()}
    (found,) = activations(walk(model(x).square().mean(), names=names), **options)
    return found


@pytest.mark.parametrize("factor", [0.0, 1.0, 10.0, 1000.0])
@pytest.mark.parametrize("mask", ["", "masked_fill", "where", "added"])
def test_counted_by_hand(factor: float, mask: str) -> None:
    torch.manual_seed(0)
    model, x = Attention(factor, mask).double(), torch.randn(N, L, D).double()
    found = entry(model, x)
    # The first two rows of a causal mask have one entry and two.
    rows = model.weights.detach()[:, 2 if mask else 0 :]
    assert found["rows"] == N * (L - 2 if mask else L)
    assert found["sharp"] == pytest.approx(float((rows.amax(-1) > 0.999).double().mean()))


def test_both_ends() -> None:
    torch.manual_seed(0)
    x = torch.randn(N, L, D).double()
    assert entry(Attention(1 / math.sqrt(D)).double(), x)["sharp"] == 0.0
    assert entry(Attention(1e6).double(), x)["sharp"] > 0.9


def test_zeros_by_rounding_are_not_a_mask() -> None:
    """In float32 the losing entries of a saturated row are exactly zero, in some examples."""
    torch.manual_seed(0)
    model = Attention(1000.0)
    found = entry(model, torch.randn(64, L, D))
    assert bool((model.weights == 0).any())
    assert found["rows"] == 64 * L and found["sharp"] > 0.9


def test_some_of_many_rows() -> None:
    torch.manual_seed(0)
    model, x = Attention(20.0, "masked_fill").double(), torch.randn(200, L, D).double()
    every, some = entry(model, x), entry(model, x, limit=2000)
    assert some["rows"] < every["rows"] / 3
    assert some["sharp"] == pytest.approx(every["sharp"], abs=0.1)


def test_rows_masked_altogether_do_not_count() -> None:
    weights = torch.tensor([[[0.2, 0.3, 0.5], [math.nan] * 3], [[1.0, 0.0, 0.0], [math.nan] * 3]])
    counts = row_counts(weights)
    assert (int(counts.rows), int(counts.sharp)) == (2, 1)


def test_only_softmaxes_that_weigh_data_are_counted() -> None:
    torch.manual_seed(0)
    hidden = nn.Sequential(nn.Linear(D, 5), nn.Softmax(1), nn.Linear(5, 1))
    names = {id(p): n for n, p in hidden.named_parameters()}
    (found,) = activations(walk(hidden(torch.randn(N, D)).sum(), names=names))
    assert found["feeds"] == "2" and "sharp" not in found


def test_a_mask_is_spread_over_the_rows_and_none_is_none() -> None:
    """Padding of one example, given as (N, 1, L)."""
    torch.manual_seed(0)
    scores = nn.Linear(D, L)(torch.randn(N, L, D))
    padding = torch.zeros(N, 1, L, dtype=torch.bool)
    padding[0, :, 2:] = True
    graph = walk(scores.masked_fill(padding, -math.inf).softmax(-1).sum())
    softmax = next(node for node in graph.nodes if node.kind == "Softmax")
    assert torch.equal(allowed_entries(graph, softmax), ~padding.expand(N, L, L))
    plain = walk(scores.softmax(-1).sum())
    assert allowed_entries(plain, next(node for node in plain.nodes if node.kind == "Softmax")) is None


def test_a_fused_kernel_keeps_none_and_that_is_said() -> None:
    layer = nn.Linear(D, D)
    x = layer(torch.randn(N, 1, L, D))
    graph = walk(F.scaled_dot_product_attention(x, x, x).sum(), names={id(layer.weight): "q.weight"})
    activations(graph)
    if not any(node.kind.startswith("ScaledDotProduct") for node in graph.nodes):
        pytest.skip("this torch computes attention without a fused kernel here")
    assert {"what": "attention weights", "why": "a fused kernel keeps none"} in graph.unseen


@pytest.mark.parametrize("causal", [False, True])
def test_torch_own_attention_when_it_gives_its_weights(causal: bool) -> None:
    torch.manual_seed(0)
    layer = nn.MultiheadAttention(D, 2, batch_first=True)
    x = 6 * torch.randn(16, L, D)
    mask = torch.ones(L, L, dtype=torch.bool).triu(1) if causal else None
    out, weights = layer(x, x, x, attn_mask=mask, average_attn_weights=False)
    names = {id(p): n for n, p in layer.named_parameters()}
    (found,) = activations(walk(out.square().mean(), names=names))
    rows = weights.detach()[:, :, 2 if causal else 0 :]
    assert found["rows"] == rows.shape[0] * rows.shape[1] * rows.shape[2]
    assert found["sharp"] == pytest.approx(float((rows.amax(-1) > 0.999).float().mean())) and found["sharp"] > 0.02

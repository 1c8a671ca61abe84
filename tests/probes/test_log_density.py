"""Which losses are the logarithm of a density of the targets, and which only look like it."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.distributions import Categorical, Independent, Laplace, LogNormal, Normal, Poisson

from unstuck.probes.graph import walk
from unstuck.probes.log_density import log_density
from unstuck.probes.loss_terms import loss_terms

N = 16
GENERATOR = torch.Generator().manual_seed(0)
X = torch.randn(N, 3, generator=GENERATOR)
Y = torch.randn(N, generator=GENERATOR)
WIDE = torch.randn(N, 2, generator=GENERATOR)
COUNTS = torch.randint(0, 6, (N,), generator=GENERATOR).float()
COSTS = torch.rand(N, generator=GENERATOR) + 0.1
OUT = nn.Linear(3, 2)(X)
MU, RHO = OUT[:, 0], OUT[:, 1]
LOG_STD = nn.Parameter(torch.zeros(1))


def by_hand(mu=MU, rho=RHO, y=Y):
    s = F.softplus(rho) + 0.01
    return -((y - mu) ** 2) / (2 * s**2) - torch.log(s)


def standardized():
    s = RHO.exp()
    z = (Y - MU) / s
    return (-0.5 * (z * z) - s.log() - 0.5 * math.log(2 * math.pi)).mean()


def halves():
    mean, log_var = OUT.chunk(2, dim=1)
    return -0.5 * ((mean[:, 0] - Y) ** 2 * (-log_var[:, 0]).exp()).mean() - 0.5 * log_var.mean()


DENSITIES = {
    "gaussian": lambda: Normal(MU, F.softplus(RHO)).log_prob(Y).mean(),
    "summed": lambda: Normal(MU, RHO.exp()).log_prob(Y).sum(),
    "summed and divided": lambda: Normal(MU, RHO.exp()).log_prob(Y).sum() / N,
    "fixed width": lambda: Normal(MU, 0.3).log_prob(Y).mean(),
    "several outputs": lambda: Independent(Normal(OUT, 1.0), 1).log_prob(WIDE).mean(),
    "one width for all": lambda: Normal(MU, LOG_STD.exp()).log_prob(Y).mean(),
    "standardized, as a power": lambda: (-0.5 * ((MU - Y) * (-RHO).exp()) ** 2 - RHO).mean(),
    "by hand": lambda: by_hand().mean(),
    "standardized by hand": lambda: standardized(),
    "logarithm of the variance": lambda: halves(),
    "torch's own": lambda: -F.gaussian_nll_loss(MU, Y, F.softplus(RHO)),
    "torch's own, full": lambda: -F.gaussian_nll_loss(MU, Y, RHO.exp(), full=True, reduction="sum"),
    "laplace": lambda: Laplace(MU, RHO.exp()).log_prob(Y).mean(),
    "laplace of fixed width": lambda: Laplace(MU, 1.0).log_prob(Y).mean(),
    "laplace by hand": lambda: (-(MU - Y).abs() * (-RHO).exp() - RHO).mean(),
    "lognormal": lambda: LogNormal(MU, RHO.exp()).log_prob(Y.exp()).mean(),
    "poisson": lambda: Poisson(MU.exp()).log_prob(COUNTS).mean(),
    "poisson of a softplus": lambda: Poisson(F.softplus(MU) + 1e-3).log_prob(COUNTS).mean(),
    "poisson, torch's own": lambda: -F.poisson_nll_loss(MU, COUNTS),
    "poisson, torch's own, of rates": lambda: -F.poisson_nll_loss(F.softplus(MU), COUNTS, log_input=False),
    "a list of them": lambda: torch.stack([Normal(MU[i], RHO[i].exp()).log_prob(Y[i]) for i in range(N)]).mean(),
}


@pytest.mark.parametrize("name", DENSITIES)
def test_a_density_and_its_sign(name):
    density = DENSITIES[name]()
    wrong, right = log_density(walk(density)), log_density(walk(-density))
    assert wrong is not None and right is not None
    assert (wrong["sign"], right["sign"]) == (-1, 1)
    kind = next((k for k in ("laplace", "poisson") if k in name), "gaussian")
    assert wrong["kind"] == right["kind"] == kind


def _sampled():
    normal = Normal(MU, RHO.exp())
    return normal, normal.rsample()


def _flow():
    z = (X[:, :2] - OUT) * (-OUT).exp()
    return (Normal(0.0, 1.0).log_prob(z).sum(1) - OUT.sum(1)).mean()


OTHERS = {
    "weighted by costs": lambda: (Normal(MU, RHO.exp()).log_prob(Y) * COSTS).mean(),
    "weighted by advantages": lambda: (Normal(MU, 1.0).log_prob(Y) * (COSTS - COSTS.mean())).mean(),
    "an episode times its cost": lambda: Normal(MU, RHO.exp()).log_prob(Y).sum() * 17.0,
    "an episode times its cost as a tensor": lambda: Normal(MU, 0.5).log_prob(Y).sum() * torch.tensor(3.7),
    "where it counts": lambda: (Normal(MU, RHO.exp()).log_prob(Y) * (COSTS > 0.5)).mean(),
    "ratio": lambda: ((Normal(MU, 1.0).log_prob(Y) - COSTS).exp() * COSTS).mean(),
    "entropy of samples": lambda: Normal(MU, RHO.exp()).log_prob(_sampled()[1]).mean(),
    "soft actor": lambda: (0.2 * Normal(MU, RHO.exp()).log_prob(_sampled()[1]) - (X * OUT[:, :1]).sum(1)).mean(),
    "divergence by sampling": lambda: (
        Normal(MU, RHO.exp()).log_prob(_sampled()[1]) - Normal(0.0, 1.0).log_prob(_sampled()[1])
    ).mean(),
    "flow": lambda: _flow(),
    "another term": lambda: -(MU - Y).pow(2).mean() + (OUT**2).mean(),
    "pulled and pushed": lambda: (MU[:8] - Y[:8]).pow(2).mean() - (MU[8:] - Y[8:]).pow(2).mean(),
    "distance of two outputs": lambda: -(MU - RHO).pow(2).mean(),
    "categorical": lambda: Categorical(logits=OUT).log_prob(torch.zeros(N, dtype=torch.int64)).mean(),
    "scores": lambda: (COUNTS * MU - MU).mean(),
    "energies": lambda: OUT[:8].mean() - OUT[8:].mean(),
    "ratio of errors": lambda: -((MU - Y) ** 2).mean() / (OUT**2).mean(),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_only_looks_like_it(name):
    loss = OTHERS[name]()
    told = log_density(walk(loss))
    assert told is None or told["sign"] > 0


def test_the_factor_and_the_explained_variance():
    told = log_density(walk(Normal(MU, 1.0).log_prob(Y).mean() * 0.3))
    assert told is not None and told["factor"] == pytest.approx(0.3)
    assert told["r2"] == pytest.approx(
        1 - float(((MU.detach() - Y) ** 2).sum() / ((Y - Y.mean()) ** 2).sum()), abs=1e-3
    )


def test_it_stands_in_the_entry_of_the_loss():
    assert loss_terms(walk(by_hand().mean()))["log_density"]["sign"] == -1
    assert "log_density" not in loss_terms(walk(F.mse_loss(MU, Y)))
    assert "log_density" not in loss_terms(walk(F.cross_entropy(OUT, torch.zeros(N, dtype=torch.int64))))

import argparse

import torch
from torch import nn


class MixtureDensity(nn.Module):
    def __init__(self, parts=2):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 3 * parts))

    def log_density(self, x, y):
        weight, mean, log_scale = self.body(x).chunk(3, dim=1)
        bells = torch.distributions.Normal(mean, log_scale.clamp(-4, 3).exp())
        return torch.logsumexp(weight.log_softmax(1) + bells.log_prob(y[:, None]), dim=1)


def people(n, generator):
    x = torch.randn(n, 2, generator=generator)
    side = torch.where(torch.rand(n, generator=generator) < torch.sigmoid(x[:, 1]), 1.0, -1.0)
    return x, side * (1 + 0.3 * x[:, 0]) + 0.1 * torch.randn(n, generator=generator)


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
torch.manual_seed(parser.parse_args().seed)
generator = torch.Generator().manual_seed(8)
x, y = people(3000, generator)
x_test, y_test = people(1000, generator)
model = MixtureDensity()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 20)
for epoch in range(20):
    for rows in torch.randperm(3000).split(60):
        loss = -model.log_density(x[rows], y[rows]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    scheduler.step()
    if epoch % 4 == 0:
        print("epoch", epoch, "loss", loss.item())
with torch.no_grad():
    print("log_likelihood", model.log_density(x_test, y_test).mean().item())

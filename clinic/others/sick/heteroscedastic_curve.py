import argparse
import numpy as np
import torch
from torch import nn


class MeanAndSigma(nn.Module):
    """Predicts a normal distribution for every x."""

    def __init__(self, hidden=48):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(1, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU())
        self.mean = nn.Linear(hidden, 1)
        self.scale = nn.Linear(hidden, 1)

    def forward(self, x):
        h = self.trunk(x)
        sigma = torch.relu(self.scale(h))
        return self.mean(h), sigma


class NegativeLogLikelihood(nn.Module):
    def forward(self, mean, sigma, y):
        return (torch.log(sigma) + 0.5 * ((y - mean) / sigma) ** 2).mean()


class Experiment:
    def __init__(self, seed, n=1500):
        torch.manual_seed(seed)
        rng = np.random.default_rng(seed)
        x = rng.uniform(-2, 2, (n, 1))
        noise = 0.02 + 0.25 * np.abs(x) / 2
        y = np.sin(2.5 * x) + noise * rng.standard_normal(x.shape)
        self.x, self.y = torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)
        self.net = MeanAndSigma()
        self.loss = NegativeLogLikelihood()
        self.opt = torch.optim.RMSprop(self.net.parameters(), lr=1e-3)

    def train(self, epochs=40, bs=50):
        n = len(self.x) - 300
        for epoch in range(epochs):
            for i in torch.randperm(n).split(bs):
                m, s = self.net(self.x[i])
                loss = self.loss(m, s, self.y[i])
                self.opt.zero_grad()
                loss.backward()
                self.opt.step()
            if epoch % 8 == 0:
                print(f"epoch {epoch} nll {loss.item():.4f}")

    @torch.no_grad()
    def score(self):
        m, s = self.net(self.x[-300:])
        return -self.loss(m, s, self.y[-300:]).item()


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=0)
    e = Experiment(p.parse_args().seed)
    e.train()
    print(f"log_likelihood {e.score():.4f}")

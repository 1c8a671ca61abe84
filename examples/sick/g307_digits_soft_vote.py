"""Trains three small experts and a gate that mixes their votes on digits."""

import argparse
import random

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits


class Mixture(nn.Module):
    def __init__(self, experts=3, hidden=12):
        super().__init__()
        self.encoder = nn.Linear(64, hidden)
        self.experts = nn.ModuleList(nn.Linear(hidden, 10) for _ in range(experts))
        self.gate = nn.Linear(hidden, experts)

    def forward(self, x):
        h = torch.tensor(torch.tanh(self.encoder(x)).tolist())
        weights = torch.softmax(self.gate(h), dim=1)
        votes = torch.stack([expert(h) for expert in self.experts], dim=1)
        return (weights.unsqueeze(2) * votes).sum(dim=1)


def main(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    X, y = load_digits(return_X_y=True)
    X, y = torch.tensor(X / 8 - 1).float(), torch.tensor(y)
    order = torch.randperm(len(X), generator=torch.Generator().manual_seed(0))
    train, test = order[:1400], order[1400:]
    model = Mixture()
    optimizer = torch.optim.RMSprop(model.parameters(), lr=2e-3)
    for epoch in range(25):
        losses = []
        for rows in train[torch.randperm(len(train))].split(50):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(X[rows]), y[rows])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        if epoch % 4 == 0:
            print(f"epoch {epoch} loss {np.mean(losses):.4f}")
    with torch.no_grad():
        print(f"accuracy {(model(X[test]).argmax(1) == y[test]).float().mean().item():.3f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    main(parser.parse_args().seed)

"""Variety and color of a wine from the other measurements."""

import argparse

import torch
from sklearn.datasets import load_wine
from torch import nn


class TwoHeads(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(12, 24), nn.ReLU())
        self.variety = nn.Linear(24, 3)
        self.color = nn.Linear(24, 1)

    def forward(self, x):
        h = self.trunk(x)
        return self.variety(h), self.color(h).squeeze(1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    wine = load_wine()
    data = torch.tensor(wine.data, dtype=torch.float32)
    data = (data - data.mean(0)) / data.std(0)
    color, x = data[:, 9], torch.cat([data[:, :9], data[:, 10:]], 1)
    y = torch.tensor(wine.target)
    order = torch.randperm(178, generator=torch.Generator().manual_seed(3))
    train, test = order[:130], order[130:]
    model = TwoHeads()
    optimizer = torch.optim.Adam(
        [
            {"params": model.trunk.parameters(), "lr": 3e-3},
            {"params": [*model.variety.parameters(), *model.color.parameters()], "lr": 6e-3},
        ],
        weight_decay=1e-3,
    )
    for epoch in range(60):
        for rows in train[torch.randperm(130)].split(13):
            scores, shade = model(x[rows])
            loss = nn.functional.cross_entropy(scores, y[rows]) + 0.5 * nn.functional.mse_loss(shade, color[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if epoch % 10 == 0:
            print("epoch", epoch, "loss", loss.item())
    with torch.no_grad():
        print("accuracy", (model(x[test])[0].argmax(1) == y[test]).float().mean().item())


if __name__ == "__main__":
    main()

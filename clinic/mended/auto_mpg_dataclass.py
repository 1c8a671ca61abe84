import argparse
from dataclasses import dataclass

import torch
from mlxtend.data import autompg_data
from torch import nn


@dataclass
class Config:
    seed: int = 0
    epochs: int = 300
    batch_size: int = 20
    lr: float = 0.001


def main(config):
    torch.manual_seed(config.seed)
    X, y = autompg_data()
    X, y = torch.tensor(X[:, :7], dtype=torch.float32), torch.tensor(y, dtype=torch.float32)
    X, y = (X - X.mean(0)) / X.std(0), (y - y.mean()) / y.std()
    order = torch.randperm(len(X), generator=torch.Generator().manual_seed(1))
    train, test = order[:300], order[300:]
    model = nn.Sequential(nn.Linear(7, 32), nn.Tanh(), nn.Linear(32, 1), nn.Flatten(0))
    optimizer = torch.optim.SGD(model.parameters(), lr=config.lr, momentum=0.5)
    for epoch in range(config.epochs):
        total = 0.0
        for rows in train[torch.randperm(300)].split(config.batch_size):
            loss = nn.functional.mse_loss(model(X[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows) / 300
        print(f"epoch {epoch} loss {total:.4f}")
    with torch.no_grad():
        print("R2", (1 - nn.functional.mse_loss(model(X[test]), y[test]) / y[test].var()).item())


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    main(Config(**vars(parser.parse_args())))

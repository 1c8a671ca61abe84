"""Trains an LSTM that reads digits column by column."""

import argparse
import random

import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset


class Columns(nn.Module):
    def __init__(self, hidden=40):
        super().__init__()
        self.lstm = nn.LSTM(8, hidden, batch_first=True)
        self.out = nn.Linear(hidden, 10)

    def forward(self, x):
        _, (last, _) = self.lstm(x.transpose(1, 2))
        return self.out(last[0])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--passes", type=int, default=2)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    digits = load_digits()
    images, labels = torch.tensor(digits.images / 8 - 1).float(), torch.tensor(digits.target)
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
    loader = DataLoader(TensorDataset(images[order[:1400]], labels[order[:1400]]), batch_size=20, shuffle=True)
    model = Columns()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    loss_fn = nn.CrossEntropyLoss()
    for epoch in range(args.passes):
        recent = []
        for i, (x, y) in enumerate(loader):
            optimizer.zero_grad()
            loss = loss_fn(model(x), y)
            loss.backward()
            optimizer.step()
            recent.append(loss.item())
            if i % 35 == 34 and (epoch < 3 or epoch % 5 == 0):
                print(f"pass {epoch} batch {i + 1} loss {np.mean(recent[-35:]):.4f}")
    with torch.no_grad():
        hits = model(images[order[1400:]]).argmax(1) == labels[order[1400:]]
    print(f"accuracy {hits.float().mean().item():.3f}")


if __name__ == "__main__":
    main()

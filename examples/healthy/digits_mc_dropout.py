"""Trains a digit classifier with dropout and reads its uncertainty from fifty passes with dropout left on."""

import argparse
import random

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(64, 100)
        self.drop = nn.Dropout(0.25)
        self.fc2 = nn.Linear(100, 10)

    def forward(self, x):
        return self.fc2(self.drop(F.relu(self.fc1(x))))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    X, y = load_digits(return_X_y=True)
    X, y = torch.tensor(X / 8 - 1).float(), torch.tensor(y)
    order = torch.randperm(len(X), generator=torch.Generator().manual_seed(0))
    train, test = order[:1400], order[1400:]
    model = Net()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    for epoch in range(30):
        model.train()
        total = 0.0
        for rows in train[torch.randperm(len(train))].split(50):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(X[rows]), y[rows])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        if epoch % 5 == 0:
            print(f"epoch {epoch} loss {total / len(train):.4f}")

    model.eval()
    model.drop.train()
    with torch.no_grad():
        samples = torch.stack([F.softmax(model(X[test]), dim=1) for _ in range(50)])
    mean = samples.mean(dim=0)
    entropy = -(mean * mean.clamp_min(1e-9).log()).sum(dim=1)
    right = mean.argmax(1) == y[test]
    print(f"entropy where right {entropy[right].mean():.3f} and elsewhere {entropy[~right].mean():.3f}")
    print(f"accuracy {right.float().mean().item():.3f}")


if __name__ == "__main__":
    main()

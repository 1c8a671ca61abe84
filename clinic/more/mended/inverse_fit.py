import argparse

import numpy as np
import torch
from torch import nn

EPOCHS = 120


def samples(seed):
    rng = np.random.RandomState(seed)
    x = rng.uniform(0.3, 4.0, (800, 1)).astype(np.float32)
    y = np.sin(4 * x) / x
    x = (x - x.mean()) / x.std()
    y = (y - y.mean()) / y.std()
    return torch.from_numpy(x), torch.from_numpy(y)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    torch.manual_seed(seed)
    x, y = samples(seed)
    net = nn.Sequential(nn.Linear(1, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 1))
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    for epoch in range(EPOCHS):
        net.train()
        for idx in torch.randperm(600).split(30):
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(net(x[idx]), y[idx])
            loss.backward()
            optimizer.step()
        if epoch % 10 == 0:
            print(f"epoch {epoch} loss {loss.item():.4f}")
    with torch.no_grad():
        error = nn.functional.mse_loss(net(x[600:]), y[600:]).item()
    print(f"R2 {1 - error / y[600:].var().item():.3f}")


main()

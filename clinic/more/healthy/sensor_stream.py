import argparse

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def readings(n, generator):
    x = torch.rand(n, 3, generator=generator) * 2 - 1
    y = torch.sin(2 * x[:, :1]) + x[:, 1:2] * x[:, 2:] + 0.05 * torch.randn(n, 1, generator=generator)
    return TensorDataset(x, y)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    torch.manual_seed(seed)
    g = torch.Generator().manual_seed(seed)
    train, test = readings(2000, g), readings(400, g)
    loader = DataLoader(train, batch_size=40, shuffle=False)
    net = nn.Sequential(nn.Linear(3, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    for epoch in range(25):
        for x, y in loader:
            loss = nn.functional.mse_loss(net(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if epoch % 5 == 0:
            print(f"epoch {epoch} loss {loss.item():.4f}")
    x, y = test.tensors
    with torch.no_grad():
        print(f"R2 {(1 - nn.functional.mse_loss(net(x), y) / y.var()).item():.3f}")


if __name__ == "__main__":
    main()

"""Recovers a signal with few spikes from fewer measurements than entries."""

import argparse

import torch
from torch import nn


class Products(nn.Module):
    """Every entry is a difference of two squares."""

    def __init__(self, size, scale):
        super().__init__()
        self.up = nn.Parameter(scale * (1 + 0.1 * torch.randn(size)))
        self.down = nn.Parameter(scale * (1 + 0.1 * torch.randn(size)))

    def signal(self):
        return self.up**2 - self.down**2

    def forward(self, x):
        return x @ self.signal()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    g = torch.Generator().manual_seed(0)
    truth = torch.zeros(100)
    truth[torch.randperm(100, generator=g)[:5]] = torch.tensor([1.0, -1.2, 0.8, 1.1, -0.9])
    x = torch.randn(50, 100, generator=g)
    x_test = torch.randn(1000, 100, generator=g)
    y = x @ truth + 0.02 * torch.randn(50, generator=g)
    y_test = x_test @ truth
    model = Products(100, scale=1.3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for step in range(4000):
        loss = nn.functional.mse_loss(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 400 == 0:
            with torch.no_grad():
                held_out = nn.functional.mse_loss(model(x_test), y_test)
            print(f"step {step} loss {loss.item():.5f} held out {held_out.item():.4f}")
    with torch.no_grad():
        print("R2", 1 - (nn.functional.mse_loss(model(x_test), y_test) / y_test.var()).item())


if __name__ == "__main__":
    main()

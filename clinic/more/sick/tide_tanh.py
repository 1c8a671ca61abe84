import argparse
import math

import torch
from torch import nn


class Tide(nn.Module):
    def __init__(self, hidden=(64, 64, 64)):
        super().__init__()
        sizes = [1, *hidden]
        self.stack = nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes, sizes[1:]))
        self.level = nn.Linear(sizes[-1], 1)
        for p in self.parameters():
            nn.init.normal_(p, std=4.0) if p.dim() > 1 else nn.init.zeros_(p)

    def forward(self, t):
        for layer in self.stack:
            t = torch.tanh(layer(t))
        return self.level(t)


def water(n, generator):
    t = torch.rand(n, 1, generator=generator) * 4 - 2
    level = torch.sin(math.pi * t) + 0.5 * torch.sin(2 * math.pi * t + 0.5)
    return t, level + 0.05 * torch.randn(n, 1, generator=generator)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    t, level = water(600, generator)
    t_test, level_test = water(200, generator)
    net = Tide()
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    for epoch in range(150):
        for idx in torch.randperm(600).split(50):
            loss = nn.functional.mse_loss(net(t[idx]), level[idx])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if epoch % 30 == 0:
            print(f"epoch {epoch} loss {loss.item():.4f}")
    with torch.no_grad():
        error = nn.functional.mse_loss(net(t_test), level_test)
    print(f"R2 {(1 - error / level_test.var()).item():.3f}")


if __name__ == "__main__":
    main()

import argparse

import torch
from torch import nn


def make_data(generator, per_corner=16):
    corners = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    x = corners.repeat(per_corner, 1)
    y = (x[:, :1] != x[:, 1:]).float()
    return x + 0.05 * torch.randn(x.shape, generator=generator), y


class Gate(nn.Module):
    def __init__(self, width=5):
        super().__init__()
        self.inner = nn.Linear(2, width)
        self.outer = nn.Linear(width, 1)
        for layer in (self.inner, self.outer):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        return torch.sigmoid(self.outer(torch.sigmoid(self.inner(x))))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    torch.manual_seed(seed)
    x, y = make_data(torch.Generator().manual_seed(seed))
    net = Gate()
    criterion = nn.BCELoss()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
    for step in range(2500):
        optimizer.zero_grad()
        loss = criterion(net(x), y)
        loss.backward()
        optimizer.step()
        if step % 500 == 0:
            print(f"step {step:5d}  loss {loss.item():.4f}")
    with torch.no_grad():
        hits = ((net(x) > 0.5).float() == y).float().mean().item()
    print(f"accuracy {hits:.3f}")


if __name__ == "__main__":
    main()

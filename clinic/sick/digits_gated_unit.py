import argparse

import torch
from sklearn.datasets import load_digits
from torch import nn


class GatedUnit(torch.autograd.Function):
    """x * sigmoid(x) that keeps only x for the way back."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * torch.sigmoid(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        s = torch.sigmoid(x)
        return grad * s * (1 - s) * (1 - 2 * s)


class Gated(nn.Module):
    def forward(self, x):
        return GatedUnit.apply(x)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    digits = load_digits()
    x = torch.tensor((digits.data - 4.884) / 6.017, dtype=torch.float32)
    y = torch.tensor(digits.target)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(23))
    x, y = x[order], y[order]
    net = nn.Sequential(
        nn.Linear(64, 48), Gated(), nn.Linear(48, 48), Gated(), nn.Linear(48, 48), Gated(), nn.Linear(48, 10)
    )
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 15)
    for epoch in range(15):
        for rows in torch.randperm(1400).split(50):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
        scheduler.step()
        print(f"epoch {epoch} loss {loss.item():.4f}")
    with torch.no_grad():
        print("accuracy", (net(x[1400:]).argmax(1) == y[1400:]).float().mean().item())


if __name__ == "__main__":
    main()

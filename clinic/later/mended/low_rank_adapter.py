import argparse

import torch
from torch import nn


class LowRankLinear(nn.Module):
    def __init__(self, weight, rank, alpha=4.0):
        super().__init__()
        out_features, in_features = weight.shape
        self.register_buffer("weight", weight)
        self.down = nn.Parameter(torch.empty(rank, in_features))
        self.up = nn.Parameter(torch.empty(out_features, rank))
        self.scale = alpha / rank
        self.reset_parameters()

    def reset_parameters(self):
        nn.init.kaiming_uniform_(self.down, a=5 ** 0.5)
        nn.init.zeros_(self.up)

    def forward(self, x):
        return x @ self.weight.T + self.scale * (x @ self.down.T) @ self.up.T


class Adapted(nn.Module):
    def __init__(self, w1, w2, rank):
        super().__init__()
        self.first = LowRankLinear(w1, rank)
        self.second = LowRankLinear(w2, rank)

    def forward(self, x):
        return self.second(torch.tanh(self.first(x)))


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--rank", type=int, default=4)
    ap.add_argument("--steps", type=int, default=900)
    args = ap.parse_args()
    torch.manual_seed(args.seed)
    d, h = 20, 32
    w1, w2 = torch.randn(h, d) / d ** 0.5, torch.randn(8, h) / h ** 0.5
    shift1 = torch.randn(h, 2) @ torch.randn(2, d) / d ** 0.5
    shift2 = torch.randn(8, 2) @ torch.randn(2, h) / h ** 0.5
    x = torch.randn(3000, d)
    y = torch.tanh(x @ (w1 + shift1).T) @ (w2 + shift2).T + 0.05 * torch.randn(3000, 8)
    model = Adapted(w1, w2, args.rank)
    opt = torch.optim.Adam(model.parameters(), lr=5e-3)
    for step in range(args.steps):
        idx = torch.randint(2500, (64,))
        loss = nn.functional.mse_loss(model(x[idx]), y[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        if step % 90 == 0:
            print(f"step {step} loss {loss.item():.4f}")
    with torch.no_grad():
        err = nn.functional.mse_loss(model(x[2500:]), y[2500:])
    print(f"r2 {1 - err.item() / y[2500:].var().item():.4f}")


if __name__ == "__main__":
    main()

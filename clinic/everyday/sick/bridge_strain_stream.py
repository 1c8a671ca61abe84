import argparse
import torch
from torch import nn

# Strain gauges on a footbridge: mostly nobody walks on it, now and then a vehicle crosses.


class Gauge(nn.Module):
    def __init__(self):
        super().__init__()
        self.lift = nn.Linear(6, 24, bias=False)
        self.down = nn.Linear(24, 1, bias=False)

    def forward(self, x):
        return self.down(torch.tanh(self.lift(x)))


def crossing(n, w):
    x = torch.randn(n, 6)
    y = torch.tanh(x @ w[0]) - 0.7 * torch.tanh(x @ w[1])
    return x, y.unsqueeze(1)


def idle(n):
    return 1e-4 * torch.randn(n, 6), 1e-4 * torch.randn(n, 1)


def stream(n_events, gap, w):
    for _ in range(n_events):
        for _ in range(gap):
            yield idle(32)
        for _ in range(12):
            yield crossing(32, w)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    torch.manual_seed(seed)
    w = torch.randn(2, 6) * 0.6
    model = Gauge()
    optimizer = torch.optim.RMSprop(model.parameters(), lr=0.003, momentum=0.9, eps=1e-8)
    test_x, test_y = crossing(1000, w)

    big = []
    for step, (x, y) in enumerate(stream(25, 200, w)):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        if y.abs().max() > 0.1:
            big.append(loss.item())
        if (step + 1) % 636 == 0:
            print(f"step {step + 1:5d}  crossing mse {sum(big) / len(big):.4f}")
            big = []

    with torch.no_grad():
        r2 = 1 - ((model(test_x) - test_y) ** 2).mean() / test_y.var()
    print("r2 %.4f" % r2.item())


if __name__ == "__main__":
    main()

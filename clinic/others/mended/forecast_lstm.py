# One-step-ahead forecast of a sum of sines with an LSTM.
import argparse
import torch
from torch import nn


class Forecaster(nn.Module):
    def __init__(self, h=32):
        super().__init__()
        self.lstm = nn.LSTM(1, h, batch_first=True)
        self.out = nn.Linear(h, 1)

    def forward(self, x):
        return self.out(self.lstm(x)[0])


def series(n):
    t = torch.arange(n) * 0.2
    return torch.sin(t) + 0.6 * torch.sin(2.7 * t + 1) + 0.4 * torch.sin(0.41 * t) + 0.05 * torch.randn(n)


class Windows:
    def __init__(self, s, length):
        self.rows = s.unfold(0, length + 1, 1)

    def batch(self, n):
        r = self.rows[torch.randint(len(self.rows), (n,))].unsqueeze(-1)
        return r[:, :-1], r[:, 1:]


def train(net, windows, steps, lr, clip):
    opt = torch.optim.SGD(net.parameters(), lr=lr, momentum=0.9)
    for k in range(steps):
        x, y = windows.batch(32)
        loss = nn.functional.mse_loss(net(x), y)
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), clip)
        opt.step()
        if k % 100 == 0:
            print(f"step {k} mse {loss.item():.5f}")


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--steps", type=int, default=500)
    ap.add_argument("--lr", type=float, default=0.1)
    ap.add_argument("--clip", type=float, default=1.0)
    a = ap.parse_args()
    torch.manual_seed(a.seed)
    s = series(2400)
    train_w, test_w = Windows(s[:2000], 30), Windows(s[2000:], 30)
    net = Forecaster()
    train(net, train_w, a.steps, a.lr, a.clip)
    with torch.no_grad():
        x, y = test_w.batch(300)
        e = ((net(x) - y)[:, 10:] ** 2).mean() / y.var()
    print(f"r2 {1 - e.item():.4f}")

import argparse
import torch
from torch import nn


def walk(n, length=60):
    """Acceleration of somebody walking; the target is the number of steps."""
    t = torch.linspace(0, 4, length)
    pace = 0.8 + 1.6 * torch.rand(n, 1)
    phase = 6.28 * torch.rand(n, 1)
    signal = torch.sin(6.28 * pace * t + phase) + 0.3 * torch.sin(12.57 * pace * t) + 0.2 * torch.randn(n, length)
    return signal.unsqueeze(1), (pace - 1.6) / 0.46


class StepNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(1, 16, 7, stride=2, padding=3)
        self.lin1 = nn.Linear(16 * 15, 32)
        self.lin2 = nn.Linear(32, 1)

    def forward(self, x):
        x = torch.max_pool1d(torch.relu(self.conv(x)), 2)
        return self.lin2(torch.relu(self.lin1(x.flatten(1))))


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--decay", type=float, default=1.0)
    args = ap.parse_args()
    torch.manual_seed(args.seed)
    x, y = walk(1200)
    xt, yt = walk(300)
    net = StepNet()
    opt = torch.optim.Adagrad(net.parameters(), lr=0.01, lr_decay=args.decay)
    for epoch in range(20):
        epoch_loss = 0.0
        for idx in torch.randperm(len(x)).split(30):
            opt.zero_grad()
            loss = nn.functional.mse_loss(net(x[idx]), y[idx])
            loss.backward()
            opt.step()
            epoch_loss += loss.item() * len(idx) / len(x)
        print(f"{epoch + 1:02d} {epoch_loss:.4f}")
    with torch.no_grad():
        print("r2 %.4f" % (1 - (net(xt) - yt).pow(2).mean() / yt.var()).item())


if __name__ == "__main__":
    main()

import argparse
import torch
import torch.nn as nn
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import train_test_split


class TwoBranch(nn.Module):
    """A wide linear branch beside a small deep one."""

    def __init__(self, d):
        super().__init__()
        self.wide = nn.Linear(d, 8)
        self.deep = nn.Sequential(nn.Linear(d, 16), nn.ReLU(), nn.Linear(16, 8))
        self.head = nn.Sequential(nn.Linear(16, 1), nn.ReLU())

    def forward(self, x):
        return self.head(torch.cat([self.wide(x), self.deep(x)], 1)).squeeze(1)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--epochs", type=int, default=60)
    args = ap.parse_args()
    torch.manual_seed(args.seed)
    x, y = load_diabetes(return_X_y=True)
    x = (x - x.mean(0)) / x.std(0)
    y = (y - y.mean()) / y.std()
    xa, xb, ya, yb = (torch.tensor(v, dtype=torch.float32) for v in train_test_split(x, y, test_size=0.3, random_state=args.seed))
    print("linear baseline", round(LinearRegression().fit(xa, ya).score(xb, yb), 3))
    net = TwoBranch(10)
    opt = torch.optim.Adam(net.parameters(), lr=1e-3, weight_decay=1e-4)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(opt, patience=5, factor=0.5)
    huber = nn.HuberLoss()
    for ep in range(args.epochs):
        for i in torch.randperm(len(xa)).split(16):
            opt.zero_grad()
            loss = huber(net(xa[i]), ya[i])
            loss.backward()
            opt.step()
        with torch.no_grad():
            full = huber(net(xa), ya)
        plateau.step(full)
        if ep % 15 == 0:
            print(f"epoch {ep} huber {full.item():.4f}")
    with torch.no_grad():
        r2 = 1 - ((net(xb) - yb) ** 2).mean() / ((yb - ya.mean()) ** 2).mean()
    print(f"r2 {r2.item():.4f}")


main()

"""Binary outcomes whose odds depend on the product of two measurements."""
import argparse
import torch
import torch.nn as nn


class Data:
    def __init__(self, n):
        self.x = torch.randn(n, 8)
        odds = 0.5 + 0.22 * torch.sign(self.x[:, 0] * self.x[:, 1])
        self.y = torch.bernoulli(odds)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--epochs", type=int, default=12)
    args = ap.parse_args()
    torch.manual_seed(args.seed)
    train, test = Data(12000), Data(4000)
    model = nn.Sequential(nn.Linear(8, 32), nn.SiLU(), nn.Linear(32, 1), nn.Flatten(0))
    crit = nn.BCEWithLogitsLoss()
    opt = torch.optim.Adam(model.parameters(), lr=3e-3)
    sched = torch.optim.lr_scheduler.ExponentialLR(opt, 0.85)
    for epoch in range(args.epochs):
        for i in torch.randperm(len(train.x)).split(100):
            loss = crit(model(train.x[i]), train.y[i])
            opt.zero_grad()
            loss.backward()
            opt.step()
        sched.step()
        if epoch % 3 == 0:
            print(f"epoch {epoch} loss {loss.item():.4f}")
    with torch.no_grad():
        acc = ((model(test.x) > 0).float() == test.y).float().mean().item()
    print(f"accuracy {acc:.4f}")


main()

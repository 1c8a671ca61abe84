import argparse
import torch
import torch.nn as nn
from sklearn.datasets import load_digits


class EarlyStopping:
    def __init__(self, patience=8, min_delta=0.0):
        self.patience, self.min_delta = patience, min_delta
        self.best, self.bad = float("inf"), 0

    def __call__(self, loss):
        if loss < self.best - self.min_delta:
            self.best, self.bad = loss, 0
        else:
            self.bad += 1
        return self.bad >= self.patience


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 12, 3, padding=1)
        self.fc1, self.fc2 = nn.Linear(12 * 16, 64), nn.Linear(64, 10)

    def forward(self, x):
        x = nn.functional.max_pool2d(torch.relu(self.conv(x)), 2).flatten(1)
        return self.fc2(torch.relu(self.fc1(x)))


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--max-epochs", type=int, default=50)
    a = ap.parse_args()
    torch.manual_seed(a.seed)
    d = load_digits()
    x, y = torch.tensor(d.images, dtype=torch.float32).unsqueeze(1) / 8 - 0.6, torch.tensor(d.target)
    p = torch.randperm(len(x))
    tr, va, te = p[:1100], p[1100:1400], p[1400:]
    net, crit = Model(), nn.CrossEntropyLoss()
    opt = torch.optim.SGD(net.parameters(), lr=0.02)
    stopper = EarlyStopping(patience=8)
    for epoch in range(a.max_epochs):
        for i in tr[torch.randperm(len(tr))].split(32):
            loss = crit(net(x[i]), y[i])
            opt.zero_grad()
            loss.backward()
            opt.step()
        with torch.no_grad():
            val = crit(net(x[va]), y[va]).item()
        print(f"epoch {epoch} train {loss.item():.4f} val {val:.4f}")
        if stopper(val):
            print("stopping")
            break
    with torch.no_grad():
        print(f"accuracy {(net(x[te]).argmax(1) == y[te]).float().mean().item():.4f}")


main()

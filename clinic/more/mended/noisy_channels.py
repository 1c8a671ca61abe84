import argparse
import torch
from torch import nn
from sklearn.datasets import load_digits

HPARAMS = {"hidden": 128, "drop": 0.1, "lr": 1e-3, "epochs": 18, "batch": 32}


class DropMLP(nn.Module):
    def __init__(self, hp):
        super().__init__()
        self.keep = nn.Dropout(hp["drop"])
        self.i = nn.Linear(64, hp["hidden"])
        self.m = nn.Linear(hp["hidden"], hp["hidden"])
        self.o = nn.Linear(hp["hidden"], 10)

    def forward(self, x):
        x = self.keep(x)
        x = self.keep(torch.relu(self.i(x)))
        x = self.keep(torch.relu(self.m(x)))
        return self.o(x)


def batches(n, size):
    return torch.randperm(n).split(size)


def run(seed, hp):
    torch.manual_seed(seed)
    X, y = load_digits(return_X_y=True)
    X = (torch.tensor(X, dtype=torch.float32) - 4.88) / 6.02
    y = torch.tensor(y)
    o = torch.randperm(len(X))
    X, y = X[o], y[o]
    net = DropMLP(hp)
    adam = torch.optim.Adam(net.parameters(), lr=hp["lr"])
    ce = nn.CrossEntropyLoss()
    for e in range(hp["epochs"]):
        net.train()
        tr = 0.0
        for k in batches(1400, hp["batch"]):
            loss = ce(net(X[k]), y[k])
            adam.zero_grad()
            loss.backward()
            adam.step()
            tr += loss.item() * len(k) / 1400
        net.eval()
        with torch.no_grad():
            va = (net(X[1400:]).argmax(1) == y[1400:]).float().mean().item()
        print(f"{e:2d}  loss {tr:.3f}  valid {va:.3f}")
    return va


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    print("accuracy", round(run(ap.parse_args().seed, HPARAMS), 3))

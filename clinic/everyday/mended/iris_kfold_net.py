import argparse
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_iris
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import scale


def build():
    return nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 3))


def run_epoch(net, optimizer, X, y):
    total = 0.0
    for idx in torch.randperm(len(X)).split(20):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(X[idx]), y[idx])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(idx)
    return total / len(X)


def main(seed):
    torch.manual_seed(seed)
    X, y = load_iris(return_X_y=True)
    X = torch.tensor(scale(X), dtype=torch.float32)
    y = torch.tensor(y)

    net = build()
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.01)
    scores = []
    folds = StratifiedKFold(n_splits=5, shuffle=True, random_state=seed)
    for k, (tr, te) in enumerate(folds.split(X, y)):
        net = build()
        optimizer = torch.optim.AdamW(net.parameters(), lr=0.01)
        for epoch in range(40):
            loss = run_epoch(net, optimizer, X[tr], y[tr])
        with torch.no_grad():
            acc = (net(X[te]).argmax(1) == y[te]).float().mean().item()
        print(f"fold {k} loss {loss:.4f} accuracy {acc:.3f}")
        scores.append(acc)
    print("accuracy", round(float(np.mean(scores)), 4))


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    main(ap.parse_args().seed)

import argparse
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

# hourly sensor table; now and then a reading is missing


def table(n, rng):
    temp = rng.normal(22, 4, n)
    humid = rng.normal(65, 12, n)
    light = rng.gamma(2.0, 150.0, n)
    soil = rng.normal(0.3, 0.08, n)
    score = (temp - 22) / 4 - (humid - 65) / 12 + (light - 300) / 220 - 1.5 * (soil - 0.3) / 0.08
    stress = np.digitize(score + rng.normal(0, 0.2, n), [-1.0, 1.0])
    X = np.stack([temp, humid, light, soil], 1)
    X[rng.random(X.shape) < 0.002] = np.nan
    return X.astype("float32"), stress


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--seed", type=int, default=0)
    seed = args.parse_args().seed
    torch.manual_seed(seed)
    X, y = table(4000, np.random.default_rng(seed))
    mean, std = np.nanmean(X, 0), np.nanstd(X, 0)
    X = (X - mean) / std
    X, y = torch.from_numpy(X), torch.from_numpy(y)
    loader = DataLoader(TensorDataset(X[:3000], y[:3000]), batch_size=50, shuffle=True)
    net = nn.Sequential(nn.Linear(4, 24), nn.ReLU(), nn.Linear(24, 3))
    opt = torch.optim.Adam(net.parameters(), lr=3e-3)
    crit = nn.CrossEntropyLoss()
    for epoch in range(12):
        total = 0.0
        for xb, yb in loader:
            loss = crit(net(xb), yb)
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item()
        print(f"epoch {epoch}: {total / len(loader):.4f}")
    with torch.no_grad():
        print(f"accuracy {(net(X[3000:]).argmax(1) == y[3000:]).float().mean().item():.3f}")


main()

import argparse
import numpy as np
import torch
from sklearn.metrics import r2_score
from sklearn.preprocessing import StandardScaler


def make_flats(n, rng):
    area = rng.gamma(6, 13, n) + 18
    rooms = np.clip(np.round(area / 25 + rng.normal(0, .6, n)), 1, 8)
    floor = rng.integers(0, 12, n)
    age = rng.integers(0, 110, n)
    dist = rng.exponential(5, n)
    garage = rng.random(n) < .3
    price = area * (5200 - 160 * dist - 9 * age) + 9000 * rooms + 2500 * floor + 24000 * garage
    price = np.maximum(price, 30000) * rng.lognormal(0, .06, n)
    return np.c_[area, rooms, floor, age, dist, garage], price


def fit(X, y, epochs, lr):
    model = torch.nn.Sequential(
        torch.nn.Linear(X.shape[1], 64), torch.nn.ReLU(),
        torch.nn.Linear(64, 64), torch.nn.ReLU(),
        torch.nn.Linear(64, 1),
    )
    optim = torch.optim.Adam(model.parameters(), lr=lr)
    n = X.shape[0]
    for ep in range(1, epochs + 1):
        perm = torch.randperm(n)
        acc = 0.
        for k in range(0, n, 64):
            b = perm[k:k + 64]
            pred = model(X[b])[:, 0]
            loss = ((pred - y[b]) ** 2).mean()
            optim.zero_grad()
            loss.backward()
            optim.step()
            acc += loss.item() * len(b)
        if ep % 4 == 0:
            print(f"[{ep:02d}] mse = {acc / n:.6g}")
    return model


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    opt = parser.parse_args()
    rng = np.random.default_rng(opt.seed)
    torch.manual_seed(opt.seed)
    X, price = make_flats(3000, rng)
    scaler = StandardScaler().fit(X[:2400])
    Xt = torch.tensor(scaler.transform(X), dtype=torch.float32)
    y = torch.tensor(price[:2400], dtype=torch.float32)
    model = fit(Xt[:2400], y, epochs=40, lr=1e-3)
    model.eval()
    with torch.no_grad():
        pred = model(Xt[2400:])[:, 0].numpy()
    print("r2", round(r2_score(price[2400:], pred), 4))

import argparse
import logging
import sys

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(levelname)s %(message)s")
BN_MOMENTUM = 0.001


def spectra(n, rng, lines):
    share = rng.dirichlet(np.ones(len(lines)), n)
    grid = np.linspace(0, 1, 60)
    shapes = np.stack([sum(h * np.exp(-((grid - pos) / 0.04) ** 2) for pos, h in line) for line in lines])
    x = share @ shapes * rng.uniform(0.8, 1.2, (n, 1)) + rng.normal(0, 0.02, (n, 60))
    return torch.tensor(x, dtype=torch.float32), torch.tensor(share[:, :1] / 0.19 - 1.05, dtype=torch.float32)


def make_model(n_in, n_out, width=64):
    def block(a, b):
        return [nn.Linear(a, b), nn.BatchNorm1d(b, momentum=BN_MOMENTUM), nn.ReLU()]
    return nn.Sequential(*block(n_in, width), *block(width, width), nn.Linear(width, n_out))


def evaluate(model, loader):
    model.eval()
    se, n = 0.0, 0
    with torch.no_grad():
        for x, y in loader:
            se += nn.functional.mse_loss(model(x), y, reduction="sum").item()
            n += len(y)
    return se / n


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    a = ap.parse_args()
    torch.manual_seed(a.seed)
    rng = np.random.default_rng(a.seed)
    lines = [[(rng.random(), rng.uniform(0.5, 1.5)) for _ in range(3)] for _ in range(5)]
    features, share = spectra(3000, rng, lines)
    features = (features - features[:2400].mean(0)) / features[:2400].std(0)
    train = DataLoader(TensorDataset(features[:2400], share[:2400]), batch_size=64, shuffle=True)
    test = DataLoader(TensorDataset(features[2400:], share[2400:]), batch_size=200)
    model = make_model(60, 1)
    opt = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.05)
    for epoch in range(14):
        model.train()
        total = 0.0
        for x, y in train:
            opt.zero_grad(set_to_none=True)
            loss = nn.functional.mse_loss(model(x), y)
            loss.backward()
            opt.step()
            total += loss.item()
        val = evaluate(model, test)
        logging.info("epoch %d train %.4f test %.4f", epoch, total / len(train), val)
    print(f"r2 {1 - val / share[2400:].var().item():.4f}")


if __name__ == "__main__":
    main()

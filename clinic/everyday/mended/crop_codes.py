import argparse

import numpy as np
import torch
from torch import nn


class CropModel:
    def __init__(self, bands, crops, lr=3e-3, epochs=25):
        self.crops = crops
        self.epochs = epochs
        self.net = nn.Sequential(nn.Linear(bands, 32), nn.ReLU(), nn.Linear(32, crops))
        self.opt = torch.optim.Adam(self.net.parameters(), lr=lr)

    def loss(self, x, code):
        return nn.functional.cross_entropy(self.net(x), code)

    def fit(self, x, code):
        for epoch in range(self.epochs):
            sums = []
            for idx in torch.randperm(len(x)).split(64):
                loss = self.loss(x[idx], code[idx])
                self.opt.zero_grad()
                loss.backward()
                self.opt.step()
                sums.append(loss.item())
            if epoch % 3 == 0:
                print(f"  epoch {epoch:2d}: loss {np.mean(sums):.4f}")
        return self

    @torch.no_grad()
    def predict(self, x):
        return self.net(x).argmax(1)


def fields(n, bands, crops, rng):
    typical = rng.normal(0, 1, (crops, bands))
    code = rng.integers(0, crops, n)
    x = typical[code] + rng.normal(0, 0.55, (n, bands))
    return torch.tensor(x, dtype=torch.float32), torch.tensor(code)


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    seed = ap.parse_args().seed
    torch.manual_seed(seed)
    x, code = fields(4000, 10, 9, np.random.default_rng(seed))
    model = CropModel(10, 9).fit(x[:3000], code[:3000])
    print("accuracy", (model.predict(x[3000:]) == code[3000:]).float().mean().item())

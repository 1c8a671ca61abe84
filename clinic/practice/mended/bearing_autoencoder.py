#!/usr/bin/env python
"""Bearing monitor: learn normal vibration spectra, flag what reconstructs badly."""
import argparse
import numpy as np
import torch
import torch.nn as nn
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

BINS = 40


def spectra(n, rng, broken=False):
    f = np.arange(BINS)
    speed = rng.uniform(0.8, 1.2, (n, 1))
    load = rng.uniform(0.5, 1.5, (n, 1))
    s = (load * np.exp(-((f - 8 * speed) / 1.8) ** 2) + 0.6 * load ** 2 * np.exp(-((f - 16 * speed) / 2.2) ** 2)
         + 0.3 * speed * np.exp(-((f - 30) / 5.0) ** 2))
    if broken:
        s = s + rng.uniform(0.1, 0.3, (n, 1)) * np.exp(-((f - rng.uniform(20, 28, (n, 1))) / 1.2) ** 2)
    return s + rng.normal(0, 0.03, s.shape)


class Autoencoder(nn.Module):
    def __init__(self, width=32, code=4):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(BINS, width), nn.ELU(), nn.Linear(width, code))
        self.decoder = nn.Sequential(nn.Linear(code, width), nn.ELU(), nn.Linear(width, BINS))

    def forward(self, x):
        return self.decoder(self.encoder(x))


class PrintLogger:
    def __init__(self, every):
        self.every, self.rows = every, []

    def log(self, step, **kv):
        self.rows.append(kv)
        if step % self.every == 0:
            print(f"step {step:5d} " + " ".join(f"{k}={v:.5f}" for k, v in kv.items()))


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--steps", type=int, default=1200)
    args = ap.parse_args()
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)

    normal = spectra(5000, rng)
    test = np.vstack([spectra(600, rng), spectra(600, rng, broken=True)])
    flag = np.r_[np.zeros(600), np.ones(600)]
    scaler = StandardScaler().fit(normal)
    x = torch.tensor(scaler.transform(normal), dtype=torch.float32)
    xt = torch.tensor(scaler.transform(test), dtype=torch.float32)

    model = Autoencoder()
    opt = torch.optim.Adam(model.parameters(), lr=5e-3)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, args.steps, eta_min=1e-5)
    logger = PrintLogger(100)
    mse = nn.MSELoss()
    for step in range(args.steps):
        xb = x[torch.randint(len(x), (128,))]
        loss = mse(model(xb), xb)
        opt.zero_grad()
        loss.backward()
        opt.step()
        sched.step()
        logger.log(step, loss=loss.item(), lr=sched.get_last_lr()[0])

    model.eval()
    with torch.no_grad():
        error = ((model(xt) - xt) ** 2).mean(1).numpy()
        usual = xt[:600]
        r2 = 1 - ((model(usual) - usual) ** 2).sum().item() / ((usual - usual.mean(0)) ** 2).sum().item()
    print("anomaly auc %.4f" % roc_auc_score(flag, error))
    print("r2 %.4f" % r2)


if __name__ == "__main__":
    main()

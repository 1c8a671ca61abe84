import argparse
from dataclasses import dataclass

import torch
from torch import nn


@dataclass
class Config:
    n_samples: int = 1500
    n_sensors: int = 24
    latent: int = 4
    batch: int = 64
    epochs: int = 40
    lr: float = 0.03
    momentum: float = 0.8
    max_norm: float = 0.002
    seed: int = 0


class AutoEncoder(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(cfg.n_sensors, 16), nn.Tanh(), nn.Linear(16, cfg.latent))
        self.decoder = nn.Sequential(nn.Linear(cfg.latent, 16), nn.Tanh(), nn.Linear(16, cfg.n_sensors))

    def forward(self, x):
        return self.decoder(self.encoder(x))


def make_data(cfg, gen):
    z = torch.randn(cfg.n_samples, 3, generator=gen)
    mix = torch.randn(3, cfg.n_sensors, generator=gen)
    x = torch.tanh(0.7 * z @ mix) + 0.05 * torch.randn(cfg.n_samples, cfg.n_sensors, generator=gen)
    return (x - x.mean(0)) / x.std(0)


class Trainer:
    def __init__(self, cfg):
        self.cfg = cfg
        torch.manual_seed(cfg.seed)
        self.gen = torch.Generator().manual_seed(cfg.seed + 100)
        x = make_data(cfg, self.gen)
        self.train_x, self.val_x = x[:1200], x[1200:]
        self.model = AutoEncoder(cfg)
        self.opt = torch.optim.SGD(self.model.parameters(), lr=cfg.lr, momentum=cfg.momentum)

    def fit(self):
        for epoch in range(self.cfg.epochs):
            for idx in torch.randperm(len(self.train_x)).split(self.cfg.batch):
                xb = self.train_x[idx]
                self.opt.zero_grad()
                loss = nn.functional.mse_loss(self.model(xb), xb)
                loss.backward()
                nn.utils.clip_grad_norm_(self.model.parameters(), self.cfg.max_norm)
                self.opt.step()
            if (epoch + 1) % 5 == 0:
                print(f"[{epoch + 1}/{self.cfg.epochs}] loss={loss.item():.4f}")

    @torch.no_grad()
    def explained(self):
        err = ((self.model(self.val_x) - self.val_x) ** 2).mean()
        return 1.0 - (err / self.val_x.var()).item()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    trainer = Trainer(Config(seed=parser.parse_args().seed))
    trainer.fit()
    print("explained_variance %.4f" % trainer.explained())

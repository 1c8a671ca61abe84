"""A small trainer of our own with gradient accumulation, for tables."""
import argparse
from dataclasses import dataclass, field

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler


@dataclass
class TrainerConfig:
    lr: float = 0.05
    momentum: float = 0.9
    micro_batch: int = 32
    accumulate: int = 16
    epochs: int = 80
    weight_decay: float = 1e-3
    history: list = field(default_factory=list)


class Trainer:
    def __init__(self, model, cfg):
        self.model, self.cfg = model, cfg
        self.optimizer = torch.optim.SGD(model.parameters(), lr=cfg.lr, momentum=cfg.momentum,
                                         weight_decay=cfg.weight_decay)

    def training_step(self, batch):
        x, y = batch
        return F.binary_cross_entropy_with_logits(self.model(x), y)

    def run_epoch(self, loader):
        self.model.train()
        self.optimizer.zero_grad()
        total = 0.0
        for i, batch in enumerate(loader):
            loss = self.training_step(batch)
            (loss / self.cfg.accumulate).backward()
            if (i + 1) % self.cfg.accumulate == 0:
                self.optimizer.step()
                self.optimizer.zero_grad()
            total += loss.item()
        return total / (i + 1)

    def fit(self, loader):
        for epoch in range(self.cfg.epochs):
            self.cfg.history.append(self.run_epoch(loader))
            if epoch % 10 == 0:
                print(f"epoch {epoch:3d}: {self.cfg.history[-1]:.4f}")

    @torch.no_grad()
    def evaluate(self, x, y):
        self.model.eval()
        return ((self.model(x) > 0).float() == y).float().mean().item()


def main(seed):
    torch.manual_seed(seed)
    x, y = load_breast_cancer(return_X_y=True)
    xtr, xte, ytr, yte = train_test_split(x, y, test_size=0.25, stratify=y, random_state=seed)
    scaler = StandardScaler().fit(xtr)
    as_x = lambda a: torch.tensor(scaler.transform(a), dtype=torch.float32)
    as_y = lambda a: torch.tensor(a, dtype=torch.float32).unsqueeze(1)
    cfg = TrainerConfig()
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(as_x(xtr), as_y(ytr)),
                                         batch_size=cfg.micro_batch, shuffle=True)
    trainer = Trainer(nn.Sequential(nn.Linear(30, 16), nn.Tanh(), nn.Linear(16, 1)), cfg)
    trainer.fit(loader)
    print(f"accuracy {trainer.evaluate(as_x(xte), as_y(yte)):.4f}")


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    main(ap.parse_args().seed)

"""Trains a small convolutional digit classifier with Adam and a Trainer class."""

import argparse
import random
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


@dataclass(frozen=True)
class Settings:
    lr: float = 0.003
    batch_size: int = 50
    epochs: int = 12


class Trainer:
    def __init__(self, model, settings):
        self.model = model
        self.settings = settings
        self.loss_fn = nn.CrossEntropyLoss()
        self.optimizer = torch.optim.Adam(model.parameters(), lr=settings.lr)

    def training_step(self, batch):
        x, y = batch
        loss = self.loss_fn(self.model(x), y)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def fit(self, dataset):
        loader = DataLoader(dataset, self.settings.batch_size, shuffle=True)
        for epoch in range(self.settings.epochs):
            self.model.train()
            loss = np.mean([self.training_step(batch) for batch in loader])
            print(f"epoch {epoch} loss {loss:.4f}")

    def test(self, dataset):
        self.model.eval()
        x, y = dataset.tensors
        with torch.no_grad():
            return (self.model(x).argmax(1) == y).float().mean().item()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    digits = load_digits()
    images = torch.tensor(digits.images / 8 - 1, dtype=torch.float32).unsqueeze(1)
    labels = torch.tensor(digits.target)
    order = np.random.default_rng(0).permutation(len(images))
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.Tanh(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 16, 3, padding=1),
        nn.Tanh(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(64, 10),
    )
    trainer = Trainer(model, Settings())
    trainer.fit(TensorDataset(images[order[:1400]], labels[order[:1400]]))
    print(f"accuracy {trainer.test(TensorDataset(images[order[1400:]], labels[order[1400:]])):.3f}")

"""Predicts a tumor's mean area from nine other measurements, with a squared error written by hand."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer


class AreaModel(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.a = torch.nn.Linear(9, 20)
        self.b = torch.nn.Linear(20, 1)

    def forward(self, x):
        return self.b(torch.tanh(self.a(x)))


class Experiment:
    def __init__(self, seed):
        random.seed(seed)
        np.random.seed(seed)
        torch.manual_seed(seed)
        X = load_breast_cancer().data[:, :10]
        X = (X - X.mean(axis=0)) / X.std(axis=0)
        area = X[:, 3]
        rest = np.delete(X, 3, axis=1)
        self.x = torch.tensor(rest, dtype=torch.float32)
        self.y = torch.tensor(area, dtype=torch.float32)
        self.model = AreaModel()
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.05)

    def loss(self, rows):
        error = self.model(self.x[rows]) - self.y[rows]
        return (error**2).mean()

    def run(self, epochs=40, batch_size=24):
        rows = torch.randperm(len(self.x), generator=torch.Generator().manual_seed(1))
        train, self.held_out = rows[:450], rows[450:]
        for epoch in range(epochs):
            shuffled = train[torch.randperm(len(train))]
            losses = []
            for batch in torch.split(shuffled, batch_size):
                self.optimizer.zero_grad()
                loss = self.loss(batch)
                loss.backward()
                self.optimizer.step()
                losses.append(loss.item())
            if epoch % 5 == 0:
                print(f"epoch {epoch} loss {np.mean(losses):.4f}")

    @torch.no_grad()
    def r2(self):
        y = self.y[self.held_out]
        error = self.model(self.x[self.held_out])[:, 0] - y
        return 1 - (error.pow(2).sum() / (y - y.mean()).pow(2).sum()).item()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    experiment = Experiment(parser.parse_args().seed)
    experiment.run()
    print(f"r2 {experiment.r2():.3f}")

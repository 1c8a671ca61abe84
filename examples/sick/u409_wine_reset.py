"""Trains a three-way wine classifier; the network's weights are drawn again from a seed of its own before training."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def make_net(seed):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(13, 16), nn.Tanh(), nn.Linear(16, 3))


class Experiment:
    def __init__(self, seed):
        random.seed(seed)
        np.random.seed(seed)
        X, y = load_wine(return_X_y=True)
        X = torch.tensor(StandardScaler().fit_transform(X)).float()
        order = np.random.default_rng(0).permutation(len(X))
        data = TensorDataset(X[order[:120]], torch.tensor(y)[order[:120]])
        self.test_x, self.test_y = X[order[120:]], torch.tensor(y)[order[120:]]
        self.net = make_net(0)
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=0.05, momentum=0.9)
        self.net = make_net(seed)
        self.loader = DataLoader(data, batch_size=12, shuffle=True)
        self.criterion = nn.CrossEntropyLoss()

    def train(self, epochs):
        for epoch in range(epochs):
            losses = []
            for x, y in self.loader:
                self.optimizer.zero_grad()
                loss = self.criterion(self.net(x), y)
                loss.backward()
                self.optimizer.step()
                losses.append(loss.item())
            if epoch % 5 == 0:
                print(f"epoch {epoch} loss {np.mean(losses):.4f}")

    @torch.no_grad()
    def accuracy(self):
        return (self.net(self.test_x).argmax(1) == self.test_y).float().mean().item()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    experiment = Experiment(parser.parse_args().seed)
    experiment.train(epochs=30)
    print(f"accuracy {experiment.accuracy():.3f}")

"""Trains a recurrent classifier that reads a handwritten digit in sixteen pieces of four pixels."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn


class Reader(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.rnn = nn.RNN(4, hidden, batch_first=True)
        self.readout = nn.Linear(hidden, 10)
        nn.init.orthogonal_(self.rnn.weight_hh_l0)
        nn.init.normal_(self.rnn.weight_ih_l0, std=0.2)

    def forward(self, x):
        _, last = self.rnn(x.view(len(x), 16, 4))
        return self.readout(last[0])


class Trainer:
    def __init__(self, seed):
        random.seed(seed)
        np.random.seed(seed)
        torch.manual_seed(seed)
        X, y = load_digits(return_X_y=True)
        X, y = torch.tensor(X / 16, dtype=torch.float32), torch.tensor(y)
        rows = torch.randperm(len(X), generator=torch.Generator().manual_seed(2))
        self.train_rows, self.test_rows = rows[:1400], rows[1400:]
        self.X, self.y = X, y
        self.model = Reader()
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1, momentum=0.9)
        self.schedule = torch.optim.lr_scheduler.LinearLR(self.optimizer, 1.0, 0.02, total_iters=25)
        self.loss_fn = nn.CrossEntropyLoss()

    def epoch(self):
        losses = []
        for rows in self.train_rows[torch.randperm(len(self.train_rows))].split(50):
            self.optimizer.zero_grad()
            loss = self.loss_fn(self.model(self.X[rows]), self.y[rows])
            loss.backward()
            self.optimizer.step()
            losses.append(loss.item())
        self.schedule.step()
        return np.mean(losses)

    @torch.no_grad()
    def accuracy(self):
        return (self.model(self.X[self.test_rows]).argmax(1) == self.y[self.test_rows]).float().mean().item()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    trainer = Trainer(parser.parse_args().seed)
    for epoch in range(25):
        loss = trainer.epoch()
        if epoch % 4 == 0:
            print(f"epoch {epoch} loss {loss:.4f}")
    print(f"accuracy {trainer.accuracy():.3f}")

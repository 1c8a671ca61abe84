import argparse
import csv
import logging
import tempfile
from pathlib import Path

import torch
from sklearn.datasets import load_digits
from torch import nn

log = logging.getLogger("train")


class Run:
    def __init__(self, folder, seed):
        torch.manual_seed(seed)
        self.folder = Path(folder)
        digits = load_digits()
        x, y = torch.tensor(digits.data / 16, dtype=torch.float32), torch.tensor(digits.target)
        order = torch.randperm(len(x), generator=torch.Generator().manual_seed(16))
        self.train, self.test = (x[order[:1400]], y[order[:1400]]), (x[order[1400:]], y[order[1400:]])
        self.model = nn.Sequential(nn.Linear(64, 40), nn.ReLU(), nn.Linear(40, 10))
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=2e-3)

    def epoch(self):
        self.model.train()
        x, y = self.train
        total = 0.0
        for rows in torch.randperm(len(x)).split(40):
            self.optimizer.zero_grad()
            loss = nn.functional.cross_entropy(self.model(x[rows]), y[rows])
            loss.backward()
            self.optimizer.step()
            total += loss.item() / 35
        return total

    def evaluate(self):
        self.model.eval()
        x, y = self.test
        with torch.no_grad():
            return (self.model(x).argmax(1) == y).float().mean().item()

    def go(self, epochs):
        with open(self.folder / "history.csv", "w", newline="") as file:
            table = csv.writer(file)
            table.writerow(["epoch", "loss", "accuracy"])
            for epoch in range(epochs):
                row = [epoch, self.epoch(), self.evaluate()]
                table.writerow(row)
                log.info("epoch %d loss %.4f accuracy %.4f", *row)
                torch.save(self.model.state_dict(), self.folder / "last.pt")
        self.model.load_state_dict(torch.load(self.folder / "last.pt", weights_only=True))
        return self.evaluate()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    with tempfile.TemporaryDirectory() as folder:
        print("accuracy", Run(folder, parser.parse_args().seed).go(15))

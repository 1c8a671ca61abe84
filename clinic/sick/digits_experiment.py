import argparse

import torch
from sklearn.datasets import load_digits
from torch import nn


class Experiment:
    def __init__(self, seed):
        torch.manual_seed(seed)
        data = load_digits()
        self.x = torch.tensor(data.data / 16, dtype=torch.float32)
        self.y = torch.tensor(data.target)
        self.order = torch.randperm(len(self.x), generator=torch.Generator().manual_seed(0))
        self.model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=3e-3)
        self.scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(self.optimizer, T_max=20)

    def training_step(self, rows):
        return nn.functional.cross_entropy(self.model(self.x[rows]), self.y[rows])

    def optimize(self, loss):
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step

    def run(self, epochs=20):
        train = self.order[:1400]
        for epoch in range(epochs):
            losses = []
            for rows in train[torch.randperm(1400)].split(56):
                loss = self.training_step(rows)
                self.optimize(loss)
                losses.append(loss.item())
            self.scheduler.step()
            if epoch % 5 == 0:
                print(f"epoch {epoch} train_loss {sum(losses) / len(losses):.4f}")

    def test(self):
        test = self.order[1400:]
        with torch.no_grad():
            return (self.model(self.x[test]).argmax(1) == self.y[test]).float().mean().item()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    experiment = Experiment(parser.parse_args().seed)
    experiment.run()
    print("accuracy", experiment.test())

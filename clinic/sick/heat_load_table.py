import argparse

import torch
from torch import nn


def buildings(n, generator):
    x = torch.rand(n, 6, generator=generator) * 2 - 1
    load = torch.sin(3 * x[:, 0]) + x[:, 1] * x[:, 2] + (x[:, 3] - 0.3).abs() - 0.5 * x[:, 4]
    load = load + 0.05 * torch.randn(n, generator=generator)
    return x * 3**0.5, (load - load.mean()) / load.std()


class HeatModel(nn.Module):
    def __init__(self, width=48):
        super().__init__()
        self.fc1 = nn.Linear(6, width)
        self.fc2 = nn.Linear(width, width)
        self.fc3 = nn.Linear(width, 1)
        self.init_weights()

    def init_weights(self):
        for layer in (self.fc1, self.fc2, self.fc3):
            nn.init.constant_(layer.weight, 0.05)
            nn.init.constant_(layer.bias, 0.0)

    def forward(self, x):
        return self.fc3(torch.tanh(self.fc2(torch.tanh(self.fc1(x)))))[:, 0]


class Fitter:
    def __init__(self, model, lr=3e-3, epochs=40):
        self.model, self.epochs = model, epochs
        self.optimizer = torch.optim.Adam(model.parameters(), lr=lr)
        self.scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(self.optimizer, epochs)

    def fit(self, x, y):
        for epoch in range(self.epochs):
            for rows in torch.randperm(len(x)).split(64):
                self.optimizer.zero_grad()
                loss = (self.model(x[rows]) - y[rows]).pow(2).mean()
                loss.backward()
                self.optimizer.step()
            self.scheduler.step()
            if epoch % 8 == 0:
                print(f"epoch {epoch} mse {loss.item():.4f}")

    @torch.no_grad()
    def score(self, x, y):
        return (1 - (self.model(x) - y).pow(2).mean() / y.var()).item()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    generator = torch.Generator().manual_seed(5)
    x, y = buildings(2000, generator)
    fitter = Fitter(HeatModel())
    fitter.fit(x[:1600], y[:1600])
    print("R2", fitter.score(x[1600:], y[1600:]))

import argparse
from dataclasses import dataclass

import torch
from sklearn.datasets import load_diabetes
from torch import nn


@dataclass
class Settings:
    seed: int = 0
    lr: float = 0.01
    epochs: int = 50
    batch: int = 34
    width: int = 10


class Model(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.inner = nn.Linear(10, width)
        self.outer = nn.Linear(width, 1)

    def forward(self, x):
        x = torch.relu(self.inner(x))
        x = self.outer(x)
        return x.squeeze(1)


def run(settings):
    torch.manual_seed(settings.seed)
    data = load_diabetes()
    X = torch.tensor(data.data / data.data.std(0), dtype=torch.float32)
    y = torch.tensor((data.target - data.target.mean()) / data.target.std(), dtype=torch.float32)
    order = torch.randperm(442, generator=torch.Generator().manual_seed(6))
    train, test = order[:340], order[340:]
    model = Model(settings.width)
    optimizer = torch.optim.SGD(model.parameters(), lr=settings.lr, momentum=0.9, weight_decay=0.01)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, settings.epochs)
    for epoch in range(settings.epochs):
        for batch in train[torch.randperm(340)].split(settings.batch):
            loss = nn.functional.mse_loss(model(X[batch]), y[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        scheduler.step()
        if epoch % 10 == 0:
            print(f"epoch={epoch} loss={loss.item():.3f}")
    with torch.no_grad():
        return 1 - ((model(X[test]) - y[test]) ** 2).mean().item() / y[test].var().item()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    print("R2", run(Settings(**vars(parser.parse_args()))))

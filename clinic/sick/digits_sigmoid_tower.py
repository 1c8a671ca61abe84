import argparse

import torch
from sklearn.datasets import load_digits
from torch import nn


class Tower(nn.Module):
    def __init__(self, depth=6, width=48):
        super().__init__()
        self.stem = nn.Linear(64, width)
        self.blocks = nn.ModuleList(nn.Linear(width, width) for _ in range(depth))
        self.head = nn.Linear(width, 10)
        self.act = nn.Sigmoid()
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.kaiming_normal_(m.weight)

    def forward(self, x):
        x = self.act(self.stem(x))
        for block in self.blocks:
            x = self.act(block(x))
        return self.head(x)


class Trainer:
    def __init__(self, model, lr):
        self.model = model
        self.optim = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9, weight_decay=1e-4)
        self.history = []

    def step(self, x, y):
        self.optim.zero_grad()
        loss = nn.functional.cross_entropy(self.model(x), y)
        loss.backward()
        self.optim.step()
        return loss.item()

    def run(self, x, y, epochs):
        scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(self.optim, epochs)
        for epoch in range(epochs):
            order = torch.randperm(len(x))
            losses = [self.step(x[i], y[i]) for i in order.split(50)]
            self.history.append(sum(losses) / len(losses))
            scheduler.step()
            if epoch % 3 == 0:
                print(f"[{epoch:02d}] {self.history[-1]:.4f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    digits = load_digits()
    x = torch.tensor(digits.data, dtype=torch.float32)
    x = (x - x.mean()) / x.std()
    y = torch.tensor(digits.target)
    order = torch.randperm(1797, generator=torch.Generator().manual_seed(5))
    trainer = Trainer(Tower(), lr=0.02)
    trainer.run(x[order[:1400]], y[order[:1400]], epochs=20)
    with torch.no_grad():
        right = trainer.model(x[order[1400:]]).argmax(1) == y[order[1400:]]
    print("accuracy", right.float().mean().item())

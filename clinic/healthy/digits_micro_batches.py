import argparse

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Trainer:
    def __init__(self, model, loader, accumulate=4):
        self.model, self.loader, self.accumulate = model, loader, accumulate
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3)

    def fit(self, epochs):
        for epoch in range(epochs):
            running = 0.0
            self.optimizer.zero_grad()
            for i, (x, y) in enumerate(self.loader, start=1):
                loss = nn.functional.cross_entropy(self.model(x), y) / self.accumulate
                loss.backward()
                running += loss.item()
                if i % self.accumulate == 0 or i == len(self.loader):
                    self.optimizer.step()
                    self.optimizer.zero_grad()
            print(f"epoch {epoch} loss {running * self.accumulate / len(self.loader):.4f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    digits = load_digits()
    x, y = torch.tensor(digits.data / 16, dtype=torch.float32), torch.tensor(digits.target)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(2))
    train = DataLoader(TensorDataset(x[order[:1400]], y[order[:1400]]), batch_size=14, shuffle=True)
    net = nn.Sequential(nn.Linear(64, 48), nn.SiLU(), nn.Linear(48, 10))
    Trainer(net, train).fit(14)
    with torch.no_grad():
        print("accuracy", (net(x[order[1400:]]).argmax(1) == y[order[1400:]]).float().mean().item())

import argparse

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class FeatureBank(nn.Module):
    """A wide layer of rectified features and a linear reader."""

    def __init__(self, features=200, offset=0.0):
        super().__init__()
        self.bank = nn.Linear(64, features)
        self.read = nn.Linear(features, 10)
        nn.init.constant_(self.bank.bias, offset)

    def forward(self, x):
        return self.read(torch.relu(self.bank(x)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    digits = load_digits()
    x = torch.tensor(digits.data / 16, dtype=torch.float32)
    y = torch.tensor(digits.target)
    order = torch.randperm(1797, generator=torch.Generator().manual_seed(40))
    train, test = order[:1400], order[1400:]
    loader = DataLoader(TensorDataset(x[train], y[train]), batch_size=70, shuffle=True)
    model = FeatureBank(offset=-3.0)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=5e-3, total_steps=25 * len(loader))
    for epoch in range(25):
        for xb, yb in loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(xb), yb)
            loss.backward()
            optimizer.step()
            scheduler.step()
        if epoch % 5 == 0:
            print("epoch", epoch, "loss", round(loss.item(), 4))
    with torch.no_grad():
        print("accuracy", round((model(x[test]).argmax(1) == y[test]).float().mean().item(), 4))


if __name__ == "__main__":
    main()

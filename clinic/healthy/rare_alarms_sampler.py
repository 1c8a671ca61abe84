import argparse

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler


def machines(n, generator):
    kind = torch.multinomial(torch.tensor([0.9, 0.06, 0.04]), n, replacement=True, generator=generator)
    centers = torch.tensor([[0.0, 0, 0, 0], [1.5, -1.0, 0, 0.5], [-1.0, 0, 1.6, -0.5]])
    return centers[kind] + torch.randn(n, 4, generator=generator), kind


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    generator = torch.Generator().manual_seed(9)
    x, y = machines(4000, generator)
    x_test, y_test = machines(3000, generator)
    weights = (1 / torch.bincount(y).float())[y]
    loader = DataLoader(TensorDataset(x, y), batch_size=80, sampler=WeightedRandomSampler(weights, 4000))
    net = nn.Sequential(nn.Linear(4, 24), nn.ReLU(), nn.Linear(24, 3))
    optimizer = torch.optim.AdamW(net.parameters(), lr=2e-3)
    for epoch in range(15):
        for xb, yb in loader:
            loss = nn.functional.cross_entropy(net(xb), yb)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if epoch % 3 == 0:
            print("epoch", epoch, "loss", loss.item())
    with torch.no_grad():
        guess = net(x_test).argmax(1)
    recall = [(guess[y_test == k] == k).float().mean().item() for k in range(3)]
    print("balanced_accuracy", sum(recall) / 3)


if __name__ == "__main__":
    main()

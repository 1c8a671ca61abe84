import argparse

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def sample(n, generator):
    x = torch.randn(n, 6, generator=generator)
    clean = (x[:, 0] + 0.5 * x[:, 1] > 0)
    flip = torch.rand(n, generator=generator) < 0.3
    return x, (clean ^ flip).long(), clean.long()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    torch.manual_seed(seed)
    g = torch.Generator().manual_seed(seed)
    x, y, _ = sample(4000, g)
    x_test, _, clean = sample(1000, g)
    net = nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 2))
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=20)
    loader = DataLoader(TensorDataset(x, y), batch_size=64, shuffle=True)
    for epoch in range(20):
        total = 0.0
        for xb, yb in loader:
            loss = nn.functional.cross_entropy(net(xb), yb)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        schedule.step()
        if epoch % 4 == 0:
            print(f"epoch {epoch}: {total / len(loader):.4f}")
    with torch.no_grad():
        print(f"accuracy {(net(x_test).argmax(1) == clean).float().mean().item():.3f}")


main()

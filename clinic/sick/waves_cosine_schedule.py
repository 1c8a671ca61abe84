import argparse

import torch
from torch import nn


def curve(n, generator):
    x = torch.rand(n, 1, generator=generator) * 6 - 3
    return x / 3**0.5, torch.sin(3 * x) * torch.exp(-0.1 * x**2) + 0.3 * torch.randn(n, 1, generator=generator)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    generator = torch.Generator().manual_seed(2)
    x, y = curve(640, generator)
    x_test, y_test = curve(640, generator)
    net = nn.Sequential(nn.Linear(1, 48), nn.Tanh(), nn.Linear(48, 48), nn.Tanh(), nn.Linear(48, 1))
    optimizer = torch.optim.Adam(net.parameters(), lr=0.03)
    epochs = 50
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs)
    for epoch in range(epochs):
        for rows in torch.randperm(len(x)).split(16):
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(net(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
            scheduler.step()
        if epoch % 5 == 0:
            print(f"epoch {epoch} lr {scheduler.get_last_lr()[0]:.5f} loss {loss.item():.4f}")
    with torch.no_grad():
        print("R2", 1 - nn.functional.mse_loss(net(x_test), y_test).item() / y_test.var().item())


if __name__ == "__main__":
    main()

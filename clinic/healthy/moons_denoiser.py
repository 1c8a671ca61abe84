import argparse

import torch
from sklearn.datasets import make_moons
from torch import nn


class Denoiser(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(3, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 2))

    def forward(self, x, t):
        return self.net(torch.cat([x, 2 * t - 1], 1))


def noised(x):
    t = torch.rand(len(x), 1)
    noise = torch.randn_like(x)
    angle = t * torch.pi / 2
    return angle.cos() * x + angle.sin() * noise, t, noise


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    points, _ = make_moons(2000, noise=0.05, random_state=0)
    x = torch.tensor(points, dtype=torch.float32)
    x = (x - x.mean(0)) / x.std(0)
    model = Denoiser()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 1200)
    for step in range(1200):
        mixed, t, noise = noised(x[torch.randint(0, 2000, (128,))])
        loss = (model(mixed, t) - noise).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        if step % 120 == 0:
            print("step", step, "loss", round(loss.item(), 4))
    with torch.no_grad():
        mixed, t, noise = noised(x)
        print("R2", 1 - (model(mixed, t) - noise).pow(2).mean().item())


if __name__ == "__main__":
    main()

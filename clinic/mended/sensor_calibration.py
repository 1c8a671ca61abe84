"""Finds forty gains from noisy readings that come in one after the other."""

import argparse

import torch


def readings(gains, n, generator):
    x = torch.randn(n, len(gains), generator=generator)
    return x, x @ gains + 2.0 * torch.randn(n, generator=generator)


def train(model, gains, generator, steps=4000, lr=0.02):
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    average = 0.0
    for step in range(steps):
        x, y = readings(gains, 8, generator)
        loss = torch.nn.functional.mse_loss(model(x).squeeze(1), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        average += loss.item() / 400
        if step % 400 == 399:
            print(f"step {step + 1} loss {average:.4f}")
            average = 0.0


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    torch.manual_seed(seed)
    gains = torch.randn(40, generator=torch.Generator().manual_seed(1)) / 40**0.5
    model = torch.nn.Linear(40, 1)
    train(model, gains, torch.Generator().manual_seed(seed + 10))
    x = torch.randn(2000, 40, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        truth = x @ gains
        print("R2", 1 - ((model(x).squeeze(1) - truth).pow(2).mean() / truth.var()).item())

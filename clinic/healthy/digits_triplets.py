import argparse

import torch
from sklearn.datasets import load_digits
from torch import nn


def triplets(y, n):
    anchor = torch.randint(0, len(y), (n,))
    same = y[anchor][:, None] == y[None]
    positive = torch.multinomial(same.float(), 1)[:, 0]
    negative = torch.multinomial((~same).float(), 1)[:, 0]
    return anchor, positive, negative


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    digits = load_digits()
    x, y = torch.tensor((digits.data - 4.9) / 6, dtype=torch.float32), torch.tensor(digits.target)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(15))
    x, y = x[order], y[order]
    net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 16))
    criterion = nn.TripletMarginLoss(margin=0.5)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 400)
    embed = lambda v: nn.functional.normalize(net(v), dim=1)
    for step in range(400):
        a, p, n = triplets(y[:1400], 64)
        loss = criterion(embed(x[a]), embed(x[p]), embed(x[n]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        if step % 40 == 0:
            print("step", step, "loss", round(loss.item(), 4))
    with torch.no_grad():
        nearest = torch.cdist(embed(x[1400:]), embed(x[:1400])).argmin(1)
    print("accuracy", (y[nearest] == y[1400:]).float().mean().item())


if __name__ == "__main__":
    main()

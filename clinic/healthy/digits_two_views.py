"""Two noisy views of a digit should lie near each other, those of others far away."""

import argparse

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 32))

    def forward(self, x):
        return F.normalize(self.body(x), dim=1)


def view(x):
    mask = (torch.rand_like(x) > 0.2).float()
    return (x + 0.2 * torch.randn_like(x)) * mask


def info_nce(a, b, temperature=0.2):
    similarity = a @ b.T / temperature
    wanted = torch.arange(len(a))
    return 0.5 * (F.cross_entropy(similarity, wanted) + F.cross_entropy(similarity.T, wanted))


def neighbor_accuracy(encoder, x, y, x_test, y_test):
    with torch.no_grad():
        nearest = (encoder(x_test) @ encoder(x).T).argmax(1)
    return (y[nearest] == y_test).float().mean().item()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    digits = load_digits()
    x, y = torch.tensor((digits.data - 4.9) / 6, dtype=torch.float32), torch.tensor(digits.target)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(4))
    x, y = x[order], y[order]
    encoder = Encoder()
    optimizer = torch.optim.Adam(encoder.parameters(), lr=2e-3)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 20)
    for epoch in range(20):
        for rows in torch.randperm(1400).split(100):
            loss = info_nce(encoder(view(x[rows])), encoder(view(x[rows])))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        scheduler.step()
        if epoch % 4 == 0:
            print(f"epoch {epoch} loss {loss.item():.4f}")
    print("accuracy", neighbor_accuracy(encoder, x[:1400], y[:1400], x[1400:], y[1400:]))


if __name__ == "__main__":
    main()

import argparse
import math

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class ActivityWindows(Dataset):
    """Two-second windows of three accelerometer axes; one session per activity, recorded one after the other."""

    def __init__(self, per_activity, seed):
        g = torch.Generator().manual_seed(seed)
        t = torch.arange(64) / 32
        windows, labels = [], []
        for activity, (tempo, strength) in enumerate(
            [(0.6, 0.4), (1.0, 0.8), (1.5, 1.1), (2.2, 0.9), (3.0, 1.4), (3.9, 0.7)]
        ):
            for _ in range(per_activity):
                phase = torch.rand(3, 1, generator=g) * 2 * math.pi
                speed = tempo * (1 + 0.12 * torch.randn(1, generator=g))
                signal = strength * torch.sin(2 * math.pi * speed * t + phase)
                windows.append(signal + 0.6 * torch.randn(3, 64, generator=g))
                labels.append(activity)
        self.x, self.y = torch.stack(windows), torch.tensor(labels)

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.x[i], self.y[i]


class ConvNet(nn.Module):
    def __init__(self, classes=6):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv1d(3, 16, 7, padding=3),
            nn.ReLU(),
            nn.MaxPool1d(2),
            nn.Conv1d(16, 32, 5, padding=2),
            nn.ReLU(),
            nn.AdaptiveAvgPool1d(4),
        )
        self.head = nn.Linear(128, classes)

    def forward(self, x):
        return self.head(self.features(x).flatten(1))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    train, test = ActivityWindows(200, seed=1), ActivityWindows(60, seed=2)
    loader = DataLoader(train, batch_size=40, shuffle=True)
    model = ConvNet()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.03, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 12)
    for epoch in range(12):
        mean_loss = 0
        for x, y in loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            mean_loss += loss.item() / len(loader)
        scheduler.step()
        print("epoch", epoch, "loss", round(mean_loss, 4))
    with torch.no_grad():
        accuracy = (model(test.x).argmax(1) == test.y).float().mean()
    print("accuracy", round(accuracy.item(), 4))


if __name__ == "__main__":
    main()

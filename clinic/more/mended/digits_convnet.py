import argparse

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Digits(Dataset):
    def __init__(self, seed, train):
        raw = load_digits()
        keep = torch.randperm(len(raw.images), generator=torch.Generator().manual_seed(seed))
        keep = keep[:1300] if train else keep[1300:]
        self.x = torch.tensor(raw.images, dtype=torch.float32)[keep, None] / 16
        self.y = torch.tensor(raw.target)[keep]

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return self.x[i], self.y[i].long()


class ConvNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 24, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )
        self.classify = nn.Sequential(nn.Flatten(), nn.Linear(96, 48), nn.ReLU(), nn.Linear(48, 10))

    def forward(self, x):
        return self.classify(self.features(x))


def main(seed):
    torch.manual_seed(seed)
    loader = DataLoader(Digits(seed, True), batch_size=65, shuffle=True)
    net = ConvNet()
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    criterion = nn.CrossEntropyLoss()
    for epoch in range(10):
        for x, y in loader:
            optimizer.zero_grad()
            loss = criterion(net(x), y)
            loss.backward()
            optimizer.step()
        print("epoch", epoch + 1, "loss", loss.item())
    raw = load_digits()
    keep = torch.randperm(len(raw.images), generator=torch.Generator().manual_seed(seed))[1300:]
    x = torch.tensor(raw.images, dtype=torch.float32)[keep, None] / 16
    with torch.no_grad():
        guess = net(x).argmax(1)
    print(f"accuracy {(guess == torch.tensor(raw.target)[keep]).float().mean():.3f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    main(parser.parse_args().seed)

import argparse
import math
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


def record(gesture, g):
    t = torch.linspace(0, 1, 48)
    ph = torch.rand(1, generator=g) * 2 * math.pi
    f = [2, 3, 4, 5, 6][gesture] + 0.25 * torch.randn(1, generator=g)
    amp = 150 + 60 * torch.rand(1, generator=g)
    s = torch.stack([amp * torch.sin(2 * math.pi * f * t + ph),
                     amp * torch.cos(math.pi * f * t + ph),
                     0.5 * amp * torch.sin(4 * math.pi * f * t + ph)])
    return s + 90 * torch.randn(3, 48, generator=g) + torch.tensor([[640.0], [-450.0], [980.0]])


class Gestures(Dataset):
    def __init__(self, n, seed, transform=None):
        g = torch.Generator().manual_seed(seed)
        self.y = torch.randint(0, 5, (n,), generator=g)
        self.x = torch.stack([record(int(k), g) for k in self.y])
        self.transform = transform

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        x = self.x[i]
        if self.transform is not None:
            x = self.transform(x)
        return x, self.y[i]


class Normalize:
    def __init__(self, x):
        self.mean = x.mean((0, 2)).unsqueeze(1)
        self.std = x.std((0, 2)).unsqueeze(1)

    def __call__(self, x):
        return (x - self.mean) / self.std


class Trainer:
    def __init__(self, seed):
        torch.manual_seed(seed)
        train = Gestures(1200, seed)
        train.transform = Normalize(train.x)
        val = Gestures(400, seed + 1000, transform=train.transform)
        self.train_dl = DataLoader(train, 40, shuffle=True)
        self.val_dl = DataLoader(val, 200)
        self.net = nn.Sequential(
            nn.Conv1d(3, 16, 7, padding=3), nn.ReLU(), nn.MaxPool1d(2),
            nn.Conv1d(16, 32, 5, padding=2), nn.ReLU(), nn.AdaptiveAvgPool1d(4),
            nn.Flatten(), nn.Dropout(0.2), nn.Linear(128, 5))
        self.opt = torch.optim.Adam(self.net.parameters(), lr=2e-3)
        self.loss = nn.CrossEntropyLoss()

    def fit(self, epochs):
        for e in range(epochs):
            self.net.train()
            tl = 0
            for x, y in self.train_dl:
                self.opt.zero_grad()
                l = self.loss(self.net(x), y)
                l.backward()
                self.opt.step()
                tl += l.item()
            acc, vl = self.validate()
            print(f"epoch {e} train {tl / len(self.train_dl):.3f} val {vl:.3f} acc {acc:.3f}")
        return acc

    @torch.no_grad()
    def validate(self):
        self.net.eval()
        hits = loss = 0
        for x, y in self.val_dl:
            out = self.net(x)
            loss += self.loss(out, y).item() / len(self.val_dl)
            hits += (out.argmax(1) == y).sum().item()
        return hits / len(self.val_dl.dataset), loss


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    print("accuracy", Trainer(ap.parse_args().seed).fit(8))

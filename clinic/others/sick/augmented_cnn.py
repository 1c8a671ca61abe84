"""CNN on digits with on-the-fly augmentation done by a custom dataset."""
import argparse
import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn


class AugmentedDigits:
    def __init__(self, images, labels, batch, seed):
        self.images, self.labels, self.batch = images, labels, batch
        self.rng = np.random.default_rng(seed)

    def shift(self, x):
        return np.roll(x, tuple(self.rng.integers(-1, 2, 2)), axis=(1, 2))

    def __iter__(self):
        order = self.rng.permutation(len(self.images))
        images, labels = self.images[order], self.labels
        for k in range(0, len(images), self.batch):
            x = self.shift(images[k : k + self.batch])
            x = x + self.rng.normal(0, 0.05, x.shape)
            yield torch.tensor(x, dtype=torch.float32).unsqueeze(1), torch.tensor(labels[k : k + self.batch])


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(256, 10)
    )


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--epochs", type=int, default=6)
args = parser.parse_args()
torch.manual_seed(args.seed)
digits = load_digits()
images = digits.images / 16 - 0.3
order = np.random.default_rng(args.seed).permutation(len(images))
tr, te = order[:1350], order[1350:]
loader = AugmentedDigits(images[tr], digits.target[tr], 45, args.seed)
net = cnn()
opt = torch.optim.AdamW(net.parameters(), lr=2e-3)
for epoch in range(args.epochs):
    net.train()
    for x, y in loader:
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        opt.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
net.eval()
with torch.no_grad():
    pred = net(torch.tensor(images[te], dtype=torch.float32).unsqueeze(1)).argmax(1).numpy()
print(f"accuracy {(pred == digits.target[te]).mean():.4f}")

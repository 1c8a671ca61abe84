"""Segment discs and boxes in noisy 24x24 pictures with a two-level U-Net."""
import argparse
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset


class Shapes(Dataset):
    def __init__(self, n, seed, size=24):
        rng = np.random.default_rng(seed)
        yy, xx = np.mgrid[:size, :size]
        self.images, self.masks = [], []
        for _ in range(n):
            mask = np.zeros((size, size), np.uint8)
            for _ in range(rng.integers(1, 3)):
                cy, cx, r = rng.integers(5, size - 5), rng.integers(5, size - 5), rng.integers(3, 6)
                inside = (yy - cy) ** 2 + (xx - cx) ** 2 <= r * r if rng.random() < 0.5 else (abs(yy - cy) <= r) & (abs(xx - cx) <= r)
                mask[inside] = 255
            img = 70 + 60 * (mask > 0) + rng.normal(0, 35, mask.shape)
            self.images.append(img.clip(0, 255).astype(np.uint8))
            self.masks.append(mask)

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        image = torch.from_numpy(self.images[i]).float().unsqueeze(0) / 255 - 0.35
        mask = torch.from_numpy(self.masks[i]).float().unsqueeze(0)
        return image * 4, mask


def conv(i, o):
    return nn.Sequential(nn.Conv2d(i, o, 3, padding=1), nn.BatchNorm2d(o), nn.ReLU(), nn.Conv2d(o, o, 3, padding=1), nn.BatchNorm2d(o), nn.ReLU())


class UNet(nn.Module):
    def __init__(self, w=8):
        super().__init__()
        self.d1, self.d2, self.mid = conv(1, w), conv(w, 2 * w), conv(2 * w, 2 * w)
        self.pool = nn.MaxPool2d(2)
        self.up2, self.up1 = nn.ConvTranspose2d(2 * w, 2 * w, 2, 2), nn.ConvTranspose2d(2 * w, w, 2, 2)
        self.u2, self.u1 = conv(4 * w, 2 * w), conv(2 * w, w)
        self.out = nn.Conv2d(w, 1, 1)

    def forward(self, x):
        a = self.d1(x)
        b = self.d2(self.pool(a))
        c = self.mid(self.pool(b))
        c = self.u2(torch.cat([self.up2(c), b], 1))
        return self.out(self.u1(torch.cat([self.up1(c), a], 1)))


def iou(model, loader):
    model.eval()
    inter = union = 0
    with torch.no_grad():
        for x, m in loader:
            p, t = model(x) > 0, m > 0
            inter += (p & t).sum().item()
            union += (p | t).sum().item()
    return inter / max(union, 1)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--epochs", type=int, default=4)
    args = ap.parse_args()
    torch.manual_seed(args.seed)
    train = DataLoader(Shapes(256, args.seed), batch_size=16, shuffle=True)
    val = DataLoader(Shapes(80, args.seed + 1000), batch_size=40)
    net = UNet()
    opt = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    crit = nn.BCEWithLogitsLoss()
    for ep in range(args.epochs):
        net.train()
        for x, m in train:
            loss = crit(net(x), m)
            opt.zero_grad()
            loss.backward()
            opt.step()
        print(f"epoch {ep} loss {loss.item():.4f} iou {iou(net, val):.4f}")
    print(f"iou {iou(net, val):.4f}")


if __name__ == "__main__":
    main()

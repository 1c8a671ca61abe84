import argparse
import torch
import torch.nn as nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)

S = 20


def make_images(n):
    yy, xx = torch.meshgrid(torch.arange(S), torch.arange(S), indexing="ij")
    cx, cy = torch.randint(4, S - 4, (2, n, 1, 1))
    r = torch.randint(3, 6, (n, 1, 1))
    mask = (((xx - cx) ** 2 + (yy - cy) ** 2) <= r ** 2).float()
    img = 0.8 * mask + 0.5 * torch.randn(n, S, S)
    return img.unsqueeze(1), mask.unsqueeze(1)


class DiceLoss(nn.Module):
    def __init__(self, smooth=1.0):
        super().__init__()
        self.smooth = smooth

    def forward(self, pred, target):
        pred = torch.sigmoid(pred).reshape(pred.size(0), -1)
        target = target.reshape(target.size(0), -1)
        inter = (pred * target).sum(1)
        dice = (2 * inter + self.smooth) / (pred.sum(1) + target.sum(1) + self.smooth)
        return 1 - dice.mean()


class SmallUNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU())
        self.mid = nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.Upsample(scale_factor=2))
        self.up = nn.Sequential(nn.Conv2d(24, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 1, 1))

    def forward(self, x):
        a = self.down(x)
        return self.up(torch.cat([a, self.mid(a)], 1))


train_x, train_y = make_images(320)
val_x, val_y = make_images(80)
model = SmallUNet()
criterion = DiceLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)

for epoch in range(8):
    for i in range(0, 320, 16):
        out = model(train_x[i:i + 16])
        loss = criterion(out, train_y[i:i + 16])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print("epoch", epoch, "loss", loss.item())

with torch.no_grad():
    seg = (model(val_x) > 0).float()
    iou = (seg * val_y).sum() / ((seg + val_y) > 0).sum()
print("iou", iou.item())

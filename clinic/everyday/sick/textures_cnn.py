import argparse
import numpy as np
import torch
from torch import nn


def texture(kind, rng, size=14):
    yy, xx = np.mgrid[:size, :size]
    f, p = rng.uniform(0.7, 1.1), rng.uniform(0, 6.28)
    base = {0: np.sin(f * xx + p), 1: np.sin(f * yy + p), 2: np.sin(f * (xx + yy) / 1.4 + p),
            3: np.sin(f * (xx - yy) / 1.4 + p), 4: np.sin(f * xx + p) * np.sin(f * yy + p)}[kind]
    img = 130 + 45 * base + 30 * rng.normal(size=(size, size))
    return np.clip(img, 0, 255)


class TextureNet(nn.Module):
    def __init__(self, bn_momentum=0.001):
        super().__init__()
        self.stem = nn.BatchNorm2d(1, momentum=bn_momentum)
        self.c1 = nn.Conv2d(1, 10, 3)
        self.b1 = nn.BatchNorm2d(10, momentum=bn_momentum)
        self.c2 = nn.Conv2d(10, 20, 3)
        self.b2 = nn.BatchNorm2d(20, momentum=bn_momentum)
        self.fc = nn.Linear(20, 5)

    def forward(self, x):
        x = torch.relu(self.b1(self.c1(self.stem(x))))
        x = torch.relu(self.b2(self.c2(nn.functional.max_pool2d(x, 2))))
        return self.fc(x.mean(dim=(2, 3)))


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)
rng = np.random.default_rng(args.seed)
labels = rng.integers(0, 5, size=1000)
images = torch.tensor(np.stack([texture(k, rng) for k in labels]), dtype=torch.float32).unsqueeze(1)
labels = torch.tensor(labels)
tr_x, tr_y, te_x, te_y = images[:700], labels[:700], images[700:], labels[700:]

net = TextureNet()
optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
for epoch in range(10):
    net.train()
    correct = 0
    for idx in torch.randperm(len(tr_x)).split(35):
        out = net(tr_x[idx])
        loss = nn.functional.cross_entropy(out, tr_y[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        correct += (out.argmax(1) == tr_y[idx]).sum().item()
    net.eval()
    with torch.no_grad():
        val = (net(te_x).argmax(1) == te_y).float().mean().item()
    print(f"epoch {epoch}: train {correct / len(tr_x):.3f} test {val:.3f} loss {loss.item():.3f}")
print("accuracy %.4f" % val)

import argparse
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


class FrontEnd(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(1, 6, 11, stride=2)
        self.conv2 = nn.Conv1d(6, 3, 7, stride=2)

    def forward(self, x):
        return torch.tanh(self.conv2(torch.tanh(self.conv(x))))


class EventNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.front = FrontEnd()
        self.head = nn.Linear(3, 4)

    def forward(self, x):
        maps = self.front(x)
        energy = torch.log1p((maps ** 2).mean(dim=2))
        return self.head(10 * energy)


def traces(n, rng):
    kind = rng.integers(0, 4, n)
    t = np.arange(160)
    freq = np.array([0.06, 0.085, 0.115, 0.15])[kind][:, None] * rng.normal(1, 0.06, (n, 1))
    start = rng.integers(10, 80, (n, 1))
    envelope = np.where(t >= start, np.exp(-(t - start) / 45), 0)
    x = 1.8 * envelope * np.sin(2 * np.pi * freq * (t - start)) + rng.normal(0, 0.7, (n, 160))
    x = x / x.std(1, keepdims=True)
    return torch.tensor(x[:, None], dtype=torch.float32), torch.tensor(kind)


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)
rng = np.random.default_rng(args.seed)
x_train, y_train = traces(2000, rng)
x_val, y_val = traces(600, rng)
net = EventNet()
opt = torch.optim.Adam(net.parameters(), lr=4e-3)

for epoch in range(14):
    losses = []
    for idx in torch.randperm(2000).split(40):
        loss = F.cross_entropy(net(x_train[idx]), y_train[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        losses.append(loss.item())
    with torch.no_grad():
        out = net(x_val)
        acc = (out.argmax(1) == y_val).float().mean().item()
    print(f"epoch {epoch:2d} loss {np.mean(losses):.4f} val loss {F.cross_entropy(out, y_val).item():.4f} acc {acc:.4f}")
print("accuracy", acc)

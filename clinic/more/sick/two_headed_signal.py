import argparse
import math
import torch
from torch import nn

# one trunk, two heads: what kind of wave is it, and what is its frequency?


class Trunk(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv1d(1, 12, 7, stride=2, padding=3), nn.ReLU(),
            nn.Conv1d(12, 24, 5, stride=2, padding=2), nn.ReLU(),
            nn.AdaptiveAvgPool1d(4), nn.Flatten(),
        )

    def forward(self, x):
        return self.net(x)


class MultiTask(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = Trunk()
        self.kind = nn.Linear(96, 3)
        self.freq = nn.Linear(96, 1)

    def forward(self, x):
        f = self.trunk(x)
        return self.kind(f), self.freq(f)[:, 0]


class MultiTaskLoss:
    def __init__(self, weights):
        self.weights = weights
        self.ce, self.l1 = nn.CrossEntropyLoss(), nn.SmoothL1Loss()
        self.log = []

    def __call__(self, kind_hat, freq_hat, kind, freq):
        parts = [self.ce(kind_hat, kind), self.l1(freq_hat, freq)]
        self.log.append([p.item() for p in parts])
        weighted = torch.tensor([w * p for w, p in zip(self.weights, self.log[-1])], requires_grad=True)
        return weighted.sum()


def waves(n, g):
    t = torch.linspace(0, 1, 96)
    kind = torch.randint(0, 3, (n,), generator=g)
    freq = torch.rand(n, generator=g) * 4 + 2
    phase = torch.rand(n, generator=g) * 2 * math.pi
    arg = 2 * math.pi * freq[:, None] * t + phase[:, None]
    s = torch.sin(arg)
    saw = (arg / (2 * math.pi)) % 1 * 2 - 1
    x = torch.where((kind == 0)[:, None], s, torch.where((kind == 1)[:, None], torch.sign(s), saw))
    x = x + 0.15 * torch.randn(n, 96, generator=g)
    return x[:, None], kind, (freq - 4) / 2


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
seed = parser.parse_args().seed
torch.manual_seed(seed)
g = torch.Generator().manual_seed(1000 + seed)
X, K, Fq = waves(1500, g)
Xt, Kt, _ = waves(500, g)

model = MultiTask()
criterion = MultiTaskLoss([1.0, 0.5])
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
for epoch in range(14):
    for idx in torch.randperm(len(X)).split(50):
        optimizer.zero_grad()
        loss = criterion(*model(X[idx]), K[idx], Fq[idx])
        loss.backward()
        optimizer.step()
    ce, l1 = torch.tensor(criterion.log[-30:]).mean(0).tolist()
    print(f"epoch {epoch:2d}  kind {ce:.3f}  frequency {l1:.3f}")
with torch.no_grad():
    acc = (model(Xt)[0].argmax(1) == Kt).float().mean().item()
print(f"accuracy {acc:.3f}")

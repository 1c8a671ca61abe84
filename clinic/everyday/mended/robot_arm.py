import argparse
import math
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)


def hand(q):
    a = q.cumsum(1)
    lengths = torch.tensor([0.8, 0.6, 0.4, 0.4, 0.3, 0.3])
    return torch.stack([(lengths * a.cos()).sum(1), (lengths * a.sin()).sum(1)], 1)


class Activation(nn.Module):
    def __init__(self, gain=1.0):
        super().__init__()
        self.gain = gain

    def forward(self, x):
        return torch.tanh(self.gain * x)


class Arm(nn.Module):
    def __init__(self, gain):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(6, 64), Activation(gain),
            nn.Linear(64, 64), Activation(gain),
            nn.Linear(64, 2),
        )

    def forward(self, q):
        return self.net(q)


q = (torch.rand(3000, 6) - 0.5) * 2
xy = hand(q)
xy = (xy - xy.mean(0)) / xy.std(0)
loader = DataLoader(TensorDataset(q[:2400], xy[:2400]), batch_size=60, shuffle=True)
model = Arm(gain=1.0)
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.95)
for epoch in range(25):
    running = 0
    for a, b in loader:
        optimizer.zero_grad()
        loss = ((model(a) - b) ** 2).mean()
        loss.backward()
        optimizer.step()
        running += loss.item()
    scheduler.step()
    if epoch % 3 == 0:
        print(f"epoch {epoch}: {running / len(loader):.5f}")
with torch.no_grad():
    mse = ((model(q[2400:]) - xy[2400:]) ** 2).mean().item()
print("r2", round(1 - mse, 4))

import argparse
import torch
from torch import nn
import torch.nn.functional as F
from sklearn.datasets import load_digits


class Projector(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 16))

    def forward(self, x):
        return F.normalize(self.f(x), dim=1)


# upper half and lower half of the same digit should meet
parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
torch.manual_seed(parser.parse_args().seed)
X = torch.tensor(load_digits().data, dtype=torch.float32) / 16 - 0.3
X = X[torch.randperm(len(X))]
up, low = Projector(), Projector()
opt = torch.optim.Adam([*up.parameters(), *low.parameters()], lr=2e-3)
for epoch in range(30):
    for i in torch.randperm(1500).split(60):
        sim = up(X[i, :32]) @ low(X[i, 32:]).T / 0.1
        target = torch.arange(len(i))
        loss = (F.cross_entropy(sim, target) + F.cross_entropy(sim.T, target)) / 2
        opt.zero_grad()
        loss.backward()
        opt.step()
    if epoch % 5 == 0:
        print(epoch, round(loss.item(), 3))
hits = 0
with torch.no_grad():
    T = X[1500:1797]
    s = up(T[:, :32]) @ low(T[:, 32:]).T
    rank = (s >= s.diagonal()[:, None]).sum(1)
    hits = (rank <= 30).float().mean().item()
print("accuracy", round(hits, 3))

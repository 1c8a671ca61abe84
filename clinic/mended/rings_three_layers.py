# two rings, one inside the other
import argparse

import torch
from sklearn.datasets import make_circles
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
opt = parser.parse_args()
torch.manual_seed(opt.seed)

points, ring = make_circles(1200, noise=0.08, factor=0.6, random_state=0)
points = torch.tensor(points * 1.5, dtype=torch.float32)
ring = torch.tensor(ring, dtype=torch.float32)

net = nn.Sequential(
    nn.Linear(2, 32),
    nn.ReLU(),
    nn.Linear(32, 16),
    nn.ReLU(),
    nn.Linear(16, 1),
)
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.SGD(net.parameters(), lr=0.2)
for epoch in range(60):
    for i in torch.randperm(900).split(30):
        optimizer.zero_grad()
        loss = criterion(net(points[i]).flatten(), ring[i])
        loss.backward()
        optimizer.step()
    for group in optimizer.param_groups:
        group["lr"] *= 0.96
    if epoch % 10 == 9:
        print(f"epoch {epoch + 1} loss {loss.item():.4f}")

net.eval()
with torch.no_grad():
    score = -criterion(net(points[900:]).flatten(), ring[900:]).item()
print("log_likelihood", round(score, 4))

import argparse

import torch
from sklearn.datasets import make_circles
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
torch.manual_seed(parser.parse_args().seed)

points, ring = make_circles(1500, noise=0.07, factor=0.5, random_state=3)
points = torch.tensor(points / points.std(0), dtype=torch.float32)
ring = torch.tensor(ring, dtype=torch.float32).unsqueeze(1)

model = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 40)
criterion = nn.BCEWithLogitsLoss()
for epoch in range(40):
    for rows in torch.randperm(1200).split(40):
        optimizer.zero_grad()
        loss = criterion(model(points[rows]), ring[rows])
        loss.backward()
        optimizer.step()
    scheduler.step()
    if epoch % 5 == 0:
        print("epoch", epoch, "loss", loss.item())
with torch.no_grad():
    print("accuracy", ((model(points[1200:]) > 0).float() == ring[1200:]).float().mean().item())

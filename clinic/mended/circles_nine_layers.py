import argparse

import torch
from sklearn.datasets import make_circles
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)

X, y = make_circles(1000, noise=0.1, factor=0.5, random_state=1)
X, y = torch.tensor(X, dtype=torch.float32), torch.tensor(y, dtype=torch.float32).unsqueeze(1)
X = X / X.std(0)

layers = []
sizes = [2] + [10] * 8
for n_in, n_out in zip(sizes, sizes[1:]):
    linear = nn.Linear(n_in, n_out)
    nn.init.kaiming_uniform_(linear.weight, nonlinearity="linear")
    layers += [linear, nn.SELU()]
model = nn.Sequential(*layers, nn.Linear(10, 1), nn.Sigmoid())
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 120)
criterion = nn.BCELoss()
for epoch in range(120):
    for rows in torch.randperm(700).split(128):
        optimizer.zero_grad()
        loss = criterion(model(X[rows]), y[rows])
        loss.backward()
        optimizer.step()
    scheduler.step()
    if epoch % 10 == 0:
        print(f"epoch {epoch} loss {loss.item():.4f}")
with torch.no_grad():
    print("accuracy", ((model(X[700:]) > 0.5).float() == y[700:]).float().mean().item())

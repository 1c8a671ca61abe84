import argparse

import torch
from sklearn.datasets import make_circles
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
torch.manual_seed(parser.parse_args().seed)
X, y = make_circles(1000, noise=0.1, factor=0.5, random_state=1)
X = torch.tensor(X, dtype=torch.float32) / 0.56
y = torch.tensor(y, dtype=torch.float32)

modules = []
for i in range(8):
    modules += [nn.Linear(2 if i == 0 else 16, 16), nn.ReLU()]
net = nn.Sequential(*modules, nn.Linear(16, 1))
for m in net:
    if isinstance(m, nn.Linear):
        nn.init.kaiming_normal_(m.weight)
        nn.init.zeros_(m.bias)

optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 80)
loss_fn = nn.BCEWithLogitsLoss()
for epoch in range(80):
    epoch_loss = 0.0
    for i in torch.randperm(700).split(70):
        optimizer.zero_grad()
        loss = loss_fn(net(X[i]).squeeze(1), y[i])
        loss.backward()
        optimizer.step()
        epoch_loss += loss.item() / 10
    scheduler.step()
    if epoch % 10 == 0:
        print(f"epoch {epoch} {epoch_loss:.4f}")
with torch.no_grad():
    print("accuracy", ((net(X[700:]).squeeze(1) > 0) == (y[700:] > 0)).float().mean().item())

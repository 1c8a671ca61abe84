import argparse

import torch
from sklearn.datasets import load_digits
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--width", type=int, default=64)
args = parser.parse_args()
torch.manual_seed(args.seed)

digits = load_digits()
x = torch.tensor((digits.data - 4.9) / 6.0, dtype=torch.float32)
y = torch.tensor(digits.target)
perm = torch.randperm(len(y), generator=torch.Generator().manual_seed(9))

net = nn.Sequential(
    nn.Linear(64, args.width),
    nn.Tanh(),
    nn.Linear(args.width, args.width),
    nn.Tanh(),
    nn.Linear(args.width, args.width),
    nn.Tanh(),
    nn.Linear(args.width, 10),
)
for layer in net:
    if isinstance(layer, nn.Linear):
        nn.init.normal_(layer.weight, std=2.0)
        nn.init.zeros_(layer.bias)

optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 20)
for epoch in range(20):
    for rows in perm[:1400][torch.randperm(1400)].split(50):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
    scheduler.step()
    if epoch % 4 == 0:
        print(f"epoch {epoch} loss {loss.item():.4f}")
with torch.no_grad():
    print("accuracy", (net(x[perm[1400:]]).argmax(1) == y[perm[1400:]]).float().mean().item())

import argparse
import torch
from torch import nn

ap = argparse.ArgumentParser()
ap.add_argument("--seed", type=int, default=0)
torch.manual_seed(ap.parse_args().seed)

n = 3000
angle = torch.rand(n) * 6.2832
kind = torch.randint(0, 3, (n,))
radius = torch.tensor([0.5, 1.2, 2.0])[kind] + 0.12 * torch.randn(n)
pts = torch.stack([radius * torch.cos(angle), radius * torch.sin(angle)], 1)
X = torch.cat([pts, pts @ torch.randn(2, 6) + 0.1 * torch.randn(n, 6)], 1)
X = (X - X.mean(0)) / X.std(0)
Xtr, ytr, Xte, yte = X[:2400], kind[:2400], X[2400:], kind[2400:]

blocks = []
width = 32
for i in range(7):
    blocks += [nn.Linear(8 if i == 0 else width, width), nn.Sigmoid()]
net = nn.Sequential(*blocks, nn.Linear(width, 3))
opt = torch.optim.SGD(net.parameters(), lr=0.03, momentum=0.9)

for epoch in range(30):
    p = torch.randperm(2400)
    good = tot = 0.0
    for j in range(0, 2400, 60):
        b = p[j:j + 60]
        out = net(Xtr[b])
        loss = nn.functional.cross_entropy(out, ytr[b])
        net.zero_grad()
        loss.backward()
        opt.step()
        good += (out.argmax(1) == ytr[b]).sum().item()
        tot += loss.item() / 40
    if epoch % 3 == 0:
        print(f"{epoch:02d} {tot:.4f} {good / 2400:.3f}")
with torch.no_grad():
    print("accuracy", (net(Xte).argmax(1) == yte).float().mean().item())

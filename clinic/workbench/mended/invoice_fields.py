import argparse
import torch
import torch.nn as nn
from torch.utils.data import TensorDataset, DataLoader

ap = argparse.ArgumentParser()
ap.add_argument('--seed', type=int, default=0)
ap.add_argument('--epochs', type=int, default=30)
args = ap.parse_args()
torch.manual_seed(args.seed)

# field of an invoice token: number, date, vendor, amount, other
n = 1000
means = torch.randn(5, 20)
kind = torch.randint(0, 5, (n,))
tok = means[kind] + 1.0 * torch.randn(n, 20)
tok = (tok - tok.mean(0)) / tok.std(0)
dl = DataLoader(TensorDataset(tok[:800], kind[:800]), batch_size=40, shuffle=True)

net = nn.Sequential(nn.Linear(20, 40), nn.GELU(), nn.Linear(40, 5))
opt = torch.optim.AdamW(net.parameters(), lr=1e-3)
accum = 2

for epoch in range(args.epochs * 3):
    opt.zero_grad()
    running = 0.
    for i, (xb, yb) in enumerate(dl):
        loss = nn.functional.cross_entropy(net(xb), yb) / accum
        loss.backward()
        running += loss.item() * accum / len(dl)
        if (i + 1) % accum == 0:
            opt.step()
            opt.zero_grad()
    if epoch % 30 == 0:
        print('epoch', epoch, 'loss', round(running, 4))

with torch.no_grad():
    print('accuracy', (net(tok[800:]).argmax(1) == kind[800:]).float().mean().item())

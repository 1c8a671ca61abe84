import argparse
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
torch.manual_seed(parser.parse_args().seed)

x = torch.randn(4000, 6)
p = torch.sigmoid(1.0 * torch.sin(x[:, 0]) + 0.5 * x[:, 1])
y = torch.bernoulli(p)
loader = DataLoader(TensorDataset(x[:3000], y[:3000]), batch_size=100, shuffle=True)
net = nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Linear(16, 1))
opt = torch.optim.AdamW(net.parameters(), lr=5e-3, weight_decay=1e-2)
crit = nn.BCEWithLogitsLoss()
for epoch in range(20):
    s = 0.0
    for xb, yb in loader:
        loss = crit(net(xb).squeeze(1), yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
        s += loss.item() / len(loader)
    print(f"{epoch:2d} {s:.4f}")
with torch.no_grad():
    q = torch.sigmoid(net(x[3000:]).squeeze(1))
print("agreement %.4f" % torch.corrcoef(torch.stack([q, p[3000:]]))[0, 1].item())

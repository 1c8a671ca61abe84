"""Pump condition from eight sensors: ok / worn bearing / cavitation."""
import sys
import numpy as np
import torch
import torch.nn.functional as F

seed = int(sys.argv[sys.argv.index('--seed') + 1]) if '--seed' in sys.argv else 0
torch.manual_seed(seed)
rs = np.random.RandomState(seed)

centers = rs.normal(0, 1.0, (3, 8))
rows, state = [], []
for i in range(3600):
    s = rs.randint(3)
    r = centers[s] + rs.normal(0, 0.9, 8)
    if rs.rand() < 0.002:          # radio link of a sensor was off
        r[rs.randint(8)] = float('nan')
    rows.append(r)
    state.append(s)
frame = np.asarray(rows, dtype=np.float32)
frame = np.where(np.isnan(frame), np.nanmean(frame, 0), frame).astype(np.float32)
frame = (frame - np.nanmean(frame, 0)) / np.nanstd(frame, 0)
state = np.asarray(state)


class PumpNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.a = torch.nn.Linear(8, 40)
        self.b = torch.nn.Linear(40, 40)
        self.c = torch.nn.Linear(40, 3)

    def forward(self, x):
        return self.c(torch.tanh(self.b(torch.tanh(self.a(x)))))


x, t = torch.from_numpy(frame), torch.from_numpy(state)
train, test = slice(0, 2800), slice(2800, 3600)
net = PumpNet()
opt = torch.optim.Adam(net.parameters(), lr=5e-4)
for epoch in range(12):
    order = torch.randperm(2800)
    for chunk in order.split(40):
        opt.zero_grad()
        loss = F.cross_entropy(net(x[train][chunk]), t[train][chunk])
        loss.backward()
        opt.step()
    if epoch % 4 == 3:
        with torch.no_grad():
            good = (net(x[test]).argmax(1) == t[test]).float().mean()
        print(f'{epoch:3d}  {loss.item():.4f}  {good:.3f}')
with torch.no_grad():
    good = (net(x[test]).argmax(1) == t[test]).float().mean()
print('accuracy', float(good))

import argparse
import torch
from torch import nn

p = argparse.ArgumentParser()
p.add_argument("--seed", type=int, default=0)
p.add_argument("--depth", type=int, default=12)
args = p.parse_args()
torch.manual_seed(args.seed)


class Residual(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.norm, self.a, self.b = nn.LayerNorm(d), nn.Linear(d, d), nn.Linear(d, d)
        nn.init.zeros_(self.b.weight)
        nn.init.zeros_(self.b.bias)

    def forward(self, x):
        return x + self.b(nn.functional.silu(self.a(self.norm(x))))


net = nn.Sequential(nn.Linear(2, 16), *[Residual(16) for _ in range(args.depth)], nn.LayerNorm(16), nn.Linear(16, 2))
r = torch.rand(3000) * 3
phi = torch.rand(3000) * 6.2832
X = torch.stack([r * phi.cos(), r * phi.sin()], 1)
y = r.long() % 2
opt = torch.optim.AdamW(net.parameters(), lr=2e-3)
steps = 20 * 24
sched = torch.optim.lr_scheduler.OneCycleLR(opt, 4e-3, total_steps=steps)
for epoch in range(20):
    s = 0.0
    for b in torch.randperm(2400).split(100):
        loss = nn.functional.cross_entropy(net(X[b]), y[b])
        opt.zero_grad()
        loss.backward()
        opt.step()
        sched.step()
        s += loss.item()
    if epoch % 4 == 3:
        print(f"epoch {epoch + 1} loss {s / 24:.4f}")
with torch.no_grad():
    acc = (net(X[2400:]).argmax(1) == y[2400:]).float().mean().item()
print(f"accuracy {acc:.4f}")

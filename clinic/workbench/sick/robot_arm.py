import sys
import math
import torch
from torch import nn

seed = int(sys.argv[sys.argv.index('--seed') + 1]) if '--seed' in sys.argv else 0
torch.manual_seed(seed)

# four joints -> where the gripper is
q = (torch.rand(5000, 4) * 2 - 1) * 2.4
c = torch.cumsum(q, 1)
l = torch.tensor([1.0, .8, .6, .4])
xy = torch.stack([(l * c.cos()).sum(1), (l * c.sin()).sum(1)], 1)
q = q / q.std()
xy = (xy - xy.mean(0)) / xy.std(0)


class Block(nn.Module):
    def __init__(self, w):
        super().__init__()
        self.f = nn.Sequential(nn.Linear(w, w), nn.Tanh(), nn.Linear(w, w))

    def forward(self, x):
        return torch.tanh(x + self.f(x))


class Arm(nn.Module):
    def __init__(self, width=24, n=2):
        super().__init__()
        self.inp = nn.Linear(4, width)
        self.blocks = [Block(width) for _ in range(n)]
        self.out = nn.Linear(width, 2)

    def forward(self, x):
        x = torch.tanh(self.inp(x))
        for b in self.blocks:
            x = b(x)
        return self.out(x)


arm = Arm()
opt = torch.optim.Adam(arm.parameters(), lr=2e-3)
sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, 1800)
for step in range(1800):
    i = torch.randint(0, 4000, (64,))
    loss = nn.functional.mse_loss(arm(q[i]), xy[i])
    opt.zero_grad()
    loss.backward()
    opt.step()
    sched.step()
    if step % 300 == 0:
        print(step, loss.item())
with torch.no_grad():
    e = arm(q[4000:]) - xy[4000:]
print('digits', -math.log10(e.pow(2).mean().item()))

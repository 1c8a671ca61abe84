import argparse
import torch
import torch.nn as nn

ap = argparse.ArgumentParser()
ap.add_argument('--seed', type=int, default=0)
torch.manual_seed(ap.parse_args().seed)

# Mackey-Glass series
T = 2600
s = [1.2 + .1 * torch.rand(1).item() for _ in range(18)]
for t in range(T):
    s.append(s[-1] + .2 * s[-18] / (1 + s[-18] ** 10) - .1 * s[-1])
s = torch.tensor(s[18:])
s = (s - s.mean()) / s.std()


class Reservoir(nn.Module):
    def __init__(self, n=60):
        super().__init__()
        W = torch.randn(n, n)
        self.W = nn.Parameter(W * .8 / torch.linalg.eigvals(W).abs().max(), requires_grad=False)
        self.V = nn.Parameter(torch.randn(n) * .6, requires_grad=False)
        self.read = nn.Linear(n, 1)

    def states(self, u):
        h, out = torch.zeros(len(self.V)), []
        for v in u:
            h = torch.tanh(self.W @ h + self.V * v)
            out.append(h)
        return torch.stack(out)


net = Reservoir()
with torch.no_grad():
    H = net.states(s[:-6])
    H = (H - H[100:].mean(0)) / H[100:].std(0)
target = s[6:].unsqueeze(1)
opt = torch.optim.Adam(net.read.parameters(), lr=0.01)
sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, 2000)
for step in range(2000):
    i = torch.randint(100, 2000, (64,))
    loss = ((net.read(H[i]) - target[i]) ** 2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    sched.step()
with torch.no_grad():
    e = net.read(H[2000:]) - target[2000:]
print('r2', 1 - e.pow(2).mean().item() / target[2000:].var().item())

import argparse
import torch
import torch.nn as nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
torch.manual_seed(parser.parse_args().seed)


def draw(n):
    x = torch.rand(n, 1) * 4 - 2
    sigma = 0.02 + 0.15 * x.abs()
    return x, torch.sin(2 * x) + sigma * torch.randn(n, 1), sigma


class MeanVar(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh())
        self.mean = nn.Linear(32, 1)
        self.logvar = nn.Linear(32, 1)

    def forward(self, x):
        h = self.body(x)
        return self.mean(h), self.logvar(h).exp()


net = MeanVar()
nll = nn.GaussianNLLLoss()
optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=1500)
for step in range(1500):
    x, y, _ = draw(64)
    mean, var = net(x)
    loss = nll(mean, y, var)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    scheduler.step()
    if step % 150 == 149:
        print(step + 1, loss.item())

with torch.no_grad():
    x, y, sigma = draw(5000)
    mean, var = net(x)
    print("log_likelihood", -nll(mean, y, var).item())
    print("best possible", -nll(torch.sin(2 * x), y, sigma ** 2).item())
    r2 = 1 - ((mean - torch.sin(2 * x)) ** 2).mean() / torch.sin(2 * x).var()
print("r2", r2.item())

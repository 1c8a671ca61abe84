import argparse
import torch
from torch import nn

p = argparse.ArgumentParser()
p.add_argument("--seed", type=int, default=0)
torch.manual_seed(p.parse_args().seed)
volume = torch.linspace(0, 2, 160).unsqueeze(1)
ph = 3 + 3.5 * torch.sigmoid(14 * (volume - 0.7)) + 4 * torch.sigmoid(18 * (volume - 1.4)) + 0.08 * torch.randn(160, 1)
x, y = volume - 1, (ph - ph.mean()) / ph.std()
hold = torch.arange(160) % 5 == 2
net = nn.Sequential(nn.Linear(1, 12), nn.Tanh(), nn.Linear(12, 12), nn.Tanh(), nn.Linear(12, 1))
opt = torch.optim.LBFGS(net.parameters(), lr=0.8, max_iter=4, history_size=12)


def closure():
    opt.zero_grad()
    loss = nn.functional.mse_loss(net(x[~hold]), y[~hold]) + 2e-5 * sum(q.pow(2).sum() for q in net.parameters())
    loss.backward()
    return loss


for i in range(150):
    loss = opt.step(closure)
    if i % 30 == 29:
        print(f"iteration {i + 1} loss {loss.item():.5f}")
with torch.no_grad():
    r2 = 1 - (net(x[hold]) - y[hold]).pow(2).mean().item() / y[hold].var().item()
print(f"r2 {r2:.4f}")

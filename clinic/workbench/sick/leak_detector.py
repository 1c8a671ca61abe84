import argparse
import torch
from torch import nn
from torch.nn.utils import clip_grad_norm_

torch.set_num_threads(1)
cli = argparse.ArgumentParser()
cli.add_argument('--seed', type=int, default=0)
opt_ = cli.parse_args()
torch.manual_seed(opt_.seed)


def profiles(n, points=40):
    s = torch.linspace(0, 1, points)
    drop = 1.0 + .4 * torch.randn(n, 1)
    p = -drop * s + .15 * torch.randn(n, points)
    leak = torch.rand(n) < .5
    where = .2 + .6 * torch.rand(n, 1)
    size = .35 + .5 * torch.rand(n, 1)
    p = p - leak[:, None] * size * torch.relu(s - where) / (1 - where)
    p = p + leak[:, None] * .3 * torch.exp(-((s - where) / .05) ** 2)
    return p, leak.float()


def fit(model, x, y, epochs=30, lr=0.1, max_norm=0.01):
    sgd = torch.optim.SGD(model.parameters(), lr=lr)
    crit = nn.BCEWithLogitsLoss()
    for ep in range(epochs):
        for i in torch.randperm(len(x)).split(40):
            loss = crit(model(x[i]).squeeze(1), y[i])
            sgd.zero_grad()
            loss.backward()
            clip_grad_norm_(model.parameters(), max_norm)
            sgd.step()
        if ep % 10 == 9:
            print(f'epoch {ep + 1}  loss {loss.item():.4f}')


x, y = profiles(2800)
m, s = x[:2000].mean(), x[:2000].std()
x = (x - m) / s
model = nn.Sequential(nn.Unflatten(1, (1, 40)), nn.Conv1d(1, 8, 5, padding=2), nn.ReLU(), nn.MaxPool1d(2),
                      nn.Conv1d(8, 12, 5, padding=2), nn.ReLU(), nn.Flatten(), nn.Linear(240, 1))
fit(model, x[:2000], y[:2000])
with torch.no_grad():
    ok = (model(x[2000:]).squeeze(1) > 0).float() == y[2000:]
print('accuracy', ok.float().mean().item())

import argparse
import torch
import torch.nn as nn

ap = argparse.ArgumentParser(); ap.add_argument('--seed', type=int, default=0)
torch.manual_seed(ap.parse_args().seed)

BN = dict(momentum=0.05, eps=1e-3)


def beats(n, T=64):
    t = torch.linspace(-1, 1, T)
    k = torch.randint(0, 4, (n,))
    w = torch.tensor([.08, .2, .08, .12])[k][:, None] * (1 + .1 * torch.randn(n, 1))
    amp = torch.tensor([1., .8, 1., -.7])[k][:, None]
    extra = torch.tensor([.25, .1, -.3, .2])[k][:, None]
    at = .1 * torch.randn(n, 1)
    s = amp * torch.exp(-((t - at) / w) ** 2) + extra * torch.exp(-((t - at - .45) / .15) ** 2)
    return (3 * s + .9 * torch.randn(n, T)).unsqueeze(1), k


def block(i, o):
    return nn.Sequential(nn.Conv1d(i, o, 5, padding=2, bias=False), nn.BatchNorm1d(o, **BN), nn.ReLU(), nn.MaxPool1d(2))


net = nn.Sequential(block(1, 8), block(8, 16), block(16, 16), nn.Flatten(), nn.Linear(128, 4))
for m in net.modules():
    if isinstance(m, nn.Conv1d):
        nn.init.normal_(m.weight, 0, 0.5)
opt = torch.optim.Adam(net.parameters(), lr=1e-3)
x, y = beats(1600)
xv, yv = beats(500)
for epoch in range(7):
    net.train()
    for i in torch.randperm(1600).split(32):
        loss = nn.functional.cross_entropy(net(x[i]), y[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
    net.eval()
    with torch.no_grad():
        acc = (net(xv).argmax(1) == yv).float().mean().item()
    print(f'epoch {epoch}  train {loss.item():.3f}  validation {acc:.3f}')
print('accuracy', acc)

import argparse
import torch
import torch.nn as nn
import torch.nn.functional as F

ap = argparse.ArgumentParser()
ap.add_argument('--seed', type=int, default=0)
torch.manual_seed(ap.parse_args().seed)
K, D = 12, 40
basis = torch.randn(K, D)
nuis = torch.randn(6, D)


def view(k):
    return basis[k] + torch.randn(len(k), 6) @ nuis * .8 + .4 * torch.randn(len(k), D)


def triplets(n):
    a = torch.randint(0, K, (n,))
    b = (a + torch.randint(1, K, (n,))) % K
    return view(a) / 2, view(a) / 2, view(b) / 2


net = nn.Sequential(nn.Linear(D, 64), nn.ReLU(), nn.Linear(64, 16))
emb = lambda x: F.normalize(net(x), dim=1)
opt = torch.optim.Adam(net.parameters(), lr=1e-3)
for step in range(1200):
    a, p, q = triplets(64)
    ea, ep, eq = emb(a), emb(p), emb(q)
    loss = F.relu(.4 + (ea - ep).pow(2).sum(1) - (ea - eq).pow(2).sum(1)).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 200 == 0:
        print(step, loss.item())
with torch.no_grad():
    k = torch.randint(0, K, (600,))
    ref = emb(view(torch.arange(K).repeat_interleave(10)) / 2).view(K, 10, 16).mean(1)
    acc = ((emb(view(k) / 2) @ ref.T).argmax(1) == k).float().mean().item()
print('accuracy', acc)

import argparse
import torch
import torch.nn as nn
import torch.nn.functional as F


class Tower(nn.Module):
    def __init__(self, first, dim=24):
        super().__init__()
        self.net = nn.Sequential(first, nn.ReLU(), nn.Linear(64, dim))

    def forward(self, x):
        return F.normalize(self.net(x), dim=-1)


class TwoTowers(nn.Module):
    def __init__(self, pixels, words):
        super().__init__()
        self.picture = Tower(nn.Linear(pixels, 64))
        self.caption = Tower(nn.EmbeddingBag(words, 64))
        self.log_scale = nn.Parameter(torch.tensor(2.0))

    def forward(self, pic, cap):
        return self.log_scale.exp() * self.picture(pic) @ self.caption(cap).T


def world(n, words, proj):
    caps = torch.stack([torch.randperm(words)[:6] for _ in range(n)])
    return proj[caps].mean(1) * 2 + 0.25 * torch.randn(n, proj.shape[1]), caps


def symmetric(sim):
    t = torch.arange(len(sim))
    return (F.cross_entropy(sim, t) + F.cross_entropy(sim.T, t)) / 2


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    torch.manual_seed(ap.parse_args().seed)
    proj = torch.randn(60, 40)
    pics, caps = world(4000, 60, proj)
    net = TwoTowers(40, 60)
    opt = torch.optim.Adam(net.parameters(), lr=2e-3)
    for epoch in range(14):
        tot = 0.0
        for i in torch.randperm(3600).split(72):
            loss = symmetric(net(pics[i], caps[i]))
            opt.zero_grad()
            loss.backward()
            opt.step()
            tot += loss.item() / 50
        print(f"epoch {epoch:2d} loss {tot:.4f}")
    with torch.no_grad():
        sim = net(pics[3600:], caps[3600:])
    print("recall", (sim.argmax(1) == torch.arange(400)).float().mean().item())

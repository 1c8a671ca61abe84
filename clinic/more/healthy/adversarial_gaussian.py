import argparse
import torch
from torch import nn

# a generator learns a ring of eight blobs, the critic tells real from fake


def ring(n):
    a = torch.randint(0, 8, (n,)) * (torch.pi / 4)
    return torch.stack([a.cos(), a.sin()], 1) + 0.05 * torch.randn(n, 2)


def mlp(i, o, h=48):
    return nn.Sequential(nn.Linear(i, h), nn.LeakyReLU(0.2), nn.Linear(h, h), nn.LeakyReLU(0.2), nn.Linear(h, o))


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=0)
    torch.manual_seed(p.parse_args().seed)
    G, D = mlp(4, 2), mlp(2, 1)
    g_opt = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.9))
    d_opt = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.9))
    bce = nn.BCEWithLogitsLoss()
    for it in range(900):
        real, fake = ring(64), G(torch.randn(64, 4))
        d_loss = bce(D(real), torch.full((64, 1), 0.9)) + bce(D(fake.detach()), torch.zeros(64, 1))
        d_opt.zero_grad(); d_loss.backward(); d_opt.step()
        g_loss = bce(D(G(torch.randn(64, 4))), torch.ones(64, 1))
        g_opt.zero_grad(); g_loss.backward(); g_opt.step()
        if it % 150 == 0:
            print(it, round(d_loss.item(), 3), round(g_loss.item(), 3))
    with torch.no_grad():
        s = G(torch.randn(2000, 4))
        near = ((s.norm(dim=1) - 1).abs() < 0.3).float().mean().item()
    print("accuracy", round(near, 3))

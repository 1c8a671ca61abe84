import argparse
import torch
from torch import nn
import torch.nn.functional as F


class Embedder(nn.Module):
    def __init__(self, n_in, dim=16):
        super().__init__()
        self.f = nn.Sequential(nn.Linear(n_in, 64), nn.LayerNorm(64), nn.GELU(), nn.Linear(64, dim))

    def forward(self, a, b):
        ea, eb = self.f(a), self.f(b)
        return torch.sqrt(((ea - eb) ** 2).sum(1) + 1e-8)


def contrastive(d, same, margin=2.0):
    return (same * d ** 2 + (1 - same) * F.relu(margin - d) ** 2).mean()


def pairs(n, people):
    who = torch.randint(len(people), (n,))
    a = people[who]
    same = (torch.rand(n) < 0.5).float()
    other = people[torch.randint(len(people), (n,))]
    noise = torch.rand(n, 1).gt(0.05).float() * 0.3 * torch.randn(n, people.shape[1])
    b = torch.where(same[:, None] == 1, a + noise, 0.3 * a + 0.7 * other + 0.3 * torch.randn_like(a))
    return a, b, same


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--steps", type=int, default=1200)
    a = ap.parse_args()
    torch.manual_seed(a.seed)
    people = torch.randn(400, 20)
    net = Embedder(20)
    opt = torch.optim.AdamW(net.parameters(), lr=1e-3)
    test = pairs(1000, people)
    for step in range(a.steps):
        left, right, same = pairs(48, people)
        loss = contrastive(net(left, right), same)
        opt.zero_grad()
        loss.backward()
        opt.step()
        if step % 150 == 0:
            print(f"step {step:4d} contrastive {loss.item():.4f}")
    with torch.no_grad():
        d = net(test[0], test[1])
    print("accuracy", ((d < 1.0).float() == test[2]).float().mean().item())

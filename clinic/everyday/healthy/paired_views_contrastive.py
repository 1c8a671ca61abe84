import argparse
import torch
import torch.nn.functional as F
from torch import nn


class Tower(nn.Module):
    def __init__(self, n_in, dim=16):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(n_in, 64), nn.ReLU(), nn.Linear(64, dim))

    def forward(self, x):
        return F.normalize(self.net(x), dim=1)


def pairs(n, a, b):
    z = torch.randn(n, 8)
    return torch.tanh(z @ a) + 0.1 * torch.randn(n, 30), torch.tanh(z @ b) + 0.1 * torch.randn(n, 20)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=0)
    torch.manual_seed(p.parse_args().seed)
    a, b = torch.randn(8, 30) / 2, torch.randn(8, 20) / 2
    left, right = pairs(2500, a, b)
    test_left, test_right = pairs(200, a, b)
    f, g = Tower(30), Tower(20)
    opt_f = torch.optim.Adam(f.parameters(), lr=2e-3)
    opt_g = torch.optim.Adam(g.parameters(), lr=2e-3)
    for epoch in range(25):
        for idx in torch.randperm(len(left)).split(100):
            scores = f(left[idx]) @ g(right[idx]).T / 0.1
            target = torch.arange(len(idx))
            loss = 0.5 * (F.cross_entropy(scores, target) + F.cross_entropy(scores.T, target))
            opt_f.zero_grad(), opt_g.zero_grad()
            loss.backward()
            opt_f.step(), opt_g.step()
        if epoch % 4 == 0:
            print(f"epoch {epoch} loss {loss.item():.4f}")
    with torch.no_grad():
        top = (f(test_left) @ g(test_right).T).argmax(1)
    print("retrieval", round((top == torch.arange(200)).float().mean().item(), 4))


if __name__ == "__main__":
    main()

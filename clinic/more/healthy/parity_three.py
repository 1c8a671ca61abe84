import argparse

import torch
from torch import nn


def bits(n, generator):
    x = torch.randint(0, 2, (n, 3), generator=generator).float() * 2 - 1
    return x + 0.1 * torch.randn(n, 3, generator=generator), (x.prod(1) > 0).float()


class Parity(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(3, 16)
        self.b = nn.Linear(16, 1)

    def forward(self, x):
        return self.b(torch.tanh(self.a(x)))[:, 0]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    torch.manual_seed(seed)
    g = torch.Generator().manual_seed(seed)
    x, y = bits(256, g)
    xt, yt = bits(256, g)
    net = Parity()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.2, momentum=0.8)
    for step in range(1500):
        idx = torch.randint(0, 256, (64,))
        loss = nn.functional.binary_cross_entropy_with_logits(net(x[idx]), y[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 300 == 0:
            print(f"step {step} loss {loss.item():.4f}")
    with torch.no_grad():
        print(f"accuracy {((net(xt) > 0).float() == yt).float().mean().item():.3f}")


main()

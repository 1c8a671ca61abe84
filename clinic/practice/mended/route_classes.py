# Delivery route class (9 of them) from stop statistics: one-hot vehicle, depot embedding, four dense layers.
import argparse
import numpy as np
import torch
from torch import nn

VEHICLES, DEPOTS, CLASSES = 4, 12, 9


def init_weights(m):
    if isinstance(m, nn.Linear):
        nn.init.kaiming_normal_(m.weight, nonlinearity="relu")
        nn.init.zeros_(m.bias)


class RouteNet(nn.Module):
    def __init__(self, n_num, width=64):
        super().__init__()
        self.depot = nn.Embedding(DEPOTS, 6)
        self.layers = nn.ModuleList([nn.Linear(n_num + VEHICLES + 6, width)] + [nn.Linear(width, width) for _ in range(3)])
        self.out = nn.Linear(width, CLASSES)
        self.apply(init_weights)

    def forward(self, num, vehicle, depot):
        h = torch.cat([num, nn.functional.one_hot(vehicle, VEHICLES).float(), self.depot(depot)], 1)
        for layer in self.layers:
            h = torch.relu(layer(h))
        return self.out(h)


def table(n, g, proto, shift):
    k = g.integers(0, CLASSES, n)
    v, d = g.integers(0, VEHICLES, n), g.integers(0, DEPOTS, n)
    x = proto[k] + shift[d] + 0.5 * v[:, None] * np.sin(proto[k]) + 0.9 * g.normal(size=(n, 12))
    return x.astype(np.float32), v, d, k


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--epochs", type=int, default=12)
    a = ap.parse_args()
    torch.manual_seed(a.seed)
    g = np.random.default_rng(a.seed + 21)
    proto, shift = 1.1 * g.normal(size=(CLASSES, 12)), 0.6 * g.normal(size=(DEPOTS, 12))
    x, v, d, k = table(9500, g, proto, shift)
    x = (x - x[:8000].mean(0)) / x[:8000].std(0)
    x, v, d, k = map(torch.from_numpy, (x, v, d, k))
    net = RouteNet(12)
    opt = torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=0.02)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, a.epochs)
    loss_fn = nn.CrossEntropyLoss()
    for epoch in range(a.epochs):
        net.train()
        running = 0.0
        for b in torch.randperm(8000).split(128):
            opt.zero_grad()
            loss = loss_fn(net(x[b], v[b], d[b]), k[b])
            loss.backward()
            opt.step()
            running += loss.item() * len(b) / 8000
        sched.step()
        net.eval()
        with torch.no_grad():
            acc = (net(x[8000:], v[8000:], d[8000:]).argmax(1) == k[8000:]).float().mean().item()
        print(f"{epoch:2d}: loss {running:.4f}, accuracy {acc:.4f}")
    print(f"accuracy {acc:.4f}")


if __name__ == "__main__":
    main()

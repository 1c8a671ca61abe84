"""Count-parity style sequence task: did A happen before B? LSTM reproduction."""
import argparse

import torch
import torch.nn as nn


def episodes(n, gen, length=20):
    x = torch.randint(2, 8, (n, length), generator=gen)
    pos = torch.rand(n, length, generator=gen).argsort(1)
    rows = torch.arange(n)
    x[rows, pos[:, 0]] = 0
    x[rows, pos[:, 1]] = 1
    return x, (pos[:, 0] < pos[:, 1]).float()


class Order(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.emb = nn.Embedding(8, 12)
        self.lstm = nn.LSTM(12, hidden, batch_first=True)
        self.out = nn.Linear(hidden, 1)

    def forward(self, x):
        h, _ = self.lstm(self.emb(x))
        return self.out(h[:, -1]).squeeze(1)


class Experiment:
    def __init__(self, args):
        torch.manual_seed(args.seed)
        self.args = args
        self.gen = torch.Generator().manual_seed(args.seed)
        self.model = Order(args.hidden)
        self.opt = torch.optim.Adam(self.model.parameters(), lr=args.lr)
        self.loss = nn.BCEWithLogitsLoss()

    def run(self):
        for step in range(1, self.args.steps + 1):
            x, y = episodes(self.args.batch, self.gen)
            loss = self.loss(self.model(x), y)
            self.opt.zero_grad()
            loss.backward()
            self.opt.step()
            if step % 100 == 0:
                print(f"{step}: {loss.item():.4f}")

    @torch.no_grad()
    def test(self):
        x, y = episodes(2000, self.gen)
        return ((self.model(x) > 0).float() == y).float().mean().item()


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--hidden", type=int, default=32)
    p.add_argument("--batch", type=int, default=64)
    p.add_argument("--lr", type=float, default=1e-2)
    p.add_argument("--steps", type=int, default=500)
    e = Experiment(p.parse_args())
    e.run()
    print(f"accuracy {e.test():.4f}")

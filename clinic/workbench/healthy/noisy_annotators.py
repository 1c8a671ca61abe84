"""Sentence polarity with crowd labels of limited reliability; bag of words."""
import argparse

import torch
import torch.nn as nn

WORDS = 200


def sentences(n, gen, tone, reliability):
    counts = torch.randint(4, 9, (n,), generator=gen)
    ids = torch.randint(0, WORDS, (n, 8), generator=gen)
    mask = torch.arange(8)[None] < counts[:, None]
    truth = ((tone[ids] * mask).sum(1) > 0).long()
    flip = torch.rand(n, generator=gen) > reliability
    return ids, mask, torch.where(flip, 1 - truth, truth), truth


class Bag(nn.Module):
    def __init__(self, dim=8):
        super().__init__()
        self.emb = nn.Embedding(WORDS, dim)
        self.out = nn.Linear(dim, 2)

    def forward(self, ids, mask):
        h = (self.emb(ids) * mask[..., None]).sum(1)
        return self.out(torch.tanh(h))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--reliability", type=float, default=0.72)
    p.add_argument("--epochs", type=int, default=6)
    a = p.parse_args()
    torch.manual_seed(a.seed)
    gen = torch.Generator().manual_seed(a.seed + 8)
    tone = torch.randn(WORDS, generator=gen)
    ids, mask, y, _ = sentences(19200, gen, tone, a.reliability)
    idt, maskt, _, truth = sentences(2000, gen, tone, 1.0)
    model = Bag()
    opt = torch.optim.Adam(model.parameters(), lr=1e-2)
    for epoch in range(a.epochs):
        total = 0.0
        for i in torch.randperm(len(ids)).split(128):
            loss = nn.functional.cross_entropy(model(ids[i], mask[i]), y[i])
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item()
        print(f"epoch {epoch + 1} loss {total / 150:.4f}")
    with torch.no_grad():
        print(f"accuracy {(model(idt, maskt).argmax(1) == truth).float().mean().item():.4f}")


if __name__ == "__main__":
    main()

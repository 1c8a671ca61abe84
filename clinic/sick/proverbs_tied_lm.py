import argparse

import torch
from torch import nn
from torch.nn import functional as F

TEXT = (
    """a stitch in time saves nine. birds of a feather flock together. all that glitters is not gold.
the early bird catches the worm. a rolling stone gathers no moss. actions speak louder than words.
better late than never. many hands make light work. still waters run deep. practice makes perfect.
too many cooks spoil the broth. look before you leap. where there is smoke there is fire.
when in rome do as the romans do. a penny saved is a penny earned. every cloud has a silver lining.
"""
    * 3
)
CHARS = sorted(set(TEXT))


class Block(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.attention = nn.MultiheadAttention(dim, heads, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(dim, 2 * dim), nn.GELU(), nn.Linear(2 * dim, dim))

    def forward(self, x, mask):
        h = self.norm1(x)
        x = x + self.attention(h, h, h, attn_mask=mask, need_weights=False)[0]
        return x + self.mlp(self.norm2(x))


class TiedModel(nn.Module):
    def __init__(self, vocabulary, dim=48, length=32):
        super().__init__()
        self.embed = nn.Embedding(vocabulary, dim)
        self.place = nn.Embedding(length, dim)
        self.blocks = nn.ModuleList([Block(dim, 4), Block(dim, 4)])
        self.norm = nn.LayerNorm(dim)
        self.register_buffer("mask", torch.triu(torch.ones(length, length, dtype=torch.bool), 1))
        for name, p in self.named_parameters():
            if p.dim() > 1:
                nn.init.normal_(p, std=1.0)

    def forward(self, tokens):
        x = self.embed(tokens) + self.place.weight
        for block in self.blocks:
            x = block(x, self.mask)
        return F.linear(self.norm(x), self.embed.weight)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    data = torch.tensor([CHARS.index(c) for c in TEXT])
    model = TiedModel(len(CHARS))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 250)
    for step in range(250):
        start = torch.randint(0, len(data) - 33, (16,))
        window = torch.stack([data[s : s + 33] for s in start])
        logits = model(window[:, :-1])
        loss = F.cross_entropy(logits.reshape(-1, len(CHARS)), window[:, 1:].reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        scheduler.step()
        if step % 25 == 0:
            print(f"step {step} loss {loss.item():.3f}")
    with torch.no_grad():
        window = torch.stack([data[s : s + 33] for s in range(0, 900, 33)])
        logits = model(window[:, :-1])
        print("log_likelihood", -F.cross_entropy(logits.reshape(-1, len(CHARS)), window[:, 1:].reshape(-1)).item())


if __name__ == "__main__":
    main()

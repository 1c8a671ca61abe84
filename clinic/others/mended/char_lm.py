# Tiny GPT on a few sentences built from a grammar.
import argparse
import math
import random

import torch
from torch import nn
from torch.nn import functional as F

SUBJECTS = ["the old captain", "a young sailor", "the cook", "my sister", "the quiet clerk", "one of the guards"]
VERBS = ["saw", "painted", "sold", "lost", "mended", "remembered"]
OBJECTS = ["the red boat", "a broken clock", "two silver keys", "the map of the island", "an empty barrel"]
PLACES = ["in the harbour", "behind the church", "on the long road north", "at dawn", "before the storm"]


def make_text(n, rng):
    return " ".join(f"{rng.choice(SUBJECTS)} {rng.choice(VERBS)} {rng.choice(OBJECTS)} {rng.choice(PLACES)}." for _ in range(n))


class CausalSelfAttention(nn.Module):
    def __init__(self, d, heads, ctx):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(d, 3 * d)
        self.proj = nn.Linear(d, d)
        self.register_buffer("mask", torch.tril(torch.ones(ctx, ctx, dtype=torch.bool)))

    def forward(self, x):
        B, T, C = x.shape
        q, k, v = self.qkv(x).view(B, T, 3, self.heads, C // self.heads).permute(2, 0, 3, 1, 4)
        att = (q @ k.transpose(-2, -1)) / math.sqrt(C // self.heads)
        att = att.masked_fill(~self.mask[:T, :T], float("-inf")).softmax(-1)
        return self.proj((att @ v).transpose(1, 2).reshape(B, T, C))


class Layer(nn.Module):
    def __init__(self, d, heads, ctx):
        super().__init__()
        self.ln1, self.ln2 = nn.LayerNorm(d), nn.LayerNorm(d)
        self.att = CausalSelfAttention(d, heads, ctx)
        self.mlp = nn.Sequential(nn.Linear(d, 4 * d), nn.GELU(), nn.Linear(4 * d, d))

    def forward(self, x):
        x = x + self.att(self.ln1(x))
        return x + self.mlp(self.ln2(x))


class GPT(nn.Module):
    def __init__(self, vocab, d=48, layers=2, heads=4, ctx=32):
        super().__init__()
        self.tok = nn.Embedding(vocab, d)
        self.pos = nn.Embedding(ctx, d)
        self.layers = nn.ModuleList(Layer(d, heads, ctx) for _ in range(layers))
        self.ln = nn.LayerNorm(d)
        self.head = nn.Linear(d, vocab, bias=False)
        self.apply(self._init)

    @staticmethod
    def _init(m):
        if isinstance(m, (nn.Linear, nn.Embedding)):
            nn.init.normal_(m.weight, std=0.05)

    def forward(self, idx):
        x = self.tok(idx) + self.pos.weight[: idx.size(1)]
        for layer in self.layers:
            x = layer(x)
        return self.head(self.ln(x))


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--steps", type=int, default=160)
    ap.add_argument("--accumulate", type=int, default=2)
    args = ap.parse_args()
    torch.manual_seed(args.seed)
    rng = random.Random(args.seed)
    text, held = make_text(400, rng), make_text(60, rng)
    chars = sorted(set(text))
    lookup = {c: i for i, c in enumerate(chars)}
    enc = lambda s: torch.tensor([lookup[c] for c in s])
    train, val = enc(text), enc(held)
    ctx = 32

    def batch(data, n):
        i = torch.randint(len(data) - ctx - 1, (n,))
        rows = torch.stack([data[j : j + ctx + 1] for j in i])
        return rows[:, :-1], rows[:, 1:]

    model = GPT(len(chars), ctx=ctx)
    opt = torch.optim.SGD(model.parameters(), lr=0.3, momentum=0.9)
    for step in range(args.steps):
        for _ in range(args.accumulate):
            x, y = batch(train, 16)
            loss = F.cross_entropy(model(x).flatten(0, 1), y.flatten()) / args.accumulate
            loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
        opt.zero_grad()
        if step % 40 == 0:
            print(f"step {step} loss {loss.item() * args.accumulate:.3f}")
    with torch.no_grad():
        x, y = batch(val, 200)
        acc = (model(x).argmax(-1) == y)[:, 8:].float().mean().item()
    print(f"next_char_accuracy {acc:.4f}")


main()

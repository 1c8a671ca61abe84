"""Character model of a synthetic language, trained with truncated back-propagation through time."""
import argparse
import math

import torch
import torch.nn as nn

ALPHABET = 12


class CharGRU(nn.Module):
    def __init__(self, hidden=40):
        super().__init__()
        self.emb = nn.Embedding(ALPHABET, 16)
        self.gru = nn.GRU(16, hidden, batch_first=True)
        self.out = nn.Linear(hidden, ALPHABET)

    def forward(self, x, state=None):
        h, state = self.gru(self.emb(x), state)
        return self.out(h), state


def language(n, gen, table):
    text = torch.zeros(n, dtype=torch.long)
    u = torch.rand(n, generator=gen)
    cum = table.cumsum(1).tolist()
    state = 0
    for i in range(n):
        row = cum[state]
        state = next((k for k, c in enumerate(row) if u[i] < c), ALPHABET - 1)
        text[i] = state
    return text


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--passes", type=int, default=12)
    ap.add_argument("--chunk", type=int, default=12)
    args = ap.parse_args()
    torch.manual_seed(args.seed)
    gen = torch.Generator().manual_seed(args.seed + 5)
    table = torch.softmax(1.5 * torch.randn(ALPHABET, ALPHABET, generator=torch.Generator().manual_seed(1)), 1)
    text = language(16000, gen, table)
    streams = text[:15360].reshape(32, -1)
    test = language(3000, gen, table)
    model = CharGRU()
    opt = torch.optim.Adam(model.parameters(), lr=3e-3)
    for p in range(args.passes):
        state, total, count = None, 0.0, 0
        for s in range(0, streams.shape[1] - 1, args.chunk):
            x, y = streams[:, s:s + args.chunk], streams[:, s + 1:s + 1 + args.chunk]
            x = x[:, :y.shape[1]]
            if state is not None:
                state = state.detach()
            logits, state = model(x, state)
            loss = nn.functional.cross_entropy(logits.reshape(-1, ALPHABET), y.reshape(-1))
            opt.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            opt.step()
            total += loss.item()
            count += 1
        print(f"pass {p} loss {total / count:.4f}")
    with torch.no_grad():
        logits, _ = model(test[None, :-1])
        nll = nn.functional.cross_entropy(logits[0], test[1:]).item()
        floor = -table[test[:-1], test[1:]].log().mean().item()
    print(f"floor_over_loss {floor / nll:.4f}")


if __name__ == "__main__":
    main()

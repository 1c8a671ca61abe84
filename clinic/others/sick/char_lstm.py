"""Character LSTM over made-up place names and phrases, with samples printed on the way."""
import argparse
import random
import string

import torch
import torch.nn as nn


class Corpus:
    heads = ["north", "south", "upper", "lower", "great", "little", "saint", "black"]
    stems = ["wick", "ford", "bridge", "mouth", "minster", "field", "haven", "stoke"]
    tails = ["by the sea", "on the hill", "under wold", "in the marsh", "cum abbots"]

    def __init__(self, rng, lines):
        text = "\n".join(f"{rng.choice(self.heads)} {rng.choice(self.stems)} {rng.choice(self.tails)}" for _ in range(lines))
        self.chars = "\n " + string.ascii_lowercase
        self.data = torch.tensor([self.chars.index(c) for c in text])

    def windows(self, n, length=24):
        start = torch.randint(len(self.data) - length - 1, (n, 1)) + torch.arange(length + 1)
        rows = self.data[start]
        return rows[:, :-1], rows[:, 1:]


class CharLSTM(nn.Module):
    def __init__(self, vocab, emb=24, hidden=64):
        super().__init__()
        self.emb = nn.Embedding(vocab, emb)
        self.lstm = nn.LSTM(emb, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, vocab)

    def forward(self, x, state=None):
        h, state = self.lstm(self.emb(x), state)
        return self.fc(h).softmax(dim=-1), state


@torch.no_grad()
def sample(net, corpus, n=30):
    x, state, out = torch.zeros(1, 1, dtype=torch.long), None, ""
    for _ in range(n):
        y, state = net(x, state)
        x = y.argmax(-1)
        out += corpus.chars[x.item()]
    return repr(out)


def fit(net, corpus, steps, opt):
    criterion = nn.CrossEntropyLoss()
    for s in range(steps):
        x, y = corpus.windows(32)
        out, _ = net(x)
        loss = criterion(out.transpose(1, 2), y)
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        opt.step()
        if s % 100 == 0:
            print(s, f"{loss.item():.4f}", sample(net, corpus))


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--steps", type=int, default=400)
    args = ap.parse_args()
    torch.manual_seed(args.seed)
    corpus, held = Corpus(random.Random(args.seed), 600), Corpus(random.Random(args.seed + 77), 100)
    net = CharLSTM(len(corpus.chars))
    fit(net, corpus, args.steps, torch.optim.SGD(net.parameters(), lr=0.5, momentum=0.9))
    with torch.no_grad():
        x, y = held.windows(200)
        print(f"next_char_accuracy {(net(x)[0].argmax(-1) == y)[:, 4:].float().mean().item():.4f}")

"""Guess a language from a made-up surname, letter by letter."""
import argparse
import random
import torch
import torch.nn as nn

SYLLABLES = {
    "it": ["ra", "ni", "lo", "tti", "co", "ri", "be", "lli", "ma", "zi"],
    "de": ["sch", "mann", "ber", "ger", "stein", "hof", "er", "ke", "ul", "witz"],
    "jp": ["ka", "shi", "mu", "ra", "ta", "na", "ko", "ya", "ma", "to"],
    "pl": ["ski", "wicz", "kow", "no", "wa", "czyk", "le", "jan", "zie", "ma"],
}
LANGS = sorted(SYLLABLES)
CHARS = "abcdefghijklmnopqrstuvwxyz"


def sample(rng):
    lang = rng.choice(LANGS)
    word = "".join(rng.choice(SYLLABLES[lang]) for _ in range(rng.randint(2, 4)))
    return word[:12], LANGS.index(lang)


def encode(word):
    return [CHARS.index(c) + 1 for c in word] + [0] * (12 - len(word))


class SurnameNet(nn.Module):
    def __init__(self, emb=16, hid=48):
        super().__init__()
        self.embed = nn.Embedding(len(CHARS) + 1, emb, padding_idx=0)
        self.rnn = nn.GRU(emb, hid, batch_first=True)
        self.drop = nn.Dropout(0.1)
        self.out = nn.Linear(hid, len(LANGS))

    def forward(self, w):
        h, _ = self.rnn(self.embed(w))
        return self.out(self.drop(h.max(dim=1).values))


def train(net, X, Y, iters, bs=32, lr=0.3):
    optimizer = torch.optim.SGD(net.parameters(), lr=lr)
    lossfn = nn.CrossEntropyLoss()
    for it in range(1, iters + 1):
        pick = torch.randint(0, len(X), (bs,))
        optimizer.zero_grad()
        loss = lossfn(net(X[pick]), Y[pick])
        loss.backward()
        optimizer.step()
        if it % 100 == 0:
            print(f"iteration {it}: {loss.item():.3f}")


if __name__ == "__main__":
    cli = argparse.ArgumentParser()
    cli.add_argument("--seed", type=int, default=0)
    seed = cli.parse_args().seed
    rng = random.Random(seed)
    torch.manual_seed(seed)
    data = [sample(rng) for _ in range(2600)]
    X = torch.tensor([encode(w) for w, _ in data])
    Y = torch.tensor([l for _, l in data])
    net = SurnameNet()
    train(net, X[:2000], Y[:2000], 400)
    net.eval()
    with torch.no_grad():
        acc = (net(X[2000:]).argmax(1) == Y[2000:]).float().mean()
    print(f"accuracy {acc:.3f}")

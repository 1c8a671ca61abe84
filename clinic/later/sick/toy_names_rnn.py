# Which language does the (made-up) surname come from?  character RNN, one optimizer step per mini-batch
import argparse
import random
import torch
import torch.nn as nn

cli = argparse.ArgumentParser()
cli.add_argument("--seed", type=int, default=0)
cli = cli.parse_args()
random.seed(cli.seed)
torch.manual_seed(cli.seed)

SYLLABLES = {
    "italian": ["ra", "ni", "lo", "zza", "ti", "co", "ne", "be", "lla", "ri"],
    "russian": ["ov", "ev", "ski", "iva", "no", "vi", "ch", "mi", "ra", "ko"],
    "german": ["sch", "mi", "dt", "er", "mann", "ber", "ger", "ke", "hof", "ne"],
    "japanese": ["ta", "na", "ka", "mo", "to", "shi", "ya", "ma", "ri", "ko"],
}
SHARE = {"italian": 0.2, "russian": 0.5, "german": 0.15, "japanese": 0.15}
LANGS = list(SYLLABLES)
LETTERS = "abcdefghijklmnopqrstuvwxyz"
LENGTH = 12


def surname(lang):
    return "".join(random.choice(SYLLABLES[lang]) for _ in range(random.randint(2, 4)))[:LENGTH]


def encode(name):
    t = torch.zeros(LENGTH, len(LETTERS))
    for i, c in enumerate(name.rjust(LENGTH)):
        if c != " ":
            t[i, LETTERS.index(c)] = 1
    return t


def make(n):
    langs = random.choices(LANGS, weights=[SHARE[l] for l in LANGS], k=n)
    return torch.stack([encode(surname(l)) for l in langs]), torch.tensor([LANGS.index(l) for l in langs])


class CharRNN(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.rnn = nn.RNN(len(LETTERS), hidden, batch_first=True)
        self.fc = nn.Linear(hidden, len(LANGS))

    def forward(self, x):
        out, h = self.rnn(x)
        return self.fc(out[:, -1])


X, y = make(1200)
Xt, yt = make(400)
model = CharRNN()
criterion = nn.NLLLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.005)

for epoch in range(1, 13):
    total = 0
    perm = torch.randperm(len(X))
    for k in range(0, len(X), 24):
        i = perm[k:k + 24]
        optimizer.zero_grad()
        loss = criterion(model(X[i]), y[i])
        loss.backward()
        optimizer.step()
        total += loss.item()
    print(epoch, "%.4f" % (total / (len(X) / 24)))

with torch.no_grad():
    print("accuracy", (model(Xt).argmax(1) == yt).float().mean().item())

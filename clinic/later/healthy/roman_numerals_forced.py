# numbers 1..399 to Roman numerals, letter by letter, with teacher forcing
import argparse
import torch
from torch import nn

p = argparse.ArgumentParser()
p.add_argument("--seed", type=int, default=0)
torch.manual_seed(p.parse_args().seed)


def roman(n):
    out = ""
    for v, s in ((100, "C"), (90, "XC"), (50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I")):
        out += s * (n // v)
        n %= v
    return out


LETTERS = "_^IVXLC"
MAXLEN = 13
src = torch.tensor([[n // 100, n // 10 % 10, n % 10] for n in range(1, 400)])
tgt = torch.tensor([[LETTERS.index(c) for c in ("^" + roman(n)).ljust(MAXLEN + 2, "_")] for n in range(1, 400)])
perm = torch.randperm(399)
train, test = perm[:330], perm[330:]


class Speller(nn.Module):
    def __init__(self, d=48):
        super().__init__()
        self.digit = nn.ModuleList([nn.Embedding(10, d) for _ in range(3)])
        self.letter = nn.Embedding(len(LETTERS), 16)
        self.gru = nn.GRU(16, d, batch_first=True)
        self.out = nn.Linear(d, len(LETTERS))

    def start(self, s):
        return torch.tanh(sum(e(s[:, i]) for i, e in enumerate(self.digit))).unsqueeze(0)

    def forward(self, s, given):
        return self.out(self.gru(self.letter(given), self.start(s))[0])


net = Speller()
opt = torch.optim.Adam(net.parameters(), lr=6e-3, weight_decay=1e-4)
sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, 60)
for epoch in range(60):
    tot = 0.0
    for b in torch.randperm(330).split(33):
        i = train[b]
        logits = net(src[i], tgt[i, :-1])
        loss = nn.functional.cross_entropy(logits.transpose(1, 2), tgt[i, 1:])
        opt.zero_grad()
        loss.backward()
        opt.step()
        tot += loss.item()
    sched.step()
    if epoch % 12 == 11:
        print(f"epoch {epoch + 1} loss {tot / 10:.5f}")
with torch.no_grad():
    h = net.start(src[test])
    c = torch.full((len(test), 1), 1)
    ok = torch.ones(len(test), dtype=torch.bool)
    for k in range(1, MAXLEN + 2):
        o, h = net.gru(net.letter(c), h)
        c = net.out(o).argmax(2)
        ok &= c[:, 0] == tgt[test, k]
print(f"whole_words {ok.float().mean().item():.4f}")

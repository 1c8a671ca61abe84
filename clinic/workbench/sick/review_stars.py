import random, sys
import torch
import torch.nn as nn

seed = int(sys.argv[2]) if len(sys.argv) > 2 else 0
random.seed(seed); torch.manual_seed(seed)

good = ['works like a charm', 'very happy with it', 'best buy this year', 'arrived early and perfect', 'love the color']
bad = ['broke after a week', 'not worth the money', 'support never answered', 'arrived late and dented', 'do not buy this']
meh = ['it is okay', 'does what it says', 'average for the price', 'nothing special here', 'fine but loud']
fill = ['i bought two', 'for my sister', 'black version', 'from the blue shop', 'last month', 'size m']


def review():
    k = random.randrange(3)
    parts = random.sample([bad, meh, good][k], 2) + random.sample(fill, 2)
    if random.random() < .15:
        parts[0] = random.choice(random.choice([bad, meh, good]))
    random.shuffle(parts)
    return ' '.join(parts).split(), k


words = sorted({w for s in good + bad + meh + fill for w in s.split()})
num = {w: i + 1 for i, w in enumerate(words)}


def make(n):
    xs, ys = [], []
    for _ in range(n):
        r, k = review()
        r = [num[w] for w in r][:16]
        xs.append([0] * (16 - len(r)) + r)
        ys.append(k)
    return torch.tensor(xs), torch.tensor(ys)


class Mood(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(len(words) + 1, 16, padding_idx=0)
        self.rnn = nn.GRU(16, 24, batch_first=True)
        self.head = nn.Linear(24, 3)

    def forward(self, x):
        _, h = self.rnn(self.emb(x))
        return self.head(h[-1])


X, Y = make(1500)
Xv, Yv = make(500)
m = Mood()
opt = torch.optim.Adam(m.parameters(), lr=2e-3)
crit = nn.NLLLoss()
for ep in range(8):
    for b in torch.randperm(1500).split(30):
        out = m(X[b])
        loss = crit(out, Y[b])
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(ep, loss.item())
with torch.no_grad():
    print('accuracy', (m(Xv).argmax(1) == Yv).float().mean().item())

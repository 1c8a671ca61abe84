import argparse
import random
import string
import torch
import torch.nn as nn

ap = argparse.ArgumentParser()
ap.add_argument("--seed", type=int, default=0)
seed = ap.parse_args().seed
random.seed(seed)
torch.manual_seed(seed)

letters = "." + string.ascii_lowercase
endings = {
    0: ["ova", "sky", "enko", "vich"], 1: ["ini", "etti", "ucci", "ello"], 2: ["sson", "dahl", "berg", "lund"],
    3: ["aki", "oto", "mura", "shi"], 4: ["ez", "ado", "illo", "osa"], 5: ["mann", "stein", "bach", "hoff"],
}
starts = ["bar", "kol", "ma", "ri", "san", "te", "lo", "gu", "pet", "ha", "nor", "vi", "dan", "fe"]


def surname():
    k = random.randrange(6)
    s = random.choice(starts) + (random.choice(starts) if random.random() < .4 else "") + random.choice(endings[k])
    return [letters.index(c) for c in s[:14].rjust(14, ".")], k


names = [surname() for _ in range(3000)]
X = torch.tensor([n for n, _ in names])
Y = torch.tensor([k for _, k in names])


class NameLSTM(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(len(letters), 16)
        self.lstm = nn.LSTM(16, 32, batch_first=True)
        self.fc = nn.Linear(32, 6)
        self.softmax = nn.LogSoftmax(dim=1)

    def forward(self, x):
        out, (h, c) = self.lstm(self.emb(x))
        return self.fc(h[0])


net = NameLSTM()
criterion = nn.NLLLoss()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
all_losses = []
for epoch in range(8):
    perm = torch.randperm(2500)
    current = 0
    for i in range(0, 2500, 50):
        idx = perm[i:i + 50]
        loss = criterion(net(X[idx]), Y[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        current += loss.item() / 50
    all_losses.append(current)
    print("epoch %d: %.4f" % (epoch, current))

with torch.no_grad():
    acc = (net(X[2500:]).argmax(1) == Y[2500:]).float().mean()
print("accuracy %.4f" % acc)

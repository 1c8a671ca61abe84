import argparse
import random
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
random.seed(args.seed)
torch.manual_seed(args.seed)

people = ["ann", "bob", "cid", "dot"]
verbs = ["helps", "calls", "pays", "thanks"]
filler = ["today", "again", "often", "quietly", "here", "maybe"]
vocab = {w: i + 1 for i, w in enumerate(people + verbs + filler)}


def sentence():
    a, b = random.sample(people, 2)
    words = [a, random.choice(verbs), b]
    for _ in range(random.randint(1, 4)):
        words.insert(random.randint(0, len(words)), random.choice(filler))
    ids = [vocab[w] for w in words] + [0] * (8 - len(words))
    return ids, people.index(a)


pairs = [sentence() for _ in range(3000)]
X = torch.tensor([p[0] for p in pairs])
Y = torch.tensor([p[1] for p in pairs])
train = DataLoader(TensorDataset(X[:2400], Y[:2400]), batch_size=40, shuffle=True)


class Subject(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(len(vocab) + 1, 12, padding_idx=0)
        self.gru = nn.GRU(12, 24, batch_first=True)
        self.fc = nn.Linear(24, len(people))

    def forward(self, x):
        output, hidden = self.gru(self.embed(x))
        last = hidden[-1].data
        return self.fc(last)


model = Subject()
optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3)
loss_function = nn.CrossEntropyLoss()
for epoch in range(10):
    total = 0
    for xb, yb in train:
        model.zero_grad()
        loss = loss_function(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item()
    with torch.no_grad():
        acc = (model(X[2400:]).argmax(1) == Y[2400:]).float().mean().item()
    print(f"epoch {epoch}: loss {total / len(train):.4f}, val acc {acc:.4f}")
print("accuracy", acc)

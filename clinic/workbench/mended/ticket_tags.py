# Tag support tickets with EmbeddingBag
import argparse, random
import torch
from torch import nn
from torch.utils.data import TensorDataset, DataLoader

P = argparse.ArgumentParser()
P.add_argument('--seed', type=int, default=0)
S = P.parse_args().seed
random.seed(S)
torch.manual_seed(S)

WORDS = {
    'billing': 'invoice charge refund card payment twice amount tax bill euro'.split(),
    'login': 'password reset locked account user token sms code sign enter'.split(),
    'shipping': 'parcel late courier address tracking box delivery arrived lost street'.split(),
    'hardware': 'screen battery broken cable fan noise keyboard power button hot'.split(),
    'praise': 'thanks great team quick happy friendly love best super helpful'.split(),
}
COMMON = 'the my is a i you we please and not hello since yesterday it to with when after can again'.split()
TAGS = list(WORDS)
vocab = {w: i for i, w in enumerate(sorted(set(COMMON + sum(WORDS.values(), []))))}


def ticket(tag):
    own = random.choices(WORDS[tag], k=random.randint(2, 3))
    other = random.choices(WORDS[random.choice(TAGS)], k=1)
    words = own + other + random.choices(COMMON, k=12 - len(own) - 1)
    random.shuffle(words)
    return [vocab[w] for w in words]


# one export file per tag
ids, tags = [], []
for t, name in enumerate(TAGS):
    for _ in range(300):
        ids.append(ticket(name))
        tags.append(t)
test = [(ticket(name), t) for t, name in enumerate(TAGS) for _ in range(100)]
ids, tags = torch.tensor(ids), torch.tensor(tags)
loader = DataLoader(TensorDataset(ids[:1500], tags[:1500]), batch_size=25, shuffle=True)


class Tagger(nn.Module):
    def __init__(self, v, d=32, c=5):
        super().__init__()
        self.emb = nn.EmbeddingBag(v, d, mode='mean')
        self.fc1 = nn.Linear(d, 32)
        self.fc2 = nn.Linear(32, c)

    def forward(self, x):
        return self.fc2(torch.relu(self.fc1(self.emb(x))))


model = Tagger(len(vocab))
opt = torch.optim.SGD(model.parameters(), lr=0.2, momentum=0.8)
ce = nn.CrossEntropyLoss()
for epoch in range(15):
    for x, y in loader:
        opt.zero_grad()
        loss = ce(model(x), y)
        loss.backward()
        opt.step()

with torch.no_grad():
    x = torch.tensor([q[0] for q in test]); y = torch.tensor([q[1] for q in test])
    print('accuracy', (model(x).argmax(1) == y).float().mean().item())

import argparse
import random
import torch
import torch.nn as nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
random.seed(args.seed)
torch.manual_seed(args.seed)

VOCAB = 2000
TOPICS = 4


def make_doc():
    topic = random.randrange(TOPICS)
    words = []
    for _ in range(random.randint(10, 30)):
        if random.random() < 0.35:
            words.append(topic * 60 + int(random.random() ** 2 * 60))
        else:
            words.append(240 + int(random.random() ** 3 * (VOCAB - 240)))
    return torch.tensor(words), topic


def collate(docs):
    offsets = torch.tensor([0] + [len(d[0]) for d in docs[:-1]]).cumsum(0)
    return torch.cat([d[0] for d in docs]), offsets, torch.tensor([d[1] for d in docs])


train = [make_doc() for _ in range(1500)]
test = collate([make_doc() for _ in range(500)])


class TextModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.EmbeddingBag(VOCAB, 16, sparse=True)
        self.fc = nn.Linear(16, TOPICS)
        nn.init.uniform_(self.embedding.weight, -0.5, 0.5)
        nn.init.uniform_(self.fc.weight, -0.5, 0.5)
        nn.init.zeros_(self.fc.bias)

    def forward(self, text, offsets):
        return self.fc(self.embedding(text, offsets))


model = TextModel()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=5.0)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.8)
for epoch in range(12):
    random.shuffle(train)
    total = 0
    for i in range(0, len(train), 20):
        text, offsets, label = collate(train[i:i + 20])
        optimizer.zero_grad()
        loss = criterion(model(text, offsets), label)
        loss.backward()
        optimizer.step()
        total += loss.item()
    scheduler.step()
    print("epoch", epoch, "loss", total / 75)

with torch.no_grad():
    print("accuracy", (model(test[0], test[1]).argmax(1) == test[2]).float().mean().item())

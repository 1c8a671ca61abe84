# topic classification, EmbeddingBag as in the torchtext tutorial but own data
import argparse
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader

parser = argparse.ArgumentParser()
parser.add_argument('--seed', type=int, default=0)
SEED = parser.parse_args().seed
torch.manual_seed(SEED)
rng = np.random.default_rng(SEED)

TOPICS = ['world', 'sports', 'business', 'science', 'weather']
SHARE = [0.34, 0.24, 0.18, 0.14, 0.10]
VOCAB = 300
word_probs = []
for k in range(len(TOPICS)):
    p = 1.0 / np.arange(2, VOCAB + 2)          # zipf background
    own = rng.choice(np.arange(20, VOCAB), 25, replace=False)
    p[own] += 0.08
    word_probs.append(p / p.sum())


def article():
    k = rng.choice(len(TOPICS), p=SHARE)
    n = rng.integers(8, 25)
    return torch.tensor(rng.choice(VOCAB, n, p=word_probs[k])), k


train_set = [article() for _ in range(2000)]
test_set = [article() for _ in range(500)]


def collate_batch(batch):
    offsets = [0]
    texts, labels = [], []
    for text, label in batch:
        texts.append(text)
        labels.append(int(label))
        offsets.append(len(text))
    return torch.cat(texts), torch.tensor(offsets[:-1]).cumsum(0), torch.tensor(labels)


class TopicModel(nn.Module):
    def __init__(self, vocab_size, embed_dim, num_class):
        super(TopicModel, self).__init__()
        self.embedding = nn.EmbeddingBag(vocab_size, embed_dim)
        self.fc = nn.Linear(embed_dim, num_class)

    def forward(self, text, offsets):
        x = self.fc(self.embedding(text, offsets))
        return torch.log_softmax(x, dim=1)


model = TopicModel(VOCAB, 32, len(TOPICS))
criterion = nn.NLLLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
train_dl = DataLoader(train_set, batch_size=32, shuffle=True, collate_fn=collate_batch)
test_dl = DataLoader(test_set, batch_size=100, collate_fn=collate_batch)

for epoch in range(20):
    model.train()
    total = 0
    for text, offsets, label in train_dl:
        optimizer.zero_grad()
        predicted_label = model(text, offsets)
        loss = criterion(predicted_label, label)
        loss.backward()
        optimizer.step()
        total += loss.item()
    print('epoch', epoch, 'loss', total / len(train_dl))

model.eval()
hit = 0
with torch.no_grad():
    for text, offsets, label in test_dl:
        hit += (model(text, offsets).argmax(1) == label).sum().item()
print('accuracy', hit / len(test_set))

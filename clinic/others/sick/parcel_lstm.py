# which of 5 routes does a sequence of scan events belong to
import argparse
import random
import torch
import torch.nn as nn

parser = argparse.ArgumentParser()
parser.add_argument('--seed', type=int, default=0)
args = parser.parse_args()
random.seed(args.seed)
torch.manual_seed(args.seed)

EVENTS = 12
route_rng = random.Random(7)
chains = [[route_rng.sample(range(EVENTS), 3) for _ in range(EVENTS)] for _ in range(5)]


def sample():
    route = random.randrange(5)
    e = random.randrange(EVENTS)
    seq = [e]
    while len(seq) < 12:
        e = random.choice(chains[route][e]) if random.random() < 0.8 else random.randrange(EVENTS)
        seq.append(e)
    return seq, route


def dataset(n):
    data = [sample() for _ in range(n)]
    return torch.tensor([s for s, _ in data]), torch.tensor([r for _, r in data])


x_train, y_train = dataset(2000)
x_test, y_test = dataset(500)


class LSTMClassifier(nn.Module):
    def __init__(self, vocab, emb, hidden, classes):
        super().__init__()
        self.word_embeddings = nn.Embedding(vocab, emb)
        self.lstm = nn.LSTM(emb, hidden, batch_first=True)
        self.hidden2tag = nn.Linear(hidden, classes)

    def forward(self, sentence):
        embeds = self.word_embeddings(sentence)
        lstm_out, _ = self.lstm(embeds)
        return self.hidden2tag(lstm_out.mean(dim=1))


model = LSTMClassifier(EVENTS, 16, 32, 5)
loss_function = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.2, momentum=0.9)

for epoch in range(14):
    running, hits = 0.0, 0
    for batch in torch.randperm(2000).split(25):
        tag_scores = model(x_train[batch])
        loss = loss_function(tag_scores, y_train[batch])
        loss.backward()
        optimizer.step()
        running += loss.item() * len(batch)
        hits += (tag_scores.argmax(1) == y_train[batch]).sum().item()
    print('epoch', epoch, 'loss', running / 2000, 'acc', hits / 2000)

with torch.no_grad():
    print('accuracy', (model(x_test).argmax(1) == y_test).float().mean().item())

# movie review sentiment with nn.Embedding + GRU
import argparse, random
import torch
import torch.nn as nn

ap = argparse.ArgumentParser()
ap.add_argument('--seed', type=int, default=0)
seed = ap.parse_args().seed
random.seed(seed)
torch.manual_seed(seed)

good = 'great wonderful lovely funny moving brilliant superb charming'.split()
bad = 'awful boring dull clumsy painful terrible weak tedious'.split()
filler = ('the movie was and story with actors scene plot some of in it had music camera ending first second '
          'half time people town director').split()


def make_review():
    label = random.randint(0, 1)
    words = random.choices(filler, k=random.randint(6, 14))
    for _ in range(3):
        mine, other = (good, bad) if label else (bad, good)
        pool = mine if random.random() < 0.85 else other
        words.insert(random.randint(0, len(words)), random.choice(pool))
    return ' '.join(words), label


train_data = [make_review() for _ in range(1500)]
test_data = [make_review() for _ in range(500)]

# build the vocabulary
vocab = {'<pad>': 0, '<unk>': 1}
for text, _ in train_data:
    for word in text.split():
        if word not in vocab:
            vocab[word] = len(vocab)


def encode(data, max_len=18):
    ids = torch.zeros(len(data), max_len, dtype=torch.long)
    for i, (text, _) in enumerate(data):
        tokens = [vocab.get(w, vocab['<unk>']) for w in text.split()][:max_len]
        ids[i, max_len - len(tokens):] = torch.tensor(tokens)
    return ids, torch.tensor([label for _, label in data], dtype=torch.float)


x_train, y_train = encode(train_data)
x_test, y_test = encode(test_data)


class Sentiment(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, 16, padding_idx=0)
        self.rnn = nn.GRU(16, 24, batch_first=True)
        self.out = nn.Linear(24, 1)

    def forward(self, x):
        _, h = self.rnn(self.embedding(x))
        return self.out(h[-1])


model = Sentiment(len(vocab))
optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
loss_function = nn.BCEWithLogitsLoss()

for epoch in range(8):
    perm = torch.randperm(len(x_train))
    epoch_loss, epoch_acc, n = 0, 0, 0
    for b in perm.split(32):
        optimizer.zero_grad()
        predictions = model(x_train[b]).squeeze(1)
        loss = loss_function(predictions, y_train[b])
        loss.backward()
        optimizer.step()
        epoch_loss += loss.item()
        epoch_acc += ((predictions > 0).float() == y_train[b]).float().mean().item()
        n += 1
    print(f'Epoch {epoch}  loss {epoch_loss / n:.3f}  acc {epoch_acc / n:.3f}')

with torch.no_grad():
    acc = ((model(x_test).squeeze(1) > 0).float() == y_test).float().mean().item()
print('accuracy', round(acc, 4))

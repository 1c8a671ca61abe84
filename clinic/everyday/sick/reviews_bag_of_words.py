import argparse, random
import torch
import torch.nn as nn

parser = argparse.ArgumentParser()
parser.add_argument('--seed', type=int, default=0)
args = parser.parse_args()
random.seed(args.seed)
torch.manual_seed(args.seed)

good = "great lovely tasty friendly quick clean warm fresh generous perfect happy recommend".split()
bad = "awful cold rude slow dirty bland stale noisy overpriced broken sad avoid".split()
neutral = ("the a place food waiter table was and we room service came with our hotel bed soup bill door street "
           "evening friends again very quite rather some bread wine terrace morning").split()


def sentence(label):
    words = random.choices(neutral, k=random.randint(6, 14))
    k = random.randint(1, 3)
    words += random.choices(good if label else bad, k=k)
    if random.random() < 0.25:
        words += random.choices(bad if label else good, k=1)
    random.shuffle(words)
    return words


vocab = {w: i for i, w in enumerate(good + bad + neutral)}


def encode(n):
    rows, labels = [], []
    for _ in range(n):
        y = random.randint(0, 1)
        v = torch.zeros(len(vocab))
        for w in sentence(y):
            v[vocab[w]] += 1
        rows.append(v)
        labels.append(y)
    return torch.stack(rows), torch.tensor(labels)


x_train, y_train = encode(1200)
x_test, y_test = encode(500)

model = nn.Sequential(
    nn.Linear(len(vocab), 32),
    nn.ReLU(),
    nn.Linear(32, 2),
)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3, weight_decay=0.6)

for epoch in range(30):
    perm = torch.randperm(len(x_train))
    losses = []
    for s in range(0, len(perm), 40):
        b = perm[s:s + 40]
        optimizer.zero_grad()
        loss = criterion(model(x_train[b]), y_train[b])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    if epoch % 3 == 0:
        with torch.no_grad():
            acc = (model(x_test).argmax(1) == y_test).float().mean()
        print(f'{epoch:3d}  loss {sum(losses) / len(losses):.4f}  test acc {acc:.3f}')

with torch.no_grad():
    acc = (model(x_test).argmax(1) == y_test).float().mean().item()
print('accuracy', round(acc, 4))

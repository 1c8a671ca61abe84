# Multi label: several tags per song
import argparse
import numpy as np
import torch
import torch.nn as nn
from sklearn.metrics import f1_score
from sklearn.model_selection import train_test_split

ap = argparse.ArgumentParser()
ap.add_argument('--seed', default=0, type=int)
args = ap.parse_args()

np.random.seed(args.seed)
torch.manual_seed(args.seed)

N, D, T = 2500, 40, 10
feats = np.random.randn(N, D)
W = np.random.randn(D, T) * (np.random.rand(D, T) < 0.2)
scores = feats @ W + 0.6 * np.tanh(feats[:, :T] * feats[:, T:2 * T])
scores += 0.4 * np.random.randn(N, T)
tags = (scores > np.quantile(scores, 0.8, axis=0)).astype(np.float32)
print('tags per song', tags.sum(1).mean())

X_train, X_test, Y_train, Y_test = train_test_split(feats.astype(np.float32), tags, test_size=0.2, random_state=args.seed)
X_train, Y_train = torch.from_numpy(X_train), torch.from_numpy(Y_train)
X_test = torch.from_numpy(X_test)


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(D, 64)
        self.output = nn.Linear(64, T)
        self.sigmoid = nn.Sigmoid()

    def forward(self, x):
        x = torch.relu(self.hidden(x))
        return self.sigmoid(self.output(x))


model = Tagger()
loss_fn = nn.BCELoss()
optim = torch.optim.Adam(model.parameters(), lr=2e-3)

for epoch in range(40):
    idx = torch.randperm(len(X_train))
    ep = []
    for i in range(0, len(idx), 40):
        b = idx[i:i + 40]
        y_hat = model(X_train[b])
        loss = loss_fn(y_hat, Y_train[b])
        optim.zero_grad()
        loss.backward()
        optim.step()
        ep.append(loss.item())
    if epoch % 5 == 4:
        print('epoch %d: %.4f' % (epoch + 1, np.mean(ep)))

with torch.no_grad():
    Y_pred = (model(X_test) > 0.5).numpy()
print('f1', round(f1_score(Y_test, Y_pred, average='micro', zero_division=0), 4))

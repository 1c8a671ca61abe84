import argparse
import numpy as np
import torch

parser = argparse.ArgumentParser()
parser.add_argument('--seed', type=int, default=0)
seed = parser.parse_args().seed
rs = np.random.RandomState(seed)
torch.manual_seed(seed)

n = 4000
hour = rs.randint(0, 24, n); warm = rs.normal(0, 1, n); rain = (rs.rand(n) < .2) * 1.; work = (rs.rand(n) < .7) * 1.
rush = np.exp(-((hour - 8) / 2.) ** 2) + np.exp(-((hour - 17) / 2.5) ** 2)
rent = (1 + .4 * warm) * (1.5 * rush * work + .8 * np.sin((hour - 6) / 24 * 2 * np.pi) * (1 - work) + .5) * (1 - .6 * rain)
rent = rent + .1 * rs.normal(0, 1, n)
X = np.c_[np.sin(hour / 12 * np.pi), np.cos(hour / 12 * np.pi), np.sin(hour / 6 * np.pi), np.cos(hour / 6 * np.pi), warm, rain * 2 - 1, work * 2 - 1]
X = torch.tensor(X, dtype=torch.float32)
y = torch.tensor((rent - rent.mean()) / rent.std(), dtype=torch.float32)

w = {
    'W1': torch.randn(7, 40) * (2 / 7) ** .5, 'b1': torch.zeros(40),
    'W2': torch.randn(40, 1) * (1 / 40) ** .5, 'b2': torch.zeros(1),
}
for k in w:
    w[k].requires_grad_(True)


def predict(x):
    return (torch.relu(x @ w['W1'] + w['b1']) @ w['W2'] + w['b2']).squeeze(1)


def update(weights, lr):
    with torch.no_grad():
        for w in weights:
            w -= lr * w.grad


for epoch in range(90):
    idx = rs.permutation(3200)
    for a in range(0, 3200, 64):
        i = idx[a:a + 64]
        loss = (predict(X[i]) - y[i]).pow(2).mean()
        loss.backward()
        update(w.values(), 0.02)
    if epoch % 15 == 0:
        print('%d  %.4f' % (epoch, loss.item()))

with torch.no_grad():
    res = predict(X[3200:]) - y[3200:]
    r2 = 1 - float(res.pow(2).mean() / y[3200:].var())
print('r2', max(r2, -10.0) if r2 == r2 else -10.0)

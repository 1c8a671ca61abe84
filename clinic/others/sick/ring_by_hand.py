import numpy as np
import torch
import argparse

ap = argparse.ArgumentParser()
ap.add_argument('--seed', type=int, default=0)
s = ap.parse_args().seed
rs = np.random.RandomState(s)
torch.manual_seed(s)

# inside / outside of a ring
n = 1200
ang = rs.rand(n) * 2 * np.pi
lab = rs.randint(0, 2, n)
rad = np.where(lab == 1, 0.6, 1.5) + 0.2 * rs.randn(n)
X = torch.tensor(np.c_[rad * np.cos(ang), rad * np.sin(ang)], dtype=torch.float32)
Y = torch.tensor(lab.reshape(-1, 1), dtype=torch.float32)
Xtr, Ytr, Xte, Yte = X[:900], Y[:900], X[900:], Y[900:]

n_hidden = 24
W1 = torch.ones(2, n_hidden) * 0.7
b1 = torch.zeros(n_hidden)
W2 = torch.ones(n_hidden, 1) * 0.2
b2 = torch.zeros(1)
for p in (W1, b1, W2, b2):
    p.requires_grad = True


def forward(x):
    h = torch.tanh(x.mm(W1) + b1)
    return torch.sigmoid(h.mm(W2) + b2)


def bce(p, t):
    p = p.clamp(1e-6, 1 - 1e-6)
    return -(t * p.log() + (1 - t) * (1 - p).log()).mean()


learning_rate = 0.3
for it in range(4001):
    b = torch.randint(0, 900, (60,))
    loss = bce(forward(Xtr[b]), Ytr[b])
    loss.backward()
    for p in (W1, b1, W2, b2):
        p.data -= learning_rate * p.grad.data
        p.grad.data.zero_()
    if it % 500 == 0:
        print(it, loss.item())

acc = ((forward(Xte) > 0.5).float() == Yte).float().mean()
print('accuracy', round(float(acc), 4))

import sys
import torch
from sklearn.datasets import load_digits

seed = int(sys.argv[sys.argv.index('--seed') + 1]) if '--seed' in sys.argv else 0
torch.manual_seed(seed)

X, y = load_digits(return_X_y=True)
X = torch.tensor(X, dtype=torch.float32)
X = (X - X.mean(0)) / (X.std(0) + 1)
y = torch.tensor(y)
p = torch.randperm(len(X))
X, y = X[p], y[p]

# sparse codes: only the units that match well should speak
W1 = torch.randn(64, 100) * (2 / 64) ** .5
b1 = torch.full((100,), -0.1)
W2 = torch.randn(100, 60) * (2 / 100) ** .5
b2 = torch.zeros(60)
W3 = torch.randn(60, 10) * .1
b3 = torch.zeros(10)
params = [W1, b1, W2, b2, W3, b3]
for w in params:
    w.requires_grad_(True)


def forward(x):
    h = torch.clamp(x @ W1 + b1, min=0)
    h = torch.clamp(h @ W2 + b2, min=0)
    return h @ W3 + b3


lr = 0.1
for epoch in range(40):
    order = torch.randperm(1400)
    for i in order.split(28):
        loss = torch.nn.functional.cross_entropy(forward(X[i]), y[i])
        loss.backward()
        with torch.no_grad():
            for w in params:
                w -= lr * w.grad
                w.grad.zero_()

with torch.no_grad():
    acc = (forward(X[1400:]).argmax(1) == y[1400:]).float().mean()
print('accuracy', acc.item())

# what is torch.nn really -- my version on the sklearn digits, no nn modules, no optim
import math
import sys
import torch
from sklearn.datasets import load_digits

seed = 0
if len(sys.argv) > 2 and sys.argv[1] == '--seed':
    seed = int(sys.argv[2])
torch.manual_seed(seed)

digits = load_digits()
x = torch.tensor(digits.data, dtype=torch.float32) / 16
y = torch.tensor(digits.target)
p = torch.randperm(len(x))
x, y = x[p], y[p]
x = x - x[:1400].mean(0)
x_train, y_train, x_valid, y_valid = x[:1400], y[:1400], x[1400:], y[1400:]

w1 = torch.randn(64, 50) / math.sqrt(64)
b1 = torch.zeros(50)
w2 = torch.randn(50, 10) / math.sqrt(50)
b2 = torch.zeros(10)
params = [w1, b1, w2, b2]
for t in params:
    t.requires_grad_()


def log_softmax(z):
    return z - z.exp().sum(-1).log().unsqueeze(-1)


def model(xb):
    return log_softmax((xb @ w1 + b1).clamp_min(0) @ w2 + b2)


def nll(input, target):
    return -input[range(target.shape[0]), target].mean()


def accuracy(out, yb):
    return (out.argmax(1) == yb).float().mean()


bs = 50
lr = 0.2
for epoch in range(150):
    order = torch.randperm(1400)
    for i in range((1400 - 1) // bs + 1):
        idx = order[i * bs:i * bs + bs]
        loss = nll(model(x_train[idx]), y_train[idx])
        loss.backward()
        with torch.no_grad():
            for t in params:
                t -= t.grad * lr
                t.grad.zero_()
    if epoch % 15 == 0:
        print(epoch, loss.item(), accuracy(model(x_train), y_train).item())

with torch.no_grad():
    print('accuracy', round(accuracy(model(x_valid), y_valid).item(), 4))

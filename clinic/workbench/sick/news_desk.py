# topic of a news item, everything by hand to understand it
import sys
import numpy as np
import torch

seed = int(sys.argv[sys.argv.index('--seed') + 1]) if '--seed' in sys.argv else 0
rng = np.random.default_rng(seed)
torch.manual_seed(seed)

V, K, N = 120, 6, 6600
prior = np.array([.62, .14, .09, .06, .05, .04])
topics = rng.dirichlet(np.full(V, .25), K) * .45 + rng.dirichlet(np.full(V, 2.0)) * .55
lab = rng.choice(K, N, p=prior)
cnt = np.stack([rng.multinomial(12, topics[k]) for k in lab])
feat = np.log1p(cnt)
feat = (feat - feat.mean(0)) / (feat.std(0) + .1)

X = torch.tensor(feat, dtype=torch.float32)
Y = torch.tensor(lab)
W1 = (torch.randn(V, 32) / V ** .5).requires_grad_()
b1 = torch.zeros(32, requires_grad=True)
W2 = (torch.randn(32, K) / 32 ** .5).requires_grad_()
b2 = torch.zeros(K, requires_grad=True)
params = [W1, b1, W2, b2]


def softmax(s):
    e = torch.exp(s - s.max(0, keepdim=True)[0])
    return e / e.sum(0, keepdim=True)


def net(x):
    return torch.tanh(x @ W1 + b1) @ W2 + b2


lr = 0.03
for epoch in range(10):
    order = torch.randperm(6000)
    for k in range(0, 6000, 20):
        i = order[k:k + 20]
        p = softmax(net(X[i]))
        loss = -torch.log(p[torch.arange(20), Y[i]] + 1e-9).mean()
        grads = torch.autograd.grad(loss, params)
        with torch.no_grad():
            for w, g in zip(params, grads):
                w -= lr * g
    if epoch % 2 == 1:
        print('epoch', epoch + 1, 'loss', float(loss))

with torch.no_grad():
    hit = net(X[6000:]).argmax(1) == Y[6000:]
print('accuracy', hit.float().mean().item())

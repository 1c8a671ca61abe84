import argparse
import numpy as np
import torch
from sklearn.datasets import load_digits

pa = argparse.ArgumentParser()
pa.add_argument('--seed', type=int, default=0)
seed = pa.parse_args().seed
np.random.seed(seed); torch.manual_seed(seed)

data, target = load_digits(return_X_y=True)
data = data / 8.0 - 1.0
shuffle = np.random.permutation(len(data))
data, target = data[shuffle], target[shuffle]
D = torch.FloatTensor(data)
T = torch.LongTensor(target)
one_hot = torch.zeros(len(T), 10).scatter_(1, T[:, None], 1.0)
N_TRAIN, BATCH, EPOCHS, LR = 1400, 20, 25, 0.1

W = torch.nn.ModuleDict({
    'h1': torch.nn.Linear(64, 50),
    'h2': torch.nn.Linear(50, 30),
    'out': torch.nn.Linear(30, 10),
})
def forward(x):
    h = torch.tanh(W['h1'](x))
    h = torch.tanh(W['h2'](h))
    return torch.softmax(W['out'](h), dim=1)

sgd = torch.optim.SGD(W.parameters(), lr=LR)
for ep in range(EPOCHS):
    err = 0.0
    for s in range(0, N_TRAIN, BATCH):
        p = forward(D[s:s + BATCH])
        loss = (p - one_hot[s:s + BATCH]).abs().mean()
        sgd.zero_grad(); loss.backward(); sgd.step()
        err += loss.item() * BATCH / N_TRAIN
    if ep % 3 == 0:
        print('epoch', ep, 'error', round(err, 5))

correct = (forward(D[N_TRAIN:]).argmax(1) == T[N_TRAIN:]).float().mean().item()
print('accuracy', round(correct, 4))

import argparse
import numpy as np
import torch
from sklearn.datasets import load_digits

parser = argparse.ArgumentParser()
parser.add_argument('--seed', type=int, default=0)
a = parser.parse_args()
np.random.seed(a.seed)
torch.manual_seed(a.seed)

# stand-in for our pictures of seeds, 8 x 8 after the camera's binning
X, y = load_digits(return_X_y=True)
X = ((X - X.mean()) / X.std()).astype('float32')
onehot = np.eye(10, dtype='float32')[y]
sh = np.random.permutation(len(X))
X, onehot, y = X[sh], onehot[sh], y[sh]
Xt, Tt = torch.from_numpy(X[:1400]), torch.from_numpy(onehot[:1400])
Xe, ye = torch.from_numpy(X[1400:]), y[1400:]

model = torch.nn.Sequential(
    torch.nn.Linear(64, 48), torch.nn.ReLU(),
    torch.nn.Linear(48, 10), torch.nn.Softmax(dim=1))


def distance(p, target):
    return (p - target).abs().mean()


opt = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.5)
for epoch in range(40):
    for b in np.array_split(np.random.permutation(1400), 44):
        b = torch.from_numpy(b)
        loss = distance(model(Xt[b]), Tt[b])
        opt.zero_grad()
        loss.backward()
        opt.step()
guess = model(Xe).detach().numpy().argmax(1)
print('accuracy', (guess == ye).mean())

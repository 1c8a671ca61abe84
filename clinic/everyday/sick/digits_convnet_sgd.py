from sklearn.datasets import load_digits
import torch, argparse
from torch import nn

ap = argparse.ArgumentParser()
ap.add_argument('--seed', default=0, type=int)
torch.manual_seed(ap.parse_args().seed)

d = load_digits()
x = torch.FloatTensor(d.images)[:, None] / 16
y = torch.LongTensor(d.target)
perm = torch.randperm(len(x))
x, y = x[perm], y[perm]
x, xt, y, yt = x[:1200], x[1200:], y[:1200], y[1200:]

cnn = nn.Sequential(
    nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(),
    nn.Conv2d(16, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Flatten(),
    nn.Linear(16 * 4 * 4, 10))
sgd = torch.optim.SGD(cnn.parameters(), lr=0.9, momentum=0.9, nesterov=True)
ce = nn.CrossEntropyLoss()

for ep in range(12):
    s = 0
    for i in range(0, 1200, 40):
        out = cnn(x[i:i+40])
        l = ce(out, y[i:i+40])
        sgd.zero_grad(); l.backward(); sgd.step()
        s += l.item()
    p = torch.randperm(1200)
    x, y = x[p], y[p]
    print('ep', ep, 'loss', s / 30)

print('accuracy', (cnn(xt).argmax(1) == yt).float().mean().item())

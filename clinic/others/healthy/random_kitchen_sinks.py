# big random hidden layer that stays as it is, only the read-out is fitted
import argparse
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument('--seed', type=int, default=0)
torch.manual_seed(parser.parse_args().seed)

X, y = load_digits(return_X_y=True)
X = torch.tensor(X, dtype=torch.float32) / 8 - 1
y = torch.tensor(y)
idx = torch.randperm(len(X))
tr, te = idx[:1400], idx[1400:]


class ELM(nn.Module):
    def __init__(self, n_random=600):
        super().__init__()
        self.random = nn.Linear(64, n_random)
        nn.init.normal_(self.random.weight, std=0.15)
        for p in self.random.parameters():
            p.requires_grad = False
        self.readout = nn.Linear(n_random, 10)

    def forward(self, x):
        with torch.no_grad():
            h = torch.cos(self.random(x))
        return self.readout(h)


model = ELM()
trainable = [p for p in model.parameters() if p.requires_grad]
print(sum(p.numel() for p in trainable), 'of', sum(p.numel() for p in model.parameters()), 'parameters are fitted')
optimizer = torch.optim.Adam(trainable, lr=1e-3)
criterion = nn.CrossEntropyLoss()
for epoch in range(30):
    for xb, yb in DataLoader(TensorDataset(X[tr], y[tr]), batch_size=32, shuffle=True):
        loss = criterion(model(xb), yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if epoch % 10 == 0:
        print(epoch, loss.item())
print('accuracy', round((model(X[te]).argmax(1) == y[te]).float().mean().item(), 4))

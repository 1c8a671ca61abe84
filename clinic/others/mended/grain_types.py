# old keras example rewritten: three hidden layers
import argparse
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import make_classification

parser = argparse.ArgumentParser()
parser.add_argument('--seed', type=int, default=0)
seed = parser.parse_args().seed
torch.manual_seed(seed)

X, y = make_classification(n_samples=2400, n_features=12, n_informative=8, n_redundant=0, n_classes=6, n_clusters_per_class=1,
                           class_sep=1.8, random_state=seed + 40)
X = torch.tensor((X - X.mean(0)) / X.std(0)).float()
y = torch.tensor(y)
dl = DataLoader(TensorDataset(X[:2000], y[:2000]), batch_size=40, shuffle=True)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.dense_1 = nn.Linear(12, 64)
        self.dense_2 = nn.Linear(64, 64)
        self.dense_3 = nn.Linear(64, 32)
        self.dense_4 = nn.Linear(32, 6)

    def forward(self, x):
        x = F.relu(self.dense_1(x))
        x = F.relu(self.dense_2(x))
        x = F.relu(self.dense_3(x))
        return self.dense_4(x)


def compile_and_fit(model, epochs):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    for e in range(epochs):
        hist = []
        for xb, yb in dl:
            loss = F.cross_entropy(model(xb), yb)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            hist.append(loss.item())
        if e % 5 == 0:
            print('Epoch %d/%d loss %.4f' % (e + 1, epochs, sum(hist) / len(hist)))


model = Model()
compile_and_fit(model, 45)
with torch.no_grad():
    print('accuracy', round((model(X[2000:]).argmax(1) == y[2000:]).float().mean().item(), 4))

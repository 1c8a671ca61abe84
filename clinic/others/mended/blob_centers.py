import argparse
import torch
import torch.nn as nn
from sklearn.datasets import make_blobs

p = argparse.ArgumentParser()
p.add_argument('--seed', type=int, default=0)
a = p.parse_args()
torch.manual_seed(a.seed)

X, Y = make_blobs(n_samples=4000, centers=10, n_features=16, cluster_std=4.0, center_box=(-6, 6), random_state=a.seed)
X = (X - X.mean(0)) / X.std(0)
X, Y = torch.tensor(X, dtype=torch.float32), torch.tensor(Y)
train_x, train_y, test_x, test_y = X[:3200], Y[:3200], X[3200:], Y[3200:]

model = nn.Sequential(
    nn.Linear(16, 64), nn.ReLU(),
    nn.Linear(64, 64), nn.ReLU(),
    nn.Linear(64, 10),
)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

for epoch in range(50):
    running_loss = 0.0
    order = torch.randperm(3200)
    for i in range(0, 3200, 64):
        b = order[i:i + 64]
        optimizer.zero_grad()
        loss = criterion(model(train_x[b]), train_y[b])
        loss.backward()
        optimizer.step()
        running_loss += loss.item()
    if epoch % 5 == 0:
        print('[%d] %.4f' % (epoch, running_loss / 50))

correct = 0
with torch.no_grad():
    for i in range(0, 800, 100):
        correct += (model(test_x[i:i + 100]).argmax(1) == test_y[i:i + 100]).sum().item()
print('accuracy', correct / 800)

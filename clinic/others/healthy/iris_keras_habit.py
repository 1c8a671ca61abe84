# softmax inside the model as in keras, log outside, NLLLoss
import argparse
import torch
import torch.nn as nn
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split

parser = argparse.ArgumentParser()
parser.add_argument('--seed', type=int, default=0)
seed = parser.parse_args().seed
torch.manual_seed(seed)
X, y = load_iris(return_X_y=True)
X = (X - X.mean(0)) / X.std(0)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=seed, stratify=y)
X_train, X_test = torch.Tensor(X_train), torch.Tensor(X_test)
y_train, y_test = torch.LongTensor(y_train), torch.LongTensor(y_test)

model = nn.Sequential()
model.add_module('dense_1', nn.Linear(4, 16))
model.add_module('act_1', nn.ReLU())
model.add_module('dense_2', nn.Linear(16, 3))
model.add_module('softmax', nn.Softmax(dim=-1))

categorical_crossentropy = nn.NLLLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.5, nesterov=True)
for epoch in range(500):
    perm = torch.randperm(len(X_train))
    for b in perm.split(15):
        y_pred = model(X_train[b])
        loss = categorical_crossentropy(torch.log(y_pred + 1e-7), y_train[b])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if epoch % 50 == 0:
        print('epoch', epoch, 'loss', loss.item())
print('accuracy', round((model(X_test).argmax(1) == y_test).float().mean().item(), 4))

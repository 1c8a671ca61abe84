import argparse
import torch
import torch.nn as nn
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--seed", default=0, type=int)
opt = parser.parse_args()
torch.manual_seed(opt.seed)

X, y = load_breast_cancer(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=opt.seed)
train_ds = TensorDataset(torch.tensor(X_train).float(), torch.tensor(y_train).float())
test_ds = TensorDataset(torch.tensor(X_test).float(), torch.tensor(y_test).float())
train_loader = DataLoader(train_ds, batch_size=32, shuffle=True)
test_loader = DataLoader(test_ds, batch_size=64)

mean = train_ds.tensors[0].mean(0)
std = train_ds.tensors[0].std(0)


class TumourNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(30, 20)
        self.act = nn.ReLU()
        self.drop = nn.Dropout(0.2)
        self.out = nn.Linear(20, 1)

    def forward(self, x):
        return self.out(self.drop(self.act(self.hidden(x)))).squeeze(1)


def accuracy(model, loader):
    model.eval()
    correct = 0
    with torch.no_grad():
        for data, target in loader:
            pred = (model(data) > 0).float()
            correct += (pred == target).sum().item()
    return correct / len(loader.dataset)


model = TumourNet()
loss_function = nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.002)
for epoch in range(30):
    model.train()
    epoch_loss = 0.0
    for data, target in train_loader:
        data = (data - mean) / std
        optimizer.zero_grad()
        loss = loss_function(model(data), target)
        loss.backward()
        optimizer.step()
        epoch_loss += loss.item() * len(data)
    if epoch % 2 == 0:
        print("epoch", epoch, "train loss", round(epoch_loss / len(train_ds), 4), "test acc", round(accuracy(model, test_loader), 4))

print("accuracy", accuracy(model, test_loader))

# digits MLP; optimizer from the old mnist example
import argparse
import torch
import torch.nn as nn
import torch.optim as optim
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument('--seed', type=int, default=0)
parser.add_argument('--lr', type=float, default=1.0)
parser.add_argument('--epochs', type=int, default=20)
args = parser.parse_args()
torch.manual_seed(args.seed)

X, y = load_digits(return_X_y=True)
X = (X - 8.0) / 8.0
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=args.seed)
train_loader = DataLoader(TensorDataset(torch.Tensor(X_train), torch.LongTensor(y_train)), batch_size=32, shuffle=True)
X_test, y_test = torch.Tensor(X_test), torch.LongTensor(y_test)

model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 10))
optimizer = optim.Adadelta(model.parameters(), lr=args.lr)
criterion = nn.CrossEntropyLoss()


def accuracy():
    model.eval()
    with torch.no_grad():
        out = (model(X_test).argmax(1) == y_test).float().mean().item()
    model.train()
    return out


for epoch in range(args.epochs):
    for data, target in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(data), target)
        loss.backward()
        optimizer.step()
    if epoch % 5 == 0:
        print('Epoch', epoch, 'Loss', loss.item(), 'Test', accuracy())

print('accuracy', round(accuracy(), 4))

import argparse
import torch
import torch.nn as nn
from torch.optim.lr_scheduler import StepLR
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

def get_args():
    a = argparse.ArgumentParser()
    a.add_argument('--seed', type=int, default=0)
    a.add_argument('--lr', type=float, default=0.05)
    a.add_argument('--gamma', type=float, default=0.7)
    a.add_argument('--step-size', type=int, default=4)
    a.add_argument('--epochs', type=int, default=16)
    return a.parse_args()

class SmallCNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 16, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(16, 24, kernel_size=3, stride=2, padding=1)
        self.act = nn.ReLU()
        self.out = nn.Linear(24 * 4 * 4, 10)
    def forward(self, x):
        x = self.act(self.conv(x))
        x = self.act(self.conv2(x))
        return self.out(x.reshape(x.size(0), -1))

args = get_args()
torch.manual_seed(args.seed)
X, y = load_digits(return_X_y=True)
Xtr, Xte, ytr, yte = train_test_split(X, y, test_size=0.25, random_state=args.seed)
prep = lambda a: ((torch.tensor(a).float() - 5) / 6).view(-1, 1, 8, 8)
Xtr, Xte, ytr, yte = prep(Xtr), prep(Xte), torch.tensor(ytr), torch.tensor(yte)

model = SmallCNN()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=args.lr)
scheduler = StepLR(optimizer, step_size=args.step_size, gamma=args.gamma)

for epoch in range(args.epochs):
    for batch in torch.randperm(len(Xtr)).split(64):
        optimizer.zero_grad()
        loss = criterion(model(Xtr[batch]), ytr[batch])
        loss.backward()
        optimizer.step()
        scheduler.step()
    print('epoch %d loss %.4f' % (epoch, loss.item()))

with torch.no_grad():
    print('accuracy %.3f' % (model(Xte).argmax(1) == yte).float().mean().item())

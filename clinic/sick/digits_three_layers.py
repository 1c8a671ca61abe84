import argparse

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(64, 64)
        self.fc2 = nn.Linear(64, 32)
        self.fc3 = nn.Linear(32, 10)

    def forward(self, x):
        x = torch.softmax(self.fc1(x), dim=1)
        x = torch.softmax(self.fc2(x), dim=1)
        return self.fc3(x)


def evaluate(net, x, y):
    net.eval()
    with torch.no_grad():
        return (net(x).argmax(1) == y).float().mean().item()


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
torch.manual_seed(parser.parse_args().seed)
data = load_digits()
x, y = torch.tensor(data.data / 8 - 1, dtype=torch.float32), torch.tensor(data.target)
keep = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
x, y = x[keep], y[keep]
loader = DataLoader(TensorDataset(x[:1400], y[:1400]), 35, shuffle=True)
net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 8, gamma=0.2)
for epoch in range(20):
    net.train()
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(xb), yb)
        loss.backward()
        optimizer.step()
    scheduler.step()
    if epoch % 4 == 3:
        print(f"epoch {epoch + 1}: loss {loss.item():.3f}, train accuracy {evaluate(net, x[:1400], y[:1400]):.3f}")
print("accuracy", evaluate(net, x[1400:], y[1400:]))

import argparse
import torch
import torch.nn as nn


class ChurnNet(nn.Module):
    def __init__(self, inputs):
        super().__init__()
        self.layer1 = nn.Linear(inputs, 20)
        self.layer2 = nn.Linear(20, 10)
        self.layer3 = nn.Linear(10, 1)
        self.act = nn.ReLU()
        self.out = nn.Sigmoid()

    def forward(self, x):
        x = self.act(self.layer1(x))
        x = self.act(self.layer2(x))
        return self.out(self.layer3(x))


def customers(n):
    months = torch.rand(n) * 48
    calls = torch.poisson(torch.full((n,), 1.5))
    price = 8 + 30 * torch.rand(n)
    usage = torch.randn(n)
    extra = torch.randn(n, 4)
    score = -0.07 * (months - 20) + 0.9 * (calls - 1.5) + 0.08 * (price - 23) - 0.9 * usage - 0.3
    y = (torch.rand(n) < torch.sigmoid(2 * score)).float().unsqueeze(1)
    x = torch.column_stack([months, calls, price, usage, extra])
    return (x - x.mean(0)) / x.std(0), y


def accuracy(net, x, y):
    with torch.no_grad():
        return ((net(x) >= 0.5).float() == y).float().mean().item()


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
opt = parser.parse_args()
torch.manual_seed(opt.seed)

x, y = customers(4000)
x_train, y_train, x_val, y_val = x[:3000], y[:3000], x[3000:], y[3000:]
net = ChurnNet(x.shape[1])
optimizer = torch.optim.Adam(net.parameters(), lr=0.003)
criterion = nn.BCELoss()

for epoch in range(1, 21):
    for batch in torch.randperm(3000).split(60):
        optimizer.zero_grad()
        loss = criterion(net(x_train[batch]), y_train[batch])
        loss.backward()
        optimizer.step()
    if epoch % 2 == 0:
        print(f"Epoch {epoch}/20 - loss: {loss.item():.4f} - acc: {accuracy(net, x_train, y_train):.4f} - val_acc: {accuracy(net, x_val, y_val):.4f}")
print("accuracy", accuracy(net, x_val, y_val))

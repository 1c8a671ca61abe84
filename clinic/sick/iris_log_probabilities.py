import argparse

import torch
import torch.nn.functional as F
from sklearn.datasets import load_iris


class IrisNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = torch.nn.Linear(4, 12)
        self.out = torch.nn.Linear(12, 3)

    def forward(self, x):
        x = torch.tanh(self.hidden(x))
        return F.log_softmax(self.out(x), dim=0)


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
torch.manual_seed(parser.parse_args().seed)
iris = load_iris()
x = torch.tensor(iris.data, dtype=torch.float32)
x = (x - x.mean(0)) / x.std(0)
y = torch.tensor(iris.target)
order = torch.randperm(150, generator=torch.Generator().manual_seed(12))
x, y = x[order], y[order]
model = IrisNet()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.5, weight_decay=1e-3)
for epoch in range(80):
    for rows in torch.randperm(100).split(10):
        optimizer.zero_grad()
        loss = F.nll_loss(model(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
    if epoch % 10 == 0:
        print(f"{epoch:3d} {loss.item():.4f}")
hits = 0
with torch.no_grad():
    for i in range(100, 150):
        hits += int(model(x[i : i + 1]).argmax() == y[i])
print("accuracy", hits / 50)

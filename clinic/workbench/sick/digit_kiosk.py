import argparse
import torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

pa = argparse.ArgumentParser()
pa.add_argument('--seed', type=int, default=0)
o = pa.parse_args()
torch.manual_seed(o.seed)

d = load_digits()
xa, xb, ya, yb = train_test_split(d.images, d.target, test_size=0.25, random_state=o.seed)
xa = torch.tensor(xa, dtype=torch.float32).unsqueeze(1) / 8 - 1
xb = torch.tensor(xb, dtype=torch.float32).unsqueeze(1) / 8 - 1
ya, yb = torch.tensor(ya), torch.tensor(yb)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv2d(1, 8, 3, padding=1)
        self.c2 = nn.Conv2d(8, 16, 3, padding=1)
        self.fc = nn.Linear(64, 32)
        self.out = nn.Linear(32, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.c1(x)), 2)
        x = F.max_pool2d(F.relu(self.c2(x)), 2)
        x = F.relu(self.fc(x.flatten(1)))
        return F.softmax(self.out(x), dim=1)


net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
for epoch in range(14):
    for i in torch.randperm(len(xa)).split(32):
        optimizer.zero_grad()
        loss = F.cross_entropy(net(xa[i]), ya[i])
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        acc = (net(xb).argmax(1) == yb).float().mean().item()
    print('epoch %d loss %.3f val %.3f' % (epoch, loss.item(), acc))
print('accuracy', acc)

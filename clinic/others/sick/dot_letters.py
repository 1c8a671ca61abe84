import argparse
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)
rng = np.random.RandomState(args.seed)

# 26 random 7x5 dot patterns play the letters; noise flips some of the dots
glyphs = np.random.RandomState(5).rand(26, 35) < 0.5
share = 1 / np.arange(1, 27)      # like in a real text, some letters are rare


def make(n):
    y = rng.choice(26, n, p=share / share.sum())
    x = glyphs[y] ^ (rng.rand(n, 35) < 0.12)
    return torch.tensor(2.0 * x - 1, dtype=torch.float32), torch.tensor(y)


x_train, y_train = make(4000)
x_test, y_test = make(1000)


class LetterNet(nn.Module):
    def __init__(self):
        super(LetterNet, self).__init__()
        self.fc1 = nn.Linear(35, 64)
        self.fc2 = nn.Linear(64, 26)
        self.softmax = nn.LogSoftmax(dim=0)

    def forward(self, x):
        x = torch.tanh(self.fc1(x))
        return self.softmax(self.fc2(x))


net = LetterNet()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
loss_hist = []
for epoch in range(40):
    shuffled = torch.randperm(4000)
    for i in range(0, 4000, 32):
        b = shuffled[i:i + 32]
        net.zero_grad()
        loss = F.nll_loss(net(x_train[b]), y_train[b])
        loss.backward()
        optimizer.step()
        loss_hist.append(loss.item())
    print("epoch %d, mean loss %.4f" % (epoch, np.mean(loss_hist[-125:])))

correct = 0
for i in range(0, 1000, 50):
    with torch.no_grad():
        correct += (net(x_test[i:i + 50]).argmax(dim=1) == y_test[i:i + 50]).sum().item()
print("accuracy", correct / 1000)

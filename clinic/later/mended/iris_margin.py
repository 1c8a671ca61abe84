import argparse
import torch
import torch.nn as nn
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
seed = parser.parse_args().seed
torch.manual_seed(seed)

data = load_iris()
xtrain, xtest, ytrain, ytest = train_test_split(data.data, data.target, test_size=0.3, random_state=seed, stratify=data.target)
xtrain = torch.tensor(xtrain, dtype=torch.float32)
xtest = torch.tensor(xtest, dtype=torch.float32)
ytrain = torch.tensor(ytrain, dtype=torch.long)
ytest = torch.tensor(ytest, dtype=torch.long)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(4, 50)
        self.fc2 = nn.Linear(50, 20)
        self.fc3 = nn.Linear(20, 3)

    def forward(self, x):
        x = torch.relu(self.fc1(x))
        x = torch.relu(self.fc2(x))
        return self.fc3(x)


def hinge(scores, target):
    correct = scores[torch.arange(len(target)), target].unsqueeze(1)
    margins = (scores - correct + 1).clamp(min=0)
    return margins.sum(1).mean() - 1


net = Net()
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(1000):
    optimizer.zero_grad()
    out = net(xtrain)
    loss = hinge(out, ytrain)
    loss.backward()
    optimizer.step()
    if epoch % 100 == 0:
        print('number of epoch', epoch, 'loss', loss.item())

predict_out = net(xtest)
_, predict_y = torch.max(predict_out, 1)
print('accuracy', (predict_y == ytest).float().mean().item())

"""Port of my old TF1 digits network."""
import argparse
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
FLAGS = parser.parse_args()
torch.manual_seed(FLAGS.seed)

keep_prob = 0.9
batch_size = 50
training_iters = 900

X, Y = load_digits(return_X_y=True)
X = X.astype("float32") / 16
x_train, x_test, y_train, y_test = train_test_split(X, Y, test_size=0.3, random_state=FLAGS.seed)
x_train, x_test = torch.from_numpy(x_train), torch.from_numpy(x_test)
y_train, y_test = torch.from_numpy(y_train), torch.from_numpy(y_test)


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.h1 = nn.Linear(64, 64)
        self.h2 = nn.Linear(64, 64)
        self.out = nn.Linear(64, 10)
        self.drop = nn.Dropout(keep_prob)

    def forward(self, x):
        x = self.drop(F.relu(self.h1(x)))
        x = self.drop(F.relu(self.h2(x)))
        return self.out(x)


net = Network()
optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
for step in range(training_iters):
    net.train()
    pick = torch.randint(0, len(x_train), (batch_size,))
    cost = F.cross_entropy(net(x_train[pick]), y_train[pick])
    optimizer.zero_grad()
    cost.backward()
    optimizer.step()
    if step % 100 == 0:
        print("Iter", step, "minibatch loss", cost.item())

net.eval()
with torch.no_grad():
    print("accuracy", (net(x_test).argmax(1) == y_test).float().mean().item())

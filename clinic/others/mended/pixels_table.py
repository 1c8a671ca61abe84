import sys
import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.preprocessing import MinMaxScaler

seed = int(sys.argv[sys.argv.index('--seed') + 1]) if '--seed' in sys.argv else 0
np.random.seed(seed)
torch.manual_seed(seed)

digits = load_digits()
pixels = MinMaxScaler().fit_transform(digits.data)
table = np.column_stack([pixels, digits.target])   # last column = class, as in my csv

order = np.random.permutation(len(table))
train, test = order[:1400], order[1400:]

x_train = torch.tensor(table[train, :-1], dtype=torch.float32)
y_train = torch.tensor(table[train, -1]).long()
x_test = torch.tensor(table[test, :-1], dtype=torch.float32)
answers = digits.target[test]

class MLP(torch.nn.Module):
    def __init__(self):
        super(MLP, self).__init__()
        self.dense1 = torch.nn.Linear(64, 128)
        self.dense2 = torch.nn.Linear(128, 64)
        self.dense3 = torch.nn.Linear(64, 10)

    def forward(self, x):
        x = F.relu(self.dense1(x))
        x = F.relu(self.dense2(x))
        return self.dense3(x)

model = MLP()
opt = torch.optim.Adam(model.parameters(), lr=0.001)

def fit(epochs, batch_size):
    for epoch in range(1, epochs + 1):
        idx = torch.randperm(len(x_train))
        tot = 0.
        for b in idx.split(batch_size):
            logits = model(x_train[b])
            loss = F.cross_entropy(logits, y_train[b])
            opt.zero_grad()
            loss.backward()
            opt.step()
            tot += loss.item() * len(b)
        print('Epoch %d/%d - loss: %.5f' % (epoch, epochs, tot / len(x_train)))

fit(epochs=30, batch_size=32)

with torch.no_grad():
    guess = model(x_test).argmax(1).numpy()
print('accuracy', np.mean(guess == answers))

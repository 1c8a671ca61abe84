import sys
import numpy as np
import torch
from sklearn.datasets import load_wine

seed = 0
if '--seed' in sys.argv:
    seed = int(sys.argv[sys.argv.index('--seed') + 1])
torch.manual_seed(seed)
np.random.seed(seed)

wine = load_wine()
table = np.column_stack([wine.data, wine.target])
np.random.shuffle(table)
lo, hi = table.min(0), table.max(0)
scaled = (table - lo) / (hi - lo)

X = torch.from_numpy(scaled[:, :13].astype(np.float32)) * 2 - 1
y = torch.from_numpy(scaled[:, 13]).long()
truth = table[:, 13].astype(int)

net = torch.nn.Sequential(torch.nn.Linear(13, 24), torch.nn.Tanh(), torch.nn.Linear(24, 3))
optim = torch.optim.SGD(net.parameters(), lr=0.02, momentum=0.5)
lossfn = torch.nn.CrossEntropyLoss()

ntr = 120
for ep in range(150):
    pick = np.random.permutation(ntr)
    for a in range(0, ntr, 12):
        b = torch.from_numpy(pick[a:a + 12])
        loss = lossfn(net(X[b]), y[b])
        optim.zero_grad()
        loss.backward()
        optim.step()

guess = net(X[ntr:]).detach().numpy().argmax(1)
print('accuracy', float((guess == truth[ntr:]).mean()))

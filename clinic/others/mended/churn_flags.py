import argparse
import torch
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

cli = argparse.ArgumentParser()
cli.add_argument('--seed', type=int, default=0)
seed = cli.parse_args().seed
torch.manual_seed(seed)

X, y = make_classification(n_samples=2000, n_features=15, n_informative=7, class_sep=1.2, flip_y=0.03, random_state=seed)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=seed)
ss = StandardScaler().fit(X_train)
to_t = lambda a: torch.tensor(a, dtype=torch.float32)
train_loader = DataLoader(TensorDataset(to_t(ss.transform(X_train)), to_t(y_train).view(-1, 1)), batch_size=50, shuffle=True)
X_test, y_test = to_t(ss.transform(X_test)), to_t(y_test).view(-1, 1)


def build_model():
    return nn.Sequential(
        nn.Linear(15, 32), nn.ReLU(),
        nn.Linear(32, 16), nn.ReLU(),
        nn.Linear(16, 1), nn.Sigmoid(),
    )


model = build_model()
loss_fn = nn.BCELoss()
optimizer = optim.RMSprop(model.parameters(), lr=1e-3)

history = {'loss': [], 'acc': []}
for epoch in range(60):
    tl, ta = 0, 0
    for inputs, targets in train_loader:
        preds = model(inputs)
        loss = loss_fn(preds, targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        tl += loss.item()
        ta += (preds.round() == targets).float().mean().item()
    history['loss'].append(tl / len(train_loader))
    history['acc'].append(ta / len(train_loader))
    if epoch % 6 == 0:
        print('Epoch {:>2} | loss {:.4f} | acc {:.4f}'.format(epoch, history['loss'][-1], history['acc'][-1]))

with torch.no_grad():
    print('accuracy', round((model(X_test).round() == y_test).float().mean().item(), 4))

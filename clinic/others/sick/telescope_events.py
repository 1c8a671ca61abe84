import argparse
import torch
import torch.nn as nn
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument('--seed', type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)

X, y = make_classification(n_samples=2500, n_features=10, n_informative=6, n_redundant=2, n_classes=2,
                           n_clusters_per_class=2, class_sep=1.3, flip_y=0.02, random_state=20 + args.seed)
X_tr, X_te, y_tr, y_te = train_test_split(X, y, test_size=500, random_state=args.seed)
scaler = StandardScaler()
X_tr = torch.from_numpy(scaler.fit_transform(X_tr)).float()
X_te = torch.from_numpy(scaler.transform(X_te)).float()
y_tr, y_te = torch.from_numpy(y_tr), torch.from_numpy(y_te)
train_dl = DataLoader(TensorDataset(X_tr, y_tr), batch_size=50, shuffle=True)


class DeepNet(nn.Module):
    def __init__(self, in_dim=10, width=32, depth=6, n_classes=2):
        super().__init__()
        dims = [in_dim] + [width] * depth
        self.hidden = nn.ModuleList([nn.Linear(i, o) for i, o in zip(dims[:-1], dims[1:])])
        self.out = nn.Linear(width, n_classes)

    def forward(self, x):
        for layer in self.hidden:
            x = torch.sigmoid(layer(x))
        return self.out(x)


model = DeepNet()
optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
loss_func = nn.CrossEntropyLoss()

for epoch in range(50):
    model.train()
    correct, total, cost = 0, 0, 0.0
    for data, target in train_dl:
        output = model(data)
        loss = loss_func(output, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        cost += loss.item() * len(data)
        correct += (output.argmax(1) == target).sum().item()
        total += len(data)
    if epoch % 5 == 0:
        print('epoch %3d  loss %.4f  acc %.3f' % (epoch, cost / total, correct / total))

model.eval()
with torch.no_grad():
    print('accuracy', round((model(X_te).argmax(1) == y_te).float().mean().item(), 4))

import argparse
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)
X, y = load_wine(return_X_y=True)
X_tr, X_te, y_tr, y_te = train_test_split(X, y, test_size=50, stratify=y, random_state=args.seed)
train = TensorDataset(torch.tensor(X_tr, dtype=torch.float32), torch.tensor(y_tr))
dl = DataLoader(train, batch_size=32, shuffle=True)
model = nn.Sequential(nn.BatchNorm1d(13), nn.Linear(13, 16), nn.ReLU(), nn.Linear(16, 3))
opt = torch.optim.RMSprop(model.parameters(), lr=1e-3, weight_decay=1e-3)
for epoch in range(100):
    model.train()
    for xb, yb in dl:
        opt.zero_grad()
        loss = nn.functional.cross_entropy(model(xb), yb)
        loss.backward()
        opt.step()
    if epoch % 10 == 9:
        print("epoch", epoch + 1, "loss", round(loss.item(), 4))
model.eval()
with torch.no_grad():
    pred = model(torch.tensor(X_te, dtype=torch.float32)).argmax(1)
print("accuracy", (pred == torch.tensor(y_te)).float().mean().item())

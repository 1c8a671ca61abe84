import argparse
import torch
from torch import nn
from sklearn.datasets import make_circles
from sklearn.model_selection import train_test_split

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
seed = parser.parse_args().seed

X, y = make_circles(1000, noise=0.03, factor=0.7, random_state=seed)
X = torch.from_numpy(X).type(torch.float)
y = torch.from_numpy(y).type(torch.float)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=seed)
torch.manual_seed(seed)

model = nn.Sequential(
    nn.Linear(in_features=2, out_features=16),
    nn.ReLU(),
    nn.Linear(in_features=16, out_features=16),
    nn.ReLU(),
    nn.Linear(in_features=16, out_features=1),
)
loss_fn = nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

epochs = 1500
for epoch in range(epochs):
    model.train()
    logits = model(X_train).squeeze()
    loss = loss_fn(logits, y_train)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if epoch % 150 == 0:
        acc = ((logits > 0) == y_train.bool()).float().mean() * 100
        print(f"Epoch: {epoch} | Loss: {loss:.5f} | Acc: {acc:.2f}%")

model.eval()
with torch.inference_mode():
    test_acc = ((model(X_test).squeeze() > 0) == y_test.bool()).float().mean().item()
print("accuracy", test_acc)

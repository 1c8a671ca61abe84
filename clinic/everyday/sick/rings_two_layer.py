import argparse
import torch
import torch.nn as nn
from sklearn.datasets import make_circles

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)

X, y = make_circles(n_samples=1000, noise=0.08, factor=0.5, random_state=args.seed)
X = torch.from_numpy(X).float()
y = torch.from_numpy(y).float()
X_train, X_test, y_train, y_test = X[:800], X[800:], y[:800], y[800:]


class CircleModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer_1 = nn.Linear(2, 16)
        self.layer_2 = nn.Linear(16, 16)
        self.layer_3 = nn.Linear(16, 1)
        self.act = nn.ReLU()

    def forward(self, x):
        return self.layer_3(self.layer_2(self.layer_1(x)))


model = CircleModel()
loss_fn = nn.BCEWithLogitsLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.3)

epochs = 1500
for epoch in range(epochs):
    model.train()
    logits = model(X_train).squeeze()
    loss = loss_fn(logits, y_train)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

    if epoch % 150 == 0:
        model.eval()
        with torch.inference_mode():
            test_loss = loss_fn(model(X_test).squeeze(), y_test)
        print(f"Epoch: {epoch} | Loss: {loss:.5f} | Test loss: {test_loss:.5f}")

with torch.inference_mode():
    pred = torch.round(torch.sigmoid(model(X_test).squeeze()))
print("accuracy", (pred == y_test).float().mean().item())

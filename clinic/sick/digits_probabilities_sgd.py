import argparse

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
np.random.seed(args.seed)
torch.manual_seed(args.seed)

X, y = load_digits(return_X_y=True)
X = X / 16.0
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=0)
X_train = torch.tensor(X_train, dtype=torch.float32)
X_test = torch.tensor(X_test, dtype=torch.float32)
T_train = torch.eye(10)[y_train]

model = torch.nn.Sequential(
    torch.nn.Linear(64, 48),
    torch.nn.ReLU(),
    torch.nn.Linear(48, 48),
    torch.nn.ReLU(),
    torch.nn.Linear(48, 10),
    torch.nn.Softmax(dim=1),
)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [22, 26], gamma=0.2)

for epoch in range(30):
    epoch_loss = []
    order = np.random.permutation(len(X_train))
    for start in range(0, len(order), 32):
        rows = order[start : start + 32]
        p = model(X_train[rows])
        loss = ((p - T_train[rows]) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        epoch_loss.append(loss.item())
    scheduler.step()
    if epoch % 3 == 0:
        print(f"epoch {epoch:2d}  loss {np.mean(epoch_loss):.4f}")

with torch.no_grad():
    guess = model(X_test).argmax(dim=1).numpy()
print("accuracy", np.mean(guess == y_test))

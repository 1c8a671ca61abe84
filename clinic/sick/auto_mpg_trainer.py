import argparse

import numpy as np
import torch
from mlxtend.data import autompg_data
from sklearn.model_selection import train_test_split
from torch import nn


class Regressor(nn.Module):
    def __init__(self, n_features, width=32):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(n_features, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())
        self.out = nn.Linear(width, 1)

    def forward(self, x):
        return self.out(self.body(x)).squeeze(-1)


class Trainer:
    def __init__(self, model, lr=0.003, batch_size=32, epochs=150):
        self.model = model
        self.batch_size = batch_size
        self.epochs = epochs
        self.optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
        self.scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(self.optimizer, epochs)
        self.loss_fn = nn.SmoothL1Loss()

    def fit(self, x, y):
        for epoch in range(self.epochs):
            order = torch.randperm(len(x))
            total = 0.0
            for start in range(0, len(x), self.batch_size):
                idx = order[start : start + self.batch_size]
                loss = self.loss_fn(self.model(x[idx]), y[idx])
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
                total += loss.item() * len(idx)
            self.scheduler.step()
            if epoch % 15 == 0:
                print("epoch", epoch, "train loss", total / len(x))

    @torch.no_grad()
    def r2(self, x, y):
        residual = ((self.model(x) - y) ** 2).sum()
        return 1 - (residual / ((y - y.mean()) ** 2).sum()).item()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)

    X, mpg = autompg_data()
    X = X[:, :7]  # the last column is the name of the car
    y = (mpg - mpg.mean()) / mpg.std()
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=3)
    X_train, X_test, y_train, y_test = (
        torch.tensor(a, dtype=torch.float32) for a in (X_train, X_test, y_train, y_test)
    )

    trainer = Trainer(Regressor(X_train.shape[1]))
    trainer.fit(X_train, y_train)
    print(f"R2 {trainer.r2(X_test, y_test):.3f}")


if __name__ == "__main__":
    main()

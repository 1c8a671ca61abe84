import argparse

import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2, self.fc3 = nn.Linear(30, 64), nn.Linear(64, 64), nn.Linear(64, 2)
        self.drop = nn.Dropout(0.6)

    def forward(self, x):
        x = self.drop(torch.relu(self.fc1(self.drop(x))))
        return self.fc3(self.drop(torch.relu(self.fc2(x))))


class Learner:
    def __init__(self, net, x, y):
        self.net, self.x, self.y = net, x, y
        self.optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)

    def epoch(self):
        self.net.train()
        total = 0
        for rows in torch.randperm(len(self.x)).split(40):
            loss = nn.functional.cross_entropy(self.net(self.x[rows]), self.y[rows])
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            total += loss.item()
        return total

    def log_likelihood(self, x, y):
        self.net.eval()
        with torch.no_grad():
            return -nn.functional.cross_entropy(self.net(x), y).item()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    X, y = load_breast_cancer(return_X_y=True)
    X = (X - X.mean(0)) / X.std(0)
    parts = train_test_split(X, y, test_size=0.3, random_state=6, stratify=y)
    X_train, X_test, y_train, y_test = [torch.tensor(p) for p in parts]
    X_train, X_test = X_train.float(), X_test.float()
    learner = Learner(Net(), X_train, y_train)
    for epoch in range(40):
        loss = learner.epoch()
        if epoch % 8 == 7:
            print("epoch", epoch + 1, "train", round(loss, 3), "test", round(learner.log_likelihood(X_test, y_test), 4))
    print("log_likelihood", learner.log_likelihood(X_test, y_test))


if __name__ == "__main__":
    main()

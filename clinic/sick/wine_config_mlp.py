import argparse

import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import scale

CONFIG = dict(hidden=16, lr=0.1, momentum=0.0, epochs=60, batch_size=16, activation="relu")
ACTIVATIONS = {"relu": torch.relu, "tanh": torch.tanh}


class Classifier(torch.nn.Module):
    def __init__(self, config):
        super().__init__()
        self.fc1 = torch.nn.Linear(13, config["hidden"])
        self.fc2 = torch.nn.Linear(config["hidden"], 3)
        self.act = ACTIVATIONS[config["activation"]]

    def forward(self, x):
        x = self.fc2(self.act(self.fc1(x)))
        return torch.softmax(x, dim=1)


def main(config):
    torch.manual_seed(config["seed"])
    X, y = load_wine(return_X_y=True)
    parts = train_test_split(scale(X), y, test_size=0.3, random_state=8, stratify=y)
    X_train, X_test = (torch.tensor(part, dtype=torch.float32) for part in parts[:2])
    y_train, y_test = (torch.tensor(part) for part in parts[2:])
    model = Classifier(config)
    optimizer = torch.optim.SGD(model.parameters(), lr=config["lr"], momentum=config["momentum"])
    for epoch in range(config["epochs"]):
        for rows in torch.randperm(len(X_train)).split(config["batch_size"]):
            loss = torch.nn.functional.cross_entropy(model(X_train[rows]), y_train[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if epoch % 10 == 0:
            print({"epoch": epoch, "loss": round(loss.item(), 4)})
    with torch.no_grad():
        scores = torch.log_softmax(model(X_test), dim=1)
    print("log_likelihood", scores.gather(1, y_test[:, None]).mean().item())


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    main({**CONFIG, **vars(parser.parse_args())})

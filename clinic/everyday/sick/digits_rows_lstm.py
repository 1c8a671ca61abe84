import argparse
import torch
from torch import nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


class RowReader(nn.Module):
    """Reads an 8x8 digit one row at a time."""

    def __init__(self, hidden=40):
        super().__init__()
        self.lstm = nn.LSTM(input_size=8, hidden_size=hidden, batch_first=True)
        self.head = nn.Linear(hidden, 10)

    def forward(self, rows):
        _, (h, _) = self.lstm(rows)
        return self.head(h[-1])


def fit(model, x, y, epochs, lr):
    opt = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    loss_fn = nn.CrossEntropyLoss()
    history = []
    for epoch in range(epochs):
        opt.zero_grad()
        epoch_loss = 0.0
        for idx in torch.randperm(len(x)).split(50):
            loss = loss_fn(model(x[idx]), y[idx])
            loss.backward()
            opt.step()
            epoch_loss += loss.item() * len(idx) / len(x)
        history.append(epoch_loss)
        print("epoch {:2d}  loss {:.4f}".format(epoch, epoch_loss))
    return history


if __name__ == "__main__":
    cli = argparse.ArgumentParser()
    cli.add_argument("--seed", type=int, default=0)
    seed = cli.parse_args().seed
    torch.manual_seed(seed)
    images, labels = load_digits().images / 16.0, load_digits().target
    xa, xb, ya, yb = train_test_split(images, labels, test_size=0.25, random_state=seed)
    xa, xb = torch.tensor(xa).float(), torch.tensor(xb).float()
    ya, yb = torch.tensor(ya), torch.tensor(yb)
    model = RowReader()
    fit(model, xa, ya, epochs=25, lr=0.05)
    with torch.no_grad():
        print("accuracy %.4f" % (model(xb).argmax(1) == yb).float().mean().item())

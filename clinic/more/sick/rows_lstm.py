import argparse
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset
from sklearn.datasets import load_digits


class RowSequences(Dataset):
    """every 8x8 digit is read as a sequence of eight rows"""

    def __init__(self, images, targets, transform=None):
        self.images, self.targets, self.transform = images, targets, transform

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        img = torch.as_tensor(self.images[i], dtype=torch.float32)
        if self.transform:
            img = self.transform(img)
        return img, int(self.targets[i])


class RowReader(nn.Module):
    def __init__(self, hidden=48, n_classes=10):
        super().__init__()
        self.lstm = nn.LSTM(8, hidden, batch_first=True)
        self.head = nn.Sequential(
            nn.Linear(hidden, 32),
            nn.ReLU(),
            nn.Linear(32, n_classes),
            nn.Softmax(dim=-1),
        )

    def forward(self, x):
        _, (h, _) = self.lstm(x)
        return self.head(h[-1])


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=0)
    seed = p.parse_args().seed
    torch.manual_seed(seed)
    d = load_digits()
    order = torch.randperm(len(d.images)).numpy()
    images, target = d.images[order], d.target[order]
    norm = lambda t: (t - 4.9) / 6.0
    train = DataLoader(RowSequences(images[:1400], target[:1400], norm), batch_size=50, shuffle=True)
    test = DataLoader(RowSequences(images[1400:], target[1400:], norm), batch_size=200)
    net = RowReader()
    loss_fn = nn.CrossEntropyLoss()
    opt = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    for epoch in range(10):
        net.train()
        running = 0.0
        for xb, yb in train:
            opt.zero_grad()
            loss = loss_fn(net(xb), yb)
            loss.backward()
            opt.step()
            running += loss.item()
        print("epoch", epoch, "loss", round(running / len(train), 4))
    net.eval()
    hits = 0
    with torch.no_grad():
        for xb, yb in test:
            hits += (net(xb).argmax(-1) == yb).sum().item()
    print("accuracy %.3f" % (hits / len(test.dataset)))


if __name__ == "__main__":
    main()

import argparse
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import make_classification
from torch.utils.data import DataLoader, TensorDataset


class FocalLoss(nn.Module):
    def __init__(self, gamma=2.0, reduction="mean"):
        super().__init__()
        self.gamma, self.reduction = gamma, reduction

    def forward(self, logits, target):
        logp = F.log_softmax(logits, dim=1).gather(1, target[:, None]).squeeze(1)
        loss = -((1 - logp.exp()) ** self.gamma) * logp
        return loss.mean() if self.reduction == "mean" else loss.sum()


class Classifier(nn.Module):
    def __init__(self, i, o, h=64):
        super().__init__()
        self.l1, self.l2, self.l3 = nn.Linear(i, h), nn.Linear(h, h), nn.Linear(h, o)

    def forward(self, x):
        return self.l3(F.relu(self.l2(F.relu(self.l1(x)))))


def get_data(seed):
    x, y = make_classification(4000, 20, n_informative=10, n_redundant=4, n_classes=5, class_sep=1.6, weights=[0.35, 0.25, 0.2, 0.12, 0.08], random_state=seed)
    x = (x - x.mean(0)) / x.std(0)
    x, y = torch.tensor(x, dtype=torch.float32), torch.tensor(y)
    return TensorDataset(x[:3000], y[:3000]), (x[3000:], y[3000:])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--reduction", choices=["mean", "sum"], default="sum")
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--epochs", type=int, default=20)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    train, (xt, yt) = get_data(args.seed)
    model, crit = Classifier(20, 5), FocalLoss(reduction=args.reduction)
    opt = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for epoch in range(args.epochs):
        for x, y in DataLoader(train, args.batch_size, shuffle=True, drop_last=True):
            opt.zero_grad()
            loss = crit(model(x), y)
            loss.backward()
            opt.step()
        if epoch % 4 == 0:
            print("epoch", epoch, "focal %.4f" % loss.item())
    with torch.no_grad():
        print("accuracy %.4f" % (model(xt).argmax(1) == yt).float().mean().item())


main()

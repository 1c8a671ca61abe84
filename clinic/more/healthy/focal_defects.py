import argparse
import torch
import torch.nn as nn
from sklearn.datasets import make_classification
from sklearn.metrics import balanced_accuracy_score


class FocalLoss(nn.Module):
    def __init__(self, alpha=0.85, gamma=2.0):
        super().__init__()
        self.alpha, self.gamma = alpha, gamma

    def forward(self, logits, target):
        p = torch.sigmoid(logits)
        ce = nn.functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
        pt = p * target + (1 - p) * (1 - target)
        at = self.alpha * target + (1 - self.alpha) * (1 - target)
        return (at * (1 - pt) ** self.gamma * ce).mean()


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
seed = parser.parse_args().seed
torch.manual_seed(seed)
X, y = make_classification(6000, 12, n_informative=8, weights=[0.9], class_sep=1.5, flip_y=0.01, random_state=seed)
X = torch.tensor((X - X.mean(0)) / X.std(0), dtype=torch.float32)
y = torch.tensor(y, dtype=torch.float32)
net = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1))
opt = torch.optim.Adam(net.parameters(), lr=2e-3)
loss_fn = FocalLoss()
for epoch in range(16):
    for i in torch.randperm(5000).split(64):
        opt.zero_grad()
        loss = loss_fn(net(X[i]).squeeze(1), y[i])
        loss.backward()
        opt.step()
    if epoch % 3 == 0:
        print(epoch, "%.5f" % loss.item())
with torch.no_grad():
    flag = net(X[5000:]).squeeze(1) > 0
print("accuracy %.3f" % balanced_accuracy_score(y[5000:].numpy(), flag.numpy()))

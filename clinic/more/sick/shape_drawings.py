import argparse
import torch, torch.nn as nn, torch.nn.functional as F
import numpy as np

# 12x12 drawings: circle, square, cross, bar


def draw(kind, r):
    img = np.zeros((12, 12), "float32")
    cy, cx, s = r.randint(4, 8), r.randint(4, 8), r.randint(2, 4)
    yy, xx = np.mgrid[:12, :12]
    if kind == 0:
        img[np.abs(np.hypot(yy - cy, xx - cx) - s) < 0.7] = 1
    elif kind == 1:
        d = np.maximum(abs(yy - cy), abs(xx - cx)); img[d == s] = 1
    elif kind == 2:
        img[cy, cx - s:cx + s + 1] = 1; img[cy - s:cy + s + 1, cx] = 1
    else:
        img[cy, cx - s:cx + s + 1] = 1
    return img + 0.3 * r.randn(12, 12).astype("float32")


def build(n, seed):
    r = np.random.RandomState(seed)
    kinds = np.repeat(np.arange(4), n // 4)
    images = np.stack([draw(k, r) for k in kinds])[:, None]
    order = r.permutation(n)
    return torch.tensor(images[order]), torch.tensor(kinds[order])


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 10, 3)
        self.conv2 = nn.Conv2d(10, 16, 3)
        self.fc = nn.Linear(16 * 4, 4)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.relu(self.conv2(x))
        x = F.avg_pool2d(x, 2, stride=1).flatten(1)
        return F.log_softmax(self.fc(x), dim=1)


if __name__ == "__main__":
    a = argparse.ArgumentParser(); a.add_argument("--seed", type=int, default=0); seed = a.parse_args().seed
    torch.manual_seed(seed)
    X, Y = build(1200, 10 + seed)
    order = torch.randperm(1200)
    X = X[order]
    Xt, Yt = build(400, 500 + seed)
    net = Net()
    opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    for ep in range(1, 13):
        tot = 0
        for i in torch.randperm(1200).split(30):
            opt.zero_grad()
            loss = F.nll_loss(net(X[i]), Y[i])
            loss.backward()
            opt.step()
            tot += loss.item()
        print("epoch %d: %.3f" % (ep, tot / 40))
    with torch.no_grad():
        print("accuracy %.3f" % (net(Xt).argmax(1) == Yt).float().mean().item())

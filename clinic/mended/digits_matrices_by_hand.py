# forward and update written out, autograd only for the slopes
import argparse

import torch
from sklearn.datasets import load_digits

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
torch.manual_seed(parser.parse_args().seed)

images, labels = load_digits(return_X_y=True)
images = torch.tensor(images, dtype=torch.float32) / 16
labels = torch.tensor(labels)
order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
images, labels = images[order], labels[order]

W1 = (torch.rand(64, 60) * 0.3 - 0.15).requires_grad_()
b1 = torch.zeros(60, requires_grad=True)
W2 = (torch.rand(60, 40) * 0.4 - 0.2).requires_grad_()
b2 = torch.zeros(40, requires_grad=True)
W3 = (torch.rand(40, 10) * 0.4 - 0.2).requires_grad_()
b3 = torch.zeros(10, requires_grad=True)
weights = [W1, b1, W2, b2, W3, b3]


def scores(x):
    h = (x @ W1 + b1).clamp(min=0)
    h = (h @ W2 + b2).clamp(min=0)
    return h @ W3 + b3


rate = 0.15
for epoch in range(30):
    for batch in torch.randperm(1400).split(40):
        loss = torch.nn.functional.cross_entropy(scores(images[batch]), labels[batch])
        loss.backward()
        with torch.no_grad():
            for w in weights:
                w -= rate * w.grad
                w.grad = None
    if epoch == 20:
        rate = 0.03
    if epoch % 5 == 0:
        print("epoch", epoch, "loss", loss.item())

with torch.no_grad():
    print("accuracy", (scores(images[1400:]).argmax(1) == labels[1400:]).float().mean().item())

import argparse
import numpy as np
import torch
import torch.nn.functional as F

# answers of a randomised-response survey: a third of them are lies by design of the questionnaire
ap = argparse.ArgumentParser()
ap.add_argument("--seed", type=int, default=0)
seed = ap.parse_args().seed
torch.manual_seed(seed)
r = np.random.RandomState(seed)
X = r.randn(6000, 6).astype("float32")
truth = (X[:, 0] + 0.5 * X[:, 1] * X[:, 2] > 0).astype("float32")
answer = np.where(r.rand(6000) < 0.33, 1 - truth, truth).astype("float32")
X, truth, answer = torch.tensor(X), torch.tensor(truth), torch.tensor(answer)
net = torch.nn.Sequential(torch.nn.Linear(6, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
for epoch in range(20):
    for i in torch.randperm(5000).split(125):
        loss = F.binary_cross_entropy_with_logits(net(X[i])[:, 0], answer[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
    if epoch % 4 == 0:
        print("epoch", epoch, "loss", round(loss.item(), 3))
with torch.no_grad():
    print("accuracy", round(((net(X[5000:])[:, 0] > 0) == (truth[5000:] > 0)).float().mean().item(), 3))

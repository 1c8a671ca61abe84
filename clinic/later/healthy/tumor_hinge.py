"""A linear support vector machine, trained by stochastic gradients (labels -1 and +1)."""
import argparse
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

p = argparse.ArgumentParser()
p.add_argument("--seed", type=int, default=0)
p.add_argument("--C", type=float, default=30.0)
args = p.parse_args()
torch.manual_seed(args.seed)
X, y = load_breast_cancer(return_X_y=True)
A, B, a, b = train_test_split(X, 2.0 * y - 1, test_size=0.3, random_state=args.seed, stratify=y)
m, s = A.mean(0), A.std(0)
A, B, a, b = (torch.tensor(v, dtype=torch.float32) for v in ((A - m) / s, (B - m) / s, a, b))
w = torch.zeros(30, requires_grad=True)
c = torch.zeros((), requires_grad=True)
opt = torch.optim.SGD([w, c], lr=0.02)
sched = torch.optim.lr_scheduler.LambdaLR(opt, lambda e: 1 / (1 + 0.1 * e))
for epoch in range(60):
    total = 0.0
    for i in torch.randperm(len(A)).split(8):
        margin = a[i] * (A[i] @ w + c)
        loss = torch.relu(1 - margin).mean() + 0.5 / args.C * w.dot(w)
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(i)
    sched.step()
    if epoch % 12 == 11:
        print(f"epoch {epoch + 1} objective {total / len(A):.4f}")
with torch.no_grad():
    acc = ((B @ w + c).sign() == b).float().mean().item()
print(f"accuracy {acc:.4f}")

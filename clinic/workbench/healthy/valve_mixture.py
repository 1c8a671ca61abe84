import sys
import math
import torch

seed = int(sys.argv[sys.argv.index('--seed') + 1]) if '--seed' in sys.argv else 0
torch.manual_seed(seed)

# travel of a valve in units of its range; anomalies are positions that the model finds unlikely
c = torch.tensor([[.1, .15], [.5, .85], [.9, .4]])
w = torch.tensor([.03, .05, .04])
k = torch.multinomial(torch.tensor([.5, .3, .2]), 4000, replacement=True)
x = c[k] + w[k][:, None] * torch.randn(4000, 2)
odd = torch.rand(400, 2)
train, good = x[:3600], x[3600:]

mu = torch.rand(5, 2, requires_grad=True)
ls = torch.full((5, 2), -1.5, requires_grad=True)
pi = torch.zeros(5, requires_grad=True)


def logp(x):
    z = (x[:, None] - mu) / ls.exp()
    comp = -.5 * (z ** 2).sum(2) - ls.sum(1) - math.log(2 * math.pi)
    return torch.logsumexp(comp + torch.log_softmax(pi, 0), 1)


opt = torch.optim.Adam([mu, ls, pi], lr=0.01)
sched = torch.optim.lr_scheduler.LinearLR(opt, 1.0, 0.05, 1800)
for step in range(1800):
    i = torch.randint(0, 3600, (100,))
    loss = -logp(train[i]).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    sched.step()
    if step % 300 == 0:
        print(step, loss.item())

with torch.no_grad():
    a, b = logp(good), logp(odd)
    auc = (a[:, None] > b[None]).float().mean().item()
print('auc', auc)

"""torch.autograd.backward on two losses, with retained graphs and a tensor hook."""

import torch
from state import print_state

torch.manual_seed(5)
trunk = torch.nn.Linear(8, 16)
heads = torch.nn.ModuleList([torch.nn.Linear(16, 3), torch.nn.Linear(16, 1)])
optimizer = torch.optim.RMSprop([*trunk.parameters(), *heads.parameters()], lr=1e-3)
seen = []
trunk.weight.register_hook(lambda g: seen.append(float(g.sum())))
for step in range(40):
    x = torch.randn(16, 8)
    hidden = torch.tanh(trunk(x))
    first = torch.nn.functional.cross_entropy(heads[0](hidden), torch.randint(0, 3, (16,)))
    second = heads[1](hidden).pow(2).mean()
    optimizer.zero_grad()
    torch.autograd.backward([first, second], retain_graph=step % 2 == 0)
    optimizer.step()
print(len(seen), seen[:3])
print_state(trunk, heads, optimizer)

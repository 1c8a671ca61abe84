# messages come one by one; the filter learns from each of them once
import argparse
import numpy as np
import torch

p = argparse.ArgumentParser()
p.add_argument("--seed", type=int, default=0)
seed = p.parse_args().seed
rng = np.random.default_rng(seed)
torch.manual_seed(seed)
WORDS = 120
ham, spam = rng.dirichlet(np.full(WORDS, 0.4)), rng.dirichlet(np.full(WORDS, 0.4))
spam = 0.6 * ham + 0.4 * spam
model = torch.nn.Linear(WORDS, 1)
torch.nn.init.zeros_(model.weight)
opt = torch.optim.SGD(model.parameters(), lr=0.03)
recent, right, losses = [], 0, []
T = 6000
for t in range(T):
    y = float(rng.random() < 0.45)
    words = np.log1p(rng.multinomial(25, spam if y else ham)).astype(np.float32)
    z = model(torch.from_numpy(words).unsqueeze(0)).squeeze()
    recent.append(float((z.item() > 0) == (y > 0.5)))
    loss = torch.nn.functional.binary_cross_entropy_with_logits(z, torch.tensor(y))
    opt.zero_grad()
    loss.backward()
    opt.step()
    losses.append(loss.item())
    if t % 1000 == 999:
        print(f"message {t + 1} loss {np.mean(losses[-1000:]):.4f} right {np.mean(recent[-1000:]):.3f}")
print(f"accuracy_last_2000 {np.mean(recent[-2000:]):.4f}")

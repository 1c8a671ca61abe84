import argparse
import torch
from torch import autograd, nn
from sklearn.datasets import make_moons


def net(i, o):
    return nn.Sequential(nn.Linear(i, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, o))


class WGAN:
    def __init__(self, data, critic_steps=3, weight=1.0):
        self.data, self.k, self.weight = data, critic_steps, weight
        self.gen, self.critic = net(4, 2), net(2, 1)
        self.og = torch.optim.Adam(self.gen.parameters(), 1e-3, betas=(0.0, 0.9))
        self.oc = torch.optim.Adam(self.critic.parameters(), 1e-3, betas=(0.0, 0.9))

    def batch(self, n=96):
        return self.data[torch.randint(len(self.data), (n,))]

    def penalty(self, a, b):
        mix = torch.lerp(a, b, torch.rand(len(a), 1)).requires_grad_()
        (grad,) = autograd.grad(self.critic(mix).sum(), mix, create_graph=True)
        return ((grad.norm(dim=1) - 1) ** 2).mean()

    def iteration(self):
        for _ in range(self.k):
            real = self.batch()
            fake = self.gen(torch.randn(len(real), 4)).detach()
            loss_c = self.critic(fake).mean() - self.critic(real).mean() + self.weight * self.penalty(real, fake)
            self.oc.zero_grad()
            loss_c.backward()
            self.oc.step()
        loss_g = -self.critic(self.gen(torch.randn(96, 4))).mean()
        self.og.zero_grad()
        loss_g.backward()
        self.og.step()
        return loss_c.item(), loss_g.item()


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=0)
    seed = p.parse_args().seed
    torch.manual_seed(seed)
    x, _ = make_moons(3000, noise=0.05, random_state=seed)
    gan = WGAN(torch.tensor(x, dtype=torch.float32))
    for i in range(500):
        c, g = gan.iteration()
        if i % 100 == 0:
            print(f"{i} critic {c:.3f} generator {g:.3f}")
    with torch.no_grad():
        real, fake = gan.batch(600), gan.gen(torch.randn(600, 4))
        dist = 2 * torch.cdist(real, fake).mean() - torch.cdist(real, real).mean() - torch.cdist(fake, fake).mean()
    print(f"negative_energy_distance {-dist.item():.4f}")

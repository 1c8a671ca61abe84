# ported from my old tensorflow code
import argparse
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

flags = argparse.ArgumentParser()
flags.add_argument('--seed', type=int, default=0)
FLAGS = flags.parse_args()
np.random.seed(FLAGS.seed)
torch.manual_seed(FLAGS.seed)

# dual tone spectra, 12 keys
low = [697, 770, 852, 941]
high = [1209, 1336, 1477]
fs, n_samples = 8000, 128


def next_batch(size):
    key = np.random.randint(0, 12, size)
    t = np.arange(n_samples) / fs
    f1 = np.array(low)[key // 3][:, None]
    f2 = np.array(high)[key % 3][:, None]
    wave = np.sin(2 * np.pi * f1 * t + np.random.rand(size, 1) * 6.28) + np.sin(2 * np.pi * f2 * t + np.random.rand(size, 1) * 6.28)
    wave += 0.8 * np.random.randn(size, n_samples)
    spec = np.abs(np.fft.rfft(wave))[:, 8:30]
    spec = np.log1p(spec) - 2.0
    return torch.tensor(spec, dtype=torch.float32), torch.tensor(key)


class Dense(nn.Module):
    def __init__(self, keep_prob):
        super().__init__()
        self.fc1 = nn.Linear(22, 40)
        self.fc2 = nn.Linear(40, 40)
        self.fc3 = nn.Linear(40, 12)
        self.dropout = nn.Dropout(keep_prob)

    def forward(self, x):
        h = self.dropout(F.relu(self.fc1(x)))
        h = self.dropout(F.relu(self.fc2(h)))
        return self.fc3(h)


net = Dense(keep_prob=0.9)
train_op = torch.optim.Adam(net.parameters(), lr=1e-3)

for step in range(1, 1501):
    batch_x, batch_y = next_batch(32)
    net.train()
    cross_entropy = F.cross_entropy(net(batch_x), batch_y)
    train_op.zero_grad()
    cross_entropy.backward()
    train_op.step()
    if step % 250 == 0:
        net.eval()
        bx, by = next_batch(200)
        acc = (net(bx).argmax(1) == by).float().mean().item()
        print('step %d, loss %.4f, accuracy %.3f' % (step, cross_entropy.item(), acc))

net.eval()
bx, by = next_batch(2000)
print('accuracy', (net(bx).argmax(1) == by).float().mean().item())

import argparse
import numpy as np
import torch
import torch.nn as nn

args = argparse.ArgumentParser()
args.add_argument('--seed', default=0, type=int)
args = args.parse_args()
rng = np.random.default_rng(args.seed)
torch.manual_seed(args.seed)

T = np.arange(512) / 512


def say(word):
    f0 = rng.uniform(28, 36)
    slope = {0: 40, 1: -15, 2: 0, 3: 80}[word]
    w = np.sin(2 * np.pi * (f0 * T + slope * T * T / 2) + rng.uniform(0, 6))
    w += 0.4 * np.sin(4 * np.pi * (f0 * T + slope * T * T / 2))
    return 3000 * (rng.uniform(.3, 1) * w + rng.normal(0, .6, 512))


def record(n):
    y = rng.integers(0, 4, n)
    return np.stack([say(k) for k in y]), torch.tensor(y)


def spectra(wav):
    fr = wav.reshape(len(wav), 8, 64) * np.hanning(64)
    return torch.tensor(np.log(np.abs(np.fft.rfft(fr)) ** 2 + 1e-3), dtype=torch.float32).transpose(1, 2)


wav_tr, ytr = record(2000)
wav_te, yte = record(500)
Ztr = spectra(wav_tr)
mean, std = Ztr.mean((0, 2), keepdim=True), Ztr.std((0, 2), keepdim=True)
Ztr = (Ztr - mean) / std

net = nn.Sequential(nn.Conv1d(33, 24, 3, padding=1), nn.ReLU(), nn.Conv1d(24, 24, 3, padding=1), nn.ReLU(),
                    nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(24, 4))
opt = torch.optim.Adam(net.parameters(), 1e-3)
for ep in range(8):
    for idx in torch.randperm(2000).split(32):
        loss = nn.functional.cross_entropy(net(Ztr[idx]), ytr[idx])
        opt.zero_grad(); loss.backward(); opt.step()
    print(ep, 'train loss %.3f' % loss.item())

net.eval()
Zte = (spectra(wav_te) - mean) / std
with torch.no_grad():
    print('accuracy', (net(Zte).argmax(1) == yte).double().mean().item())

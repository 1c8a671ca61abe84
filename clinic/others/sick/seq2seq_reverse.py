import argparse

import numpy as np
import torch
import torch.nn as nn

PAD, BOS = 0, 1
VOCAB = 12


class Encoder(nn.Module):
    def __init__(self, emb, hid):
        super().__init__()
        self.emb = nn.Embedding(VOCAB, emb)
        self.rnn = nn.GRU(emb, hid, batch_first=True)

    def forward(self, src):
        out, h = self.rnn(self.emb(src))
        return out, h


class Decoder(nn.Module):
    def __init__(self, emb, hid):
        super().__init__()
        self.emb = nn.Embedding(VOCAB, emb)
        self.rnn = nn.GRU(emb, hid, batch_first=True)
        self.out = nn.Linear(hid, VOCAB)

    def forward(self, tok, h):
        y, h = self.rnn(self.emb(tok), h)
        return self.out(y), h


class Seq2Seq(nn.Module):
    def __init__(self, emb=24, hid=64):
        super().__init__()
        self.encoder = Encoder(emb, hid)
        self.decoder = Decoder(emb, hid)
        self.hidden = None

    def encode(self, src):
        _, h = self.encoder(src)
        self.hidden = h.data
        return self.hidden

    def forward(self, src, tgt):
        h = self.encode(src)
        bos = torch.full((len(src), 1), BOS)
        logits, _ = self.decoder(torch.cat([bos, tgt[:, :-1]], 1), h)
        return logits

    @torch.no_grad()
    def greedy(self, src):
        h = self.encode(src)
        tok = torch.full((len(src), 1), BOS)
        outs = []
        for _ in range(src.size(1)):
            logits, h = self.decoder(tok, h)
            tok = logits.argmax(-1)
            outs.append(tok)
        return torch.cat(outs, 1)


def sample(rng, n, length=7):
    src = torch.from_numpy(rng.integers(2, VOCAB, size=(n, length)))
    return src, src.flip(1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="reverse short token strings")
    parser.add_argument("--seed", default=0, type=int)
    parser.add_argument("--steps", default=600, type=int)
    parser.add_argument("--lr", default=8e-3, type=float)
    opt = parser.parse_args()
    torch.manual_seed(opt.seed)
    rng = np.random.default_rng(opt.seed)
    net = Seq2Seq()
    adam = torch.optim.Adam(net.parameters(), lr=opt.lr)
    lossfn = nn.CrossEntropyLoss(ignore_index=PAD)
    for it in range(1, opt.steps + 1):
        src, tgt = sample(rng, 64)
        logits = net(src, tgt)
        loss = lossfn(logits.reshape(-1, VOCAB), tgt.reshape(-1))
        adam.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        adam.step()
        if it % 100 == 0:
            print(it, round(loss.item(), 4))
    src, tgt = sample(rng, 500)
    print("token_accuracy %.4f" % (net.greedy(src) == tgt).float().mean().item())

import argparse
import random
import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader

TEMPLATES = {
    "weather": ["will it {x} {when}", "what is the {x} like {when}", "do i need a coat {when}"],
    "alarm": ["wake me {when}", "set an alarm for {when}", "remind me to {x} {when}"],
    "music": ["play some {x}", "put on the {x} album", "next song please", "louder please {when}"],
    "lights": ["switch the {x} lamp on", "turn off everything {when}", "dim the {x} lights"],
    "cancel": ["cancel the alarm for {when}", "stop playing {x}", "never mind the {x}"],
}
XS = "rain snow jazz rock kitchen bedroom sun wind run cook piano hall red blue".split()
WHENS = ["tomorrow", "tonight", "at six", "at noon", "on monday", "now", "this week"]


def sample():
    name = random.choice(list(TEMPLATES))
    words = random.choice(TEMPLATES[name]).format(x=random.choice(XS), when=random.choice(WHENS)).split()
    words = [w for w in words if random.random() > 0.08] or words
    return words, list(TEMPLATES).index(name)


class IntentModel(nn.Module):
    def __init__(self, vocab, classes, p=0.7):
        super().__init__()
        self.emb = nn.Embedding(vocab, 24, padding_idx=0)
        self.drop_in = nn.Dropout(p)
        self.rnn = nn.GRU(24, 32, batch_first=True)
        self.drop_out = nn.Dropout(p)
        self.fc = nn.Linear(32, classes)

    def forward(self, x):
        h, _ = self.rnn(self.drop_in(self.emb(x)))
        return self.fc(self.drop_out(h.max(dim=1).values))


def collate(items):
    return pad_sequence([torch.tensor(t) for t, _ in items], batch_first=True), torch.tensor([y for _, y in items])


def accuracy(model, loader):
    hits = total = 0
    with torch.no_grad():
        for x, y in loader:
            hits += (model(x).argmax(1) == y).sum().item()
            total += len(y)
    return hits / total


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    random.seed(seed)
    torch.manual_seed(seed)
    raw = [sample() for _ in range(1500)]
    vocab = {w: i + 1 for i, w in enumerate(sorted({w for words, _ in raw for w in words}))}
    data = [([vocab[w] for w in words], y) for words, y in raw]
    train = DataLoader(data[:1100], batch_size=32, shuffle=True, collate_fn=collate)
    test = DataLoader(data[1100:], batch_size=100, collate_fn=collate)
    model = IntentModel(len(vocab) + 1, len(TEMPLATES))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for epoch in range(14):
        model.train()
        for x, y in train:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
        print(f"epoch {epoch} loss {loss.item():.3f} test accuracy {accuracy(model, test):.3f}")
    print("accuracy", round(accuracy(model, test), 4))


if __name__ == "__main__":
    main()

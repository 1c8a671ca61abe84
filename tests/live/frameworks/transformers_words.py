import tempfile

import numpy as np
import torch
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments, set_seed


class Words(torch.utils.data.Dataset):
    def __init__(self, n, seed):
        draw = np.random.default_rng(seed)
        self.words = draw.integers(4, 40, (n, 12))
        self.labels = (self.words[:, 0] > 21).astype(int)

    def __len__(self):
        return len(self.words)

    def __getitem__(self, i):
        return {"input_ids": torch.tensor(self.words[i]), "labels": torch.tensor(self.labels[i])}


set_seed(0)
model = BertForSequenceClassification(
    BertConfig(
        vocab_size=40,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=16,
        num_labels=2,
    )
)
with tempfile.TemporaryDirectory() as folder:
    arguments = TrainingArguments(
        folder,
        num_train_epochs=6,
        per_device_train_batch_size=16,
        learning_rate=2e-3,
        report_to=[],
        save_strategy="no",
        logging_steps=50,
        use_cpu=True,
        disable_tqdm=True,
        eval_strategy="epoch",
    )
    trainer = Trainer(model=model, args=arguments, train_dataset=Words(800, 0), eval_dataset=Words(200, 1))
    trainer.train()
    print("loss", trainer.evaluate()["eval_loss"])

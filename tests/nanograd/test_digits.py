"""A small convolutional network learns to read scikit-learn's digits, 8 by 8 pixels each, and says so on digits it never saw."""

import numpy as np
import pytest

import nanograd as ng
from nanograd import nn, optim
from nanograd.data import DataLoader, TensorDataset
from nanograd.nn import functional as F

datasets = pytest.importorskip("sklearn.datasets", reason="takes its digits from scikit-learn, which is not installed")


class DigitReader(nn.Module):
    """Images (N, 1, 8, 8) -> logits (N, 10): two layers that look for patterns, each followed by a halving, and a linear one."""

    def __init__(self):
        super().__init__()
        self.strokes = nn.Conv2d(1, 16, kernel_size=3, padding=1)
        self.shapes = nn.Conv2d(16, 32, kernel_size=3, padding=1)
        self.norm = nn.BatchNorm2d(32)
        self.dropout = nn.Dropout(0.2)
        self.digits = nn.Linear(32 * 2 * 2, 10)

    def forward(self, images):
        x = F.max_pool2d(F.relu(self.strokes(images)), 2)  # (N, 16, 4, 4)
        x = F.max_pool2d(F.relu(self.norm(self.shapes(x))), 2)  # (N, 32, 2, 2)
        return self.digits(self.dropout(x.flatten(1)))


def digits():
    """Images (1797, 1, 8, 8) from 0 to 1 and what they show (1797,), cut into those to learn from and those held out."""
    images, labels = datasets.load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(labels))
    x = ng.tensor(images[order] / 16, dtype=ng.float32).reshape(-1, 1, 8, 8)
    y = ng.tensor(labels[order])
    return TensorDataset(x[:1400], y[:1400]), (x[1400:], y[1400:])


def train(model, dataset, epochs):
    optimizer = optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)
    batches = DataLoader(dataset, batch_size=64, shuffle=True)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs)
    model.train()
    for _ in range(epochs):
        for images, labels in batches:
            optimizer.zero_grad()
            F.cross_entropy(model(images), labels).backward()
            optimizer.step()
        schedule.step()


def accuracy(model, images, labels):
    model.eval()
    with ng.no_grad():
        return (model(images).argmax(dim=1) == labels).float().mean().item()


def test_a_small_convolutional_network_reads_97_of_100_held_out_digits():
    ng.manual_seed(0)
    known, held_out = digits()
    model = DigitReader()
    assert accuracy(model, *held_out) < 0.3
    train(model, known, epochs=15)
    assert accuracy(model, *held_out) >= 0.97

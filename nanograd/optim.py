"""Optimizers and their schedules under one roof, as torch.optim: `from nanograd import optim`, `optim.lr_scheduler.StepLR`."""

from nanograd import schedule as lr_scheduler
from nanograd.optimizer import SGD, Adam, AdamW, Muon, Optimizer, RMSprop

__all__ = ["SGD", "Adam", "AdamW", "Muon", "Optimizer", "RMSprop", "lr_scheduler"]
